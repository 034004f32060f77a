//! Jobs moved: to another time, into the drain that runs, into another channel. And a channel that is
//! stopped as a whole.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use polling_model::{ChannelId, JobId};
use scheduler_lib::store::MAX_REASON_SIZE_BYTES;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    body::{Asked, At},
    bulk::{self, Done, Edit, EditedPage},
    error::ApiError,
    select::Which,
};
use crate::Web;

/// What became of one job.
#[derive(Serialize, JsonSchema)]
pub(super) struct Moved {
    changed: bool,
    in_flight: bool,
}

/// Why a channel is stopped.
#[derive(Deserialize, JsonSchema)]
#[schemars(inline)]
#[serde(deny_unknown_fields)]
pub(super) struct Reason {
    reason: Option<String>,
}

/// `POST /v1/channels/{channel}/jobs:move/now?account=&job_type=&level=&all=&place=&after=&limit=`
pub(super) async fn all_now(
    State(web): State<Web>,
    At(channel): At<ChannelId>,
    Asked(which): Asked<Which>,
) -> Result<Json<EditedPage>, ApiError> {
    bulk::edit(web.registry(&channel)?, &which, Edit::RunNow).await
}

/// `POST /v1/channels/{channel}/jobs:move/time/{from_ms}/{until_ms}?…`: what waits, spread between the
/// two.
pub(super) async fn all_to_time(
    State(web): State<Web>,
    At((channel, from_ms, until_ms)): At<(ChannelId, i64, i64)>,
    Asked(which): Asked<Which>,
) -> Result<Json<EditedPage>, ApiError> {
    let edit = Edit::MoveTo { from_ms, until_ms };
    bulk::edit(web.registry(&channel)?, &which, edit).await
}

/// `POST /v1/channels/{channel}/jobs:move/channel/{to}?…`: what is not in flight.
pub(super) async fn all_to_channel(
    State(web): State<Web>,
    At((channel, to)): At<(ChannelId, ChannelId)>,
    Asked(which): Asked<Which>,
) -> Result<Json<EditedPage>, ApiError> {
    let edit = hand_over(&web, &channel, &to)?;
    bulk::edit(web.registry(&channel)?, &which, edit).await
}

/// `POST /v1/channels/{channel}/jobs/{id}/move/time/{from_ms}/{until_ms}`
pub(super) async fn to_time(
    State(web): State<Web>,
    At((channel, id, from_ms, until_ms)): At<(ChannelId, JobId, i64, i64)>,
) -> Result<Json<Moved>, ApiError> {
    let edit = Edit::MoveTo { from_ms, until_ms };
    one(&web, &channel, &id, edit).await
}

/// `POST /v1/channels/{channel}/jobs/{id}/move/channel/{to}`
pub(super) async fn to_channel(
    State(web): State<Web>,
    At((channel, id, to)): At<(ChannelId, JobId, ChannelId)>,
) -> Result<Json<Moved>, ApiError> {
    let edit = hand_over(&web, &channel, &to)?;
    one(&web, &channel, &id, edit).await
}

async fn one(
    web: &Web,
    channel: &ChannelId,
    id: &JobId,
    edit: Edit,
) -> Result<Json<Moved>, ApiError> {
    let done = edit.apply_to_known(web.registry(channel)?, id).await?;
    Ok(Json(Moved {
        changed: done == Done::Changed,
        in_flight: done == Done::InFlight,
    }))
}

fn hand_over(web: &Web, channel: &ChannelId, to: &ChannelId) -> Result<Edit, ApiError> {
    if channel == to {
        let error = format!("the jobs are in channel {to}: name another");
        return Err(ApiError::bad_request(error));
    }
    Ok(Edit::HandOver(Arc::new(web.registry(to)?.clone())))
}

/// `POST /v1/channels/{channel}/stop?reason=`: at once; repeating it changes the reason.
pub(super) async fn stop(
    State(web): State<Web>,
    At(channel): At<ChannelId>,
    Asked(Reason { reason }): Asked<Reason>,
) -> Result<StatusCode, ApiError> {
    let reason = reason.unwrap_or_else(|| "by hand".to_owned());
    if reason.is_empty() || reason.len() > MAX_REASON_SIZE_BYTES {
        let error = format!("reason needs 1 to {MAX_REASON_SIZE_BYTES} bytes");
        return Err(ApiError::bad_request(error).field("reason"));
    }
    web.registry(&channel)?.stop(&reason).await?;
    tracing::warn!(%channel, reason, "stopped: nothing is dispatched until it is started");
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /v1/channels/{channel}/start`
pub(super) async fn start(
    State(web): State<Web>,
    At(channel): At<ChannelId>,
) -> Result<StatusCode, ApiError> {
    web.registry(&channel)?.start().await?;
    tracing::info!(%channel, "started");
    Ok(StatusCode::NO_CONTENT)
}
