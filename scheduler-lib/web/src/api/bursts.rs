//! Jobs whose polls found more than they could fetch.

use axum::{Json, extract::State};
use polling_model::ChannelId;
use scheduler_lib::{Bursting, policy::Override, store::Burst};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    body::{Asked, At},
    error::ApiError,
};
use crate::Web;

/// Jobs of one answer.
const MAX_PAGE: usize = 1_000;
const DEFAULT_PAGE: usize = 20;

/// The last bursts told of each job.
const MAX_TOLD: usize = 20;

#[derive(Deserialize, JsonSchema)]
#[schemars(inline)]
#[serde(deny_unknown_fields)]
pub(super) struct Limit {
    limit: Option<usize>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct BurstPage {
    bursting: Vec<BurstingView>,
}

/// A job, and how often it burst of late.
#[derive(Serialize, JsonSchema)]
struct BurstingView {
    id: String,
    account: String,
    registered: bool,
    interval_ms: Option<i64>,
    #[schemars(with = "Option<super::schema::Pace>")]
    pace: Option<Override>,
    /// When it is polled next; null if it is held.
    due_ms: Option<i64>,
    /// Why then.
    reason: String,
    bursts: usize,
    last: Vec<BurstView>,
}

#[derive(Serialize, JsonSchema)]
struct BurstView {
    at_ms: i64,
    events: u64,
    /// How long after the poll before; null of a first one.
    waited_ms: Option<i64>,
    /// When it was to be polled next; null if it was not placed.
    next_ms: Option<i64>,
}

impl From<Bursting> for BurstingView {
    fn from(job: Bursting) -> Self {
        let view = |burst: &Burst| BurstView {
            at_ms: burst.at_ms,
            events: burst.events,
            waited_ms: burst.waited_ms,
            next_ms: burst.next_ms,
        };
        Self {
            id: job.id.to_string(),
            account: job.account.to_string(),
            registered: job.registered,
            interval_ms: job.interval_ms,
            pace: job.pace,
            due_ms: job.due_ms,
            reason: job.reason,
            bursts: job.bursts.len(),
            last: job.bursts.iter().take(MAX_TOLD).map(view).collect(),
        }
    }
}

/// `GET /v1/channels/{channel}/bursts?limit=`: the jobs with most bursts first.
pub(super) async fn list(
    State(web): State<Web>,
    At(channel): At<ChannelId>,
    Asked(Limit { limit }): Asked<Limit>,
) -> Result<Json<BurstPage>, ApiError> {
    let limit = limit.unwrap_or(DEFAULT_PAGE).min(MAX_PAGE);
    let found = web.registry(&channel)?.bursts(limit).await?;
    let bursting = found.into_iter().map(BurstingView::from).collect();
    Ok(Json(BurstPage { bursting }))
}
