//! The four answers.

use std::pin::Pin;

use futures_util::{Stream, stream};
use polling_model::{ChannelId, JobType, SharedClock};
use tokio::sync::watch;
use tonic::{Request, Response, Status};

use super::{
    board::{Posts, Target},
    proto::{
        GetMetricSpecResponse, GetMetricsRequest, GetMetricsResponse, IsActiveResponse, MetricSpec,
        MetricValue, ScaledObjectRef, external_scaler_server::ExternalScaler,
    },
};

/// The one metric.
const METRIC: &str = "workers";

/// Metadata of the trigger.
const CHANNEL: &str = "channel";
const JOB_TYPE: &str = "jobType";

/// Most job types that an error names.
const MOST_NAMED: usize = 10;

type Answers = Pin<Box<dyn Stream<Item = Result<IsActiveResponse, Status>> + Send>>;

/// Answers KEDA with what is on a [`Board`](super::Board). A service for a tonic server of your own:
/// [`ExternalScalerServer::new`](super::proto::external_scaler_server::ExternalScalerServer::new).
#[derive(Debug, Clone)]
pub struct Scaler {
    posts: watch::Receiver<Posts>,
    clock: SharedClock,
    max_age_ms: i64,
}

impl Scaler {
    pub(super) const fn new(
        posts: watch::Receiver<Posts>,
        clock: SharedClock,
        max_age_ms: i64,
    ) -> Self {
        Self {
            posts,
            clock,
            max_age_ms,
        }
    }

    /// How many workers `target` should have.
    fn workers(&self, target: &Target) -> Result<u32, Status> {
        let posts = self.posts.borrow();
        let Some(posted) = posts.get(target) else {
            return Err(unknown(target, &posts));
        };
        let age_ms = self.clock.now_ms() - posted.at_ms;
        if age_ms > self.max_age_ms {
            return Err(Status::unavailable(format!(
                "the last decision on {target} is {} s old: the scheduler's log tells what fails",
                age_ms / 1000
            )));
        }
        Ok(posted.workers)
    }

    /// Whether `target` is active now and, each time that it changes, then.
    fn changes(&self, target: Target) -> Answers {
        let watching = Watching {
            scaler: self.clone(),
            target,
            told: None,
        };
        Box::pin(stream::unfold(watching, |mut watching| async move {
            let active = watching.next().await?;
            Some((Ok(IsActiveResponse { result: active }), watching))
        }))
    }
}

struct Watching {
    scaler: Scaler,
    target: Target,
    told: Option<bool>,
}

impl Watching {
    /// The next answer that differs from the last; `None` when nobody decides any more.
    async fn next(&mut self) -> Option<bool> {
        loop {
            let active = {
                let posts = self.scaler.posts.borrow_and_update();
                posts.get(&self.target).map(|posted| posted.workers > 0)
            };
            if active.is_some() && active != self.told {
                self.told = active;
                return active;
            }
            self.scaler.posts.changed().await.ok()?;
        }
    }
}

#[tonic::async_trait]
impl ExternalScaler for Scaler {
    async fn is_active(
        &self,
        request: Request<ScaledObjectRef>,
    ) -> Result<Response<IsActiveResponse>, Status> {
        let result = self.workers(&target(request.get_ref())?)? > 0;
        Ok(Response::new(IsActiveResponse { result }))
    }

    type StreamIsActiveStream = Answers;

    async fn stream_is_active(
        &self,
        request: Request<ScaledObjectRef>,
    ) -> Result<Response<Self::StreamIsActiveStream>, Status> {
        let target = target(request.get_ref())?;
        Ok(Response::new(self.changes(target)))
    }

    async fn get_metric_spec(
        &self,
        request: Request<ScaledObjectRef>,
    ) -> Result<Response<GetMetricSpecResponse>, Status> {
        target(request.get_ref())?;
        let spec = MetricSpec {
            metric_name: METRIC.to_owned(),
            target_size: 1,
            target_size_float: 1.0,
        };
        Ok(Response::new(GetMetricSpecResponse {
            metric_specs: vec![spec],
        }))
    }

    async fn get_metrics(
        &self,
        request: Request<GetMetricsRequest>,
    ) -> Result<Response<GetMetricsResponse>, Status> {
        let GetMetricsRequest {
            scaled_object_ref,
            metric_name,
        } = request.into_inner();
        let asked = scaled_object_ref.unwrap_or_default();
        let workers = self.workers(&target(&asked)?)?;
        if metric_name != METRIC {
            return Err(Status::not_found(format!(
                "there is no metric {metric_name:?}: there is {METRIC:?}"
            )));
        }
        let value = MetricValue {
            metric_name,
            metric_value: i64::from(workers),
            metric_value_float: f64::from(workers),
        };
        Ok(Response::new(GetMetricsResponse {
            metric_values: vec![value],
        }))
    }
}

/// Whose workers a trigger means.
fn target(asked: &ScaledObjectRef) -> Result<Target, Status> {
    let named = |key: &str| {
        asked.scaler_metadata.get(key).ok_or_else(|| {
            Status::invalid_argument(format!("the trigger's metadata lacks {key:?}: add it"))
        })
    };
    let bad = |key: &str, why: String| {
        Status::invalid_argument(format!("the trigger's {key:?} is no name: {why}"))
    };
    let channel = ChannelId::new(named(CHANNEL)?.as_str());
    let job_type = JobType::new(named(JOB_TYPE)?.as_str());
    Ok(Target {
        channel: channel.map_err(|why| bad(CHANNEL, why.to_string()))?,
        job_type: job_type.map_err(|why| bad(JOB_TYPE, why.to_string()))?,
    })
}

/// Unavailable rather than not found: a scheduler that starts has decided nothing yet.
fn unknown(target: &Target, posts: &Posts) -> Status {
    let known: Vec<_> = posts
        .keys()
        .take(MOST_NAMED)
        .map(ToString::to_string)
        .collect();
    Status::unavailable(format!(
        "there is no decision on {target}: is it in the scheduler's configuration under [scaling]? There are: {}",
        if known.is_empty() {
            "none yet".to_owned()
        } else {
            known.join(", ")
        }
    ))
}
