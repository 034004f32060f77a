//! How many workers there should be.

use axum::{Json, extract::State};
use polling_model::{ChannelId, JobType};
use serde::Serialize;

use super::{Api, body::At, error::ApiError};
use crate::scaling::Decisions;

#[derive(Serialize)]
pub(super) struct Scalings {
    scaling: Vec<ScalingView>,
}

#[derive(Serialize)]
struct ScalingView {
    job_type: JobType,
    /// So many should run, those that start included.
    workers: u32,
    reason: String,
    decided_ms: i64,
    /// Nothing was decided of late: the number is to be left as it is.
    stale: bool,
}

/// `GET /v1/channels/{channel}/scaling`: the last decision on each job type that the configuration has
/// rules for; none before the first.
pub(super) async fn list(
    State(api): State<Api>,
    At(channel): At<ChannelId>,
) -> Result<Json<Scalings>, ApiError> {
    api.registry(&channel)?;
    let now_ms = api.0.clock.now_ms();
    let view = |decisions: &Decisions| {
        let of = decisions.of(&channel).into_iter();
        let view = of.map(|(job_type, decided)| ScalingView {
            job_type,
            stale: decisions.is_stale(&decided, now_ms),
            decided_ms: decided.at_ms,
            workers: decided.decision.workers,
            reason: decided.decision.reason,
        });
        view.collect()
    };
    let scaling = api.0.decisions.get().map(view).unwrap_or_default();
    Ok(Json(Scalings { scaling }))
}
