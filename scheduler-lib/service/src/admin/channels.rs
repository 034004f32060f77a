//! Channels as a whole.

use axum::{Json, extract::State};
use polling_model::ChannelId;
use serde::{Deserialize, Serialize};

use super::{
    Api,
    body::{Asked, At},
    error::ApiError,
    view::{CountsView, StatusView, UndecodableView},
};

/// Undecodable messages of one answer; each may have 256 KiB.
const MAX_UNDECODABLE_PAGE: usize = 100;
const DEFAULT_UNDECODABLE_PAGE: usize = 20;

#[derive(Serialize)]
pub(super) struct Channels {
    channels: Vec<ChannelView>,
}

#[derive(Serialize)]
pub(super) struct ChannelView {
    channel: ChannelId,
    /// What this process has done since it started.
    status: StatusView,
    /// What the store holds; left out of lists, since each store must be asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    counts: Option<CountsView>,
}

/// `GET /v1/channels`
pub(super) async fn list(State(api): State<Api>) -> Json<Channels> {
    let view = |(channel, status): (ChannelId, scheduler_lib::ChannelStatus)| ChannelView {
        channel,
        status: status.into(),
        counts: None,
    };
    Json(Channels {
        channels: api.0.monitor.status().into_iter().map(view).collect(),
    })
}

/// `GET /v1/channels/{channel}`
pub(super) async fn show(
    State(api): State<Api>,
    At(channel): At<ChannelId>,
) -> Result<Json<ChannelView>, ApiError> {
    let counts = api.registry(&channel)?.counts().await?;
    let status = api.0.monitor.status().remove(&channel).unwrap_or_default();
    Ok(Json(ChannelView {
        channel,
        status: status.into(),
        counts: Some(counts.into()),
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Limit {
    limit: Option<usize>,
}

#[derive(Serialize)]
pub(super) struct UndecodablePage {
    undecodable: Vec<UndecodableView>,
}

/// `GET /v1/channels/{channel}/undecodable`
pub(super) async fn undecodable(
    State(api): State<Api>,
    At(channel): At<ChannelId>,
    Asked(Limit { limit }): Asked<Limit>,
) -> Result<Json<UndecodablePage>, ApiError> {
    let limit = limit
        .unwrap_or(DEFAULT_UNDECODABLE_PAGE)
        .min(MAX_UNDECODABLE_PAGE);
    let found = api.registry(&channel)?.undecodable(limit).await?;
    let undecodable = found.into_iter().map(UndecodableView::from).collect();
    Ok(Json(UndecodablePage { undecodable }))
}
