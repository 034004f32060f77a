//! Messages that nobody could decode.

use axum::{Json, extract::State, http::StatusCode};
use polling_model::{ChannelId, JobType};
use scheduler_lib::QueueRole;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    body::{Asked, At},
    error::ApiError,
    view::UndecodableView,
};
use crate::Web;

/// Messages of one answer; each may have 256 KiB.
const MAX_PAGE: usize = 100;
const DEFAULT_PAGE: usize = 20;

#[derive(Deserialize, JsonSchema)]
#[schemars(inline)]
#[serde(deny_unknown_fields)]
pub(super) struct Limit {
    limit: Option<usize>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct UndecodablePage {
    undecodable: Vec<UndecodableView>,
}

/// Where a message goes again: a job type's work queue, or the completed queue.
#[derive(Deserialize, JsonSchema)]
#[schemars(inline)]
#[serde(deny_unknown_fields)]
pub(super) struct To {
    #[schemars(with = "Option<String>")]
    job_type: Option<JobType>,
    #[serde(default)]
    completed: bool,
}

/// `GET /v1/channels/{channel}/undecodable?limit=`
pub(super) async fn list(
    State(web): State<Web>,
    At(channel): At<ChannelId>,
    Asked(Limit { limit }): Asked<Limit>,
) -> Result<Json<UndecodablePage>, ApiError> {
    let limit = limit.unwrap_or(DEFAULT_PAGE).min(MAX_PAGE);
    let found = web.registry(&channel)?.undecodable(limit).await?;
    let undecodable = found.into_iter().map(UndecodableView::from).collect();
    Ok(Json(UndecodablePage { undecodable }))
}

/// `GET /v1/channels/{channel}/undecodable/{message}`
pub(super) async fn show(
    State(web): State<Web>,
    At((channel, id)): At<(ChannelId, String)>,
) -> Result<Json<UndecodableView>, ApiError> {
    let message = web.registry(&channel)?.undecodable_message(&id).await?;
    Ok(Json(message.into()))
}

/// `DELETE /v1/channels/{channel}/undecodable/{message}`: for good.
pub(super) async fn remove(
    State(web): State<Web>,
    At((channel, id)): At<(ChannelId, String)>,
) -> Result<StatusCode, ApiError> {
    web.registry(&channel)?.forget_undecodable(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /v1/channels/{channel}/undecodable/{message}/redrive?job_type=`, or `?completed=true`: sent
/// again, then kept no longer.
pub(super) async fn redrive(
    State(web): State<Web>,
    At((channel, id)): At<(ChannelId, String)>,
    Asked(to): Asked<To>,
) -> Result<StatusCode, ApiError> {
    let role = match (to.job_type, to.completed) {
        (Some(job_type), false) => QueueRole::Work(job_type),
        (None, true) => QueueRole::Completed,
        _ => {
            let error = "say to which queue: job_type=NAME, or completed=true";
            return Err(ApiError::bad_request(error));
        }
    };
    let registry = web.registry(&channel)?;
    registry.redrive_undecodable(&id, &role).await?;
    Ok(StatusCode::NO_CONTENT)
}
