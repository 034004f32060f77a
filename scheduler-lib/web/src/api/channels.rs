//! Channels as a whole.

use axum::{Json, extract::State};
use polling_model::ChannelId;
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    body::At,
    error::ApiError,
    view::{CountsView, StatusView},
};
use crate::Web;

#[derive(Serialize, JsonSchema)]
pub(super) struct Channels {
    channels: Vec<ChannelView>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct ChannelView {
    #[schemars(with = "String")]
    channel: ChannelId,
    /// What this process has done since it started.
    status: StatusView,
    /// What the store holds; left out of lists, since each store must be asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    counts: Option<CountsView>,
    /// Why it is stopped; left out of lists, too, and where it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped: Option<String>,
}

/// `GET /v1/channels`
pub(super) async fn list(State(web): State<Web>) -> Json<Channels> {
    let view = |(channel, status): (ChannelId, scheduler_lib::ChannelStatus)| ChannelView {
        channel,
        status: status.into(),
        counts: None,
        stopped: None,
    };
    Json(Channels {
        channels: web.0.monitor.status().into_iter().map(view).collect(),
    })
}

/// `GET /v1/channels/{channel}`
pub(super) async fn show(
    State(web): State<Web>,
    At(channel): At<ChannelId>,
) -> Result<Json<ChannelView>, ApiError> {
    let registry = web.registry(&channel)?;
    let counts = registry.counts().await?;
    let stopped = registry.stopped().await?;
    let status = web.0.monitor.status().remove(&channel).unwrap_or_default();
    Ok(Json(ChannelView {
        channel,
        status: status.into(),
        counts: Some(counts.into()),
        stopped,
    }))
}
