//! Bodies, no larger than allowed.

use reqwest::Response;
use tokio::time::{Instant, timeout_at};

use super::{caps, classify};
use crate::PollError;

/// The whole body, or an error as soon as it is known to be larger than `max_size_bytes`.
pub(super) async fn read(
    mut response: Response,
    max_size_bytes: usize,
) -> Result<Vec<u8>, PollError> {
    let announced = response.content_length().unwrap_or(0);
    if announced > max_size_bytes as u64 {
        return Err(too_large(max_size_bytes));
    }
    // It grows with what comes: what is announced need not be true.
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(classify::transport)? {
        if chunk.len() > max_size_bytes - body.len() {
            return Err(too_large(max_size_bytes));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The beginning of an error's body, as far as it comes until then: the status is known.
pub(super) async fn read_error(mut response: Response, until: Instant) -> Vec<u8> {
    let until = until.min(Instant::now() + caps::MAX_ERROR_BODY_TIME);
    let mut body = Vec::new();
    while let Ok(Ok(Some(chunk))) = timeout_at(until, response.chunk()).await {
        let room = caps::MAX_ERROR_BODY_SIZE_BYTES - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() >= room {
            break;
        }
    }
    body
}

fn too_large(max_size_bytes: usize) -> PollError {
    let message = format!("the answer is larger than the {max_size_bytes} bytes allowed");
    PollError::invalid(message).with_code("too_large")
}
