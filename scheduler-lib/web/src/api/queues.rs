//! A channel's queues: how much is in each.

use axum::{Json, extract::State};
use polling_model::{ChannelId, JobType};
use scheduler_lib::{QueueRole, QueueState};
use schemars::JsonSchema;
use serde::Serialize;

use super::{body::At, error::ApiError};
use crate::Web;

#[derive(Serialize, JsonSchema)]
pub(super) struct Queues {
    queues: Vec<QueueView>,
}

/// What is known of a queue: `error` in the place of figures if it does not answer.
#[derive(Serialize, JsonSchema)]
struct QueueView {
    role: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    job_type: Option<JobType>,
    name: String,
    visibility_timeout_ms: u64,
    visible: Option<u64>,
    in_flight: Option<u64>,
    /// Null where the queue does not tell, as SQS.
    oldest_age_ms: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl From<QueueState> for QueueView {
    fn from(queue: QueueState) -> Self {
        let (role, job_type) = match queue.role {
            QueueRole::Work(job_type) => ("work", Some(job_type)),
            QueueRole::Completed => ("completed", None),
            QueueRole::DeadLetter => ("dead_letter", None),
        };
        let (stats, error) = match queue.stats {
            Ok(stats) => (Some(stats), None),
            Err(error) => (None, Some(error)),
        };
        Self {
            role,
            job_type,
            name: queue.name,
            visibility_timeout_ms: queue.visibility_timeout.as_millis() as u64,
            visible: stats.map(|stats| stats.visible),
            in_flight: stats.map(|stats| stats.in_flight),
            oldest_age_ms: stats.and_then(|stats| stats.oldest_age_ms),
            error,
        }
    }
}

/// `GET /v1/channels/{channel}/queues`
pub(super) async fn list(
    State(web): State<Web>,
    At(channel): At<ChannelId>,
) -> Result<Json<Queues>, ApiError> {
    let queues = web.registry(&channel)?.queues().await;
    let queues = queues.into_iter().map(QueueView::from).collect();
    Ok(Json(Queues { queues }))
}
