//! Many registrations in one request.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, stream};
use polling_model::ChannelId;
use scheduler_lib::{Registry, store::Registered};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    Api,
    body::{self, At, RawBody},
    error::{self, ApiError, Problem},
    jobs::{RegisteredView, RegistrationBody},
};

/// Most registrations of one request.
const MAX_ENTRIES: usize = 1_000;

/// Registrations of one request that are under way at once.
const CONCURRENT: usize = 16;

/// How each registration ended, in the request's order.
#[derive(Serialize, Default)]
struct Batch {
    created: usize,
    existing: usize,
    failed: usize,
    results: Vec<Entry>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Entry {
    Registered(RegisteredView),
    Failed(Problem),
}

/// `POST /v1/channels/{channel}/jobs:batch`: a JSON array, or JSON lines. An entry that is wrong
/// keeps no other from being registered. 503 when the store failed: the whole may be repeated.
pub(super) async fn register(
    State(api): State<Api>,
    At(channel): At<ChannelId>,
    RawBody(text): RawBody,
) -> Result<Response, ApiError> {
    let registry = api.registry(&channel)?;
    let entries = split(&text)?;
    let failed = AtomicBool::new(false);
    let calls: Vec<_> = entries
        .into_iter()
        .map(|entry| register_one(registry, entry, &failed))
        .collect();
    let results: Vec<_> = stream::iter(calls).buffered(CONCURRENT).collect().await;
    let mut batch = Batch::default();
    for result in results {
        let entry = match result {
            Ok((view, registered)) => {
                match registered {
                    Registered::Created => batch.created += 1,
                    Registered::Existing => batch.existing += 1,
                }
                Entry::Registered(view)
            }
            Err(error) => {
                batch.failed += 1;
                Entry::Failed(error.problem)
            }
        };
        batch.results.push(entry);
    }
    Ok(match failed.into_inner() {
        false => Json(batch).into_response(),
        true => error::retry_later(batch),
    })
}

async fn register_one(
    registry: &Registry,
    entry: &[u8],
    store_failed: &AtomicBool,
) -> Result<(RegisteredView, Registered), ApiError> {
    let job: RegistrationBody = body::parse(entry)?;
    // Each try may take the store's whole deadline; a thousand of them would take hours.
    if store_failed.load(Relaxed) {
        return Err(ApiError::unavailable(
            "not tried, since the store failed before; repeat the batch",
        ));
    }
    let registered = registry.register(job.into()).await.map_err(ApiError::from);
    if registered.as_ref().is_err_and(ApiError::may_pass) {
        store_failed.store(true, Relaxed);
    }
    let (id, registered) = registered?;
    Ok((RegisteredView::new(id, registered), registered))
}

/// The entries' texts.
fn split(text: &[u8]) -> Result<Vec<&[u8]>, ApiError> {
    let text = text.trim_ascii();
    let entries: Vec<&[u8]> = if text.starts_with(b"[") {
        let entries: Vec<&RawValue> = serde_json::from_slice(text).map_err(|error| {
            ApiError::bad_request(format!("the body is no JSON array: {error}"))
        })?;
        entries
            .into_iter()
            .map(|entry| entry.get().as_bytes())
            .collect()
    } else {
        let lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
        lines.filter(|line| !line.is_empty()).collect()
    };
    if entries.len() > MAX_ENTRIES {
        return Err(ApiError::too_large(format!(
            "{} entries: at most {MAX_ENTRIES} are allowed in one request",
            entries.len()
        )));
    }
    Ok(entries)
}
