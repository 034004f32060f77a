use std::{
    fmt, mem,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{Instant, sleep};
use tower::Service;

use super::{RateLimitLayer, future::ResponseFuture, refused};
use crate::{CallError, Job, PollError, Polled};

/// Paces the calls of the service within by scope, waits for windows that the channel said are
/// used up, and notes what the channel says next, whether the poll passed or failed.
///
/// A wait that would be too long fails as [`RateLimited`](crate::ErrorClass::RateLimited) with the
/// code `paced`, which uses up no attempt of the job: so a throttle never holds all permits, and
/// never sends a healthy job to the dead-letter queue.
#[derive(Clone)]
pub struct RateLimit<S> {
    inner: S,
    layer: Arc<RateLimitLayer>,
}

impl<S> RateLimit<S> {
    pub(super) fn new(inner: S, layer: Arc<RateLimitLayer>) -> Self {
        Self { inner, layer }
    }
}

impl<S> Service<Job> for RateLimit<S>
where
    S: Service<Job, Response = Polled> + Clone + Send + 'static,
    S::Error: Into<CallError>,
    S::Future: Send,
{
    type Response = Polled;
    type Error = CallError;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), CallError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, job: Job) -> Self::Future {
        let layer = Arc::clone(&self.layer);
        if layer.admits_at_once(&job) {
            let call = self.inner.call(job.clone());
            return ResponseFuture::at_once(layer, job, call);
        }
        // The call comes after a wait, so the service moves into the future: the one that is
        // ready, while its clone stays behind.
        let clone = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, clone);
        let (limits, waiting) = (Arc::clone(&layer), job.clone());
        let call = async move {
            limits.admit(&waiting).await?;
            inner.call(waiting).await.map_err(Into::into)
        };
        ResponseFuture::later(layer, job, Box::pin(call))
    }
}

impl RateLimitLayer {
    /// Whether nothing paces the job's call and nothing that it counts in is used up.
    fn admits_at_once(&self, job: &Job) -> bool {
        self.pacers.is_empty() && self.used_up(job).is_zero()
    }

    /// Waits until the job may call, or fails when that would take too long.
    async fn admit(&self, job: &Job) -> Result<(), PollError> {
        let latest = Instant::now() + self.longest_wait;
        // Windows first: a call that they refuse takes nothing from a pace.
        self.wait(self.used_up(job), latest).await?;
        for pacer in &self.pacers {
            while let Err(pause) = pacer.pass(job, &self.replicas) {
                self.wait(pause, latest).await?;
            }
        }
        // While this call was paced, another may have used up the window.
        self.wait(self.used_up(job), latest).await
    }

    async fn wait(&self, pause: Duration, latest: Instant) -> Result<(), PollError> {
        if pause.is_zero() {
            return Ok(());
        }
        if pause > latest.saturating_duration_since(Instant::now()) {
            return Err(refused(pause));
        }
        sleep(pause).await;
        Ok(())
    }
}

impl<S> fmt::Debug for RateLimit<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimit").finish_non_exhaustive()
    }
}
