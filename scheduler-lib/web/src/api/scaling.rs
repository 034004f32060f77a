//! How many workers there should be.

use axum::{Json, extract::State};
use polling_model::ChannelId;
use schemars::JsonSchema;
use serde::Serialize;

use super::{body::At, error::ApiError};
use crate::{ScalingView, Web};

#[derive(Serialize, JsonSchema)]
pub(super) struct Scalings {
    scaling: Vec<ScalingView>,
}

/// `GET /v1/channels/{channel}/scaling`: the last decision on each job type that the configuration has
/// rules for; none before the first.
pub(super) async fn list(
    State(web): State<Web>,
    At(channel): At<ChannelId>,
) -> Result<Json<Scalings>, ApiError> {
    web.registry(&channel)?;
    let decided = web.0.scaling.as_ref().map(|scaling| scaling(&channel));
    let scaling = decided.unwrap_or_default();
    Ok(Json(Scalings { scaling }))
}
