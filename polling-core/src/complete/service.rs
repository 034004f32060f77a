use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::future::BoxFuture;
use tower::Service;
use tracing::Instrument;

use super::{CompleteLayer, outcome};
use crate::{
    CompleteError, Completion, Job, Observation, PublishError, model::KillPoint,
    publish::Published, spans,
};

/// Turns what the service within brought, or the API error that it failed with, into a completion
/// and stores it on the completed queue.
///
/// A bug or an event that was not delivered is not completed: the job's message must come again.
#[derive(Clone)]
pub struct Complete<S> {
    inner: S,
    layer: Arc<CompleteLayer>,
}

impl<S> Complete<S> {
    pub(super) fn new(inner: S, layer: Arc<CompleteLayer>) -> Self {
        Self { inner, layer }
    }
}

impl<S> Service<Job> for Complete<S>
where
    S: Service<Job, Response = Published>,
    S::Error: Into<PublishError>,
    S::Future: Send + 'static,
{
    type Response = Completion;
    type Error = CompleteError;
    type Future = BoxFuture<'static, Result<Self::Response, CompleteError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), CompleteError>> {
        self.inner
            .poll_ready(cx)
            .map_err(|error| not_ready(error.into()))
    }

    fn call(&mut self, job: Job) -> Self::Future {
        let layer = Arc::clone(&self.layer);
        let publishing = self.inner.call(job.clone());
        Box::pin(async move {
            let result = publishing.await.map_err(Into::into);
            let completion = layer.completion(&job, result)?;
            let storing = layer.store(&job, &completion).instrument(spans::complete());
            storing.await.inspect_err(|_| spans::bug("completion"))?;
            KillPoint::WorkerCompleted.hit();
            Ok(completion)
        })
    }
}

impl CompleteLayer {
    /// Decides what is completed and what is not.
    fn completion(
        &self,
        job: &Job,
        result: Result<Published, PublishError>,
    ) -> Result<Completion, CompleteError> {
        let finished_ms = self.clock.now_ms();
        let completion = match result {
            Ok(published) => outcome::of_published(job, published, finished_ms),
            Err(PublishError::Poll(error)) => outcome::of_error(job, &error, finished_ms),
            Err(PublishError::Bus(error)) => {
                self.count_bug(job, "publish");
                return Err(error.into());
            }
            Err(PublishError::Bug(bug)) => {
                self.count_bug(job, bug.kind().as_str());
                return Err(bug.into());
            }
        };
        spans::completed(job, &completion);
        Ok(completion)
    }

    fn count_bug(&self, job: &Job, kind: &'static str) {
        spans::bug(kind);
        self.observer.observe(Observation::Bug {
            job_type: &job.job_type,
            kind,
        });
    }
}

/// Before there is a job, even an API error can complete nothing.
fn not_ready(error: PublishError) -> CompleteError {
    match error {
        PublishError::Bus(error) => error.into(),
        PublishError::Bug(bug) => bug.into(),
        PublishError::Poll(error) => crate::error::Bug::middleware(error.into()).into(),
    }
}

impl<S> fmt::Debug for Complete<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Complete").finish_non_exhaustive()
    }
}
