use std::{
    fmt, mem,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::future::BoxFuture;
use tokio::time::{Instant, sleep};
use tower::Service;

use super::{RateLimitLayer, refused};
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
    layer: RateLimitLayer,
}

impl<S> RateLimit<S> {
    pub(super) fn new(inner: S, layer: RateLimitLayer) -> Self {
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
    type Future = BoxFuture<'static, Result<Polled, CallError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), CallError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, job: Job) -> Self::Future {
        // The call comes after a wait, so the service moves into the future: the one that is
        // ready, while its clone stays behind.
        let clone = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, clone);
        let layer = self.layer.clone();
        Box::pin(async move {
            layer.admit(&job).await?;
            let result = inner.call(job.clone()).await.map_err(Into::into);
            match &result {
                Ok(polled) => {
                    layer.note(&job, &polled.allowances);
                    let stopped = polled.stopped.as_ref();
                    layer.note(&job, stopped.map_or(&[], PollError::allowances));
                }
                Err(CallError::Poll(error)) => layer.note(&job, error.allowances()),
                Err(CallError::Bug(_)) => {}
            }
            result
        })
    }
}

impl RateLimitLayer {
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
