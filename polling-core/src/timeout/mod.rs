//! The poll's own deadline.

mod future;
mod watchdog;

use std::{
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::Instant;
use tower::{Layer, Service};

pub use self::future::ResponseFuture;
use self::watchdog::Watchdog;
use crate::{CallError, Job, Polled, SharedObserver, spans};

/// Puts [`Timeout`] around a service.
#[derive(Debug, Clone)]
pub struct TimeoutLayer {
    observer: SharedObserver,
    limit: Duration,
    watchdog: Watchdog,
}

impl TimeoutLayer {
    /// A poll may take `limit`. One that is still there `grace` later cannot be cancelled, because
    /// it blocks its thread: it is reported as hanging.
    #[must_use]
    pub fn new(observer: SharedObserver, limit: Duration, grace: Duration) -> Self {
        Self {
            watchdog: Watchdog::new(observer.clone(), grace),
            observer,
            limit,
        }
    }
}

impl<S> Layer<S> for TimeoutLayer {
    type Service = Timeout<S>;

    fn layer(&self, inner: S) -> Timeout<S> {
        Timeout {
            inner,
            layer: self.clone(),
        }
    }
}

/// Sets the job's deadline and drops the poll's future there: a transient
/// [`PollError`](crate::PollError) with the code `poll_timeout`. It reports each poll with its
/// duration.
#[derive(Debug, Clone)]
pub struct Timeout<S> {
    inner: S,
    layer: TimeoutLayer,
}

impl<S> Service<Job> for Timeout<S>
where
    S: Service<Job, Response = Polled>,
    S::Error: Into<CallError>,
{
    type Response = Polled;
    type Error = CallError;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), CallError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, job: Job) -> Self::Future {
        let now = Instant::now();
        let job = job.with_deadline(now + self.layer.limit);
        let watched = self.layer.watchdog.watch(&job);
        let (deadline, job_type) = (job.deadline(), job.job_type.clone());
        let span = spans::poll();
        let call = span.in_scope(|| self.inner.call(job));
        ResponseFuture::new(
            now,
            deadline,
            job_type,
            self.layer.observer.clone(),
            watched,
            span,
            call,
        )
    }
}
