//! Why a job is where it is.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use polling_model::{ChannelId, JobId};

use super::{body::At, error::ApiError};
use crate::Web;

/// `GET /v1/channels/{channel}/jobs/{id}/explain`: in words for those who accept `text/plain`,
/// otherwise as JSON.
pub(super) async fn explain(
    State(web): State<Web>,
    At((channel, id)): At<(ChannelId, JobId)>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let explanation = web.registry(&channel)?.explain(&id).await?;
    Ok(match wants_text(&headers) {
        true => explanation.to_string().into_response(),
        false => Json(explanation).into_response(),
    })
}

fn wants_text(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter();
    let mut accepted = accepted.filter_map(|value| value.to_str().ok());
    accepted.any(|value| value.contains("text/plain"))
}
