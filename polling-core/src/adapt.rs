//! The seam between the SDK's layers and the user's.

use std::task::{Context, Poll};

use futures_util::{TryFutureExt, future::MapErr};
use tower::{
    Layer, Service,
    util::{Oneshot, ServiceExt},
};

use crate::{BoxError, CallError, Job, Polled};

/// Puts [`Adapt`] around a service.
#[derive(Debug, Clone, Copy, Default)]
pub struct AdaptLayer;

/// Makes any service over jobs one that is always ready, and its errors [`CallError`]s.
///
/// A user's layer may well not be ready: a limit of concurrency, a buffer. Readiness is awaited
/// within the job's future, on the clone that is then called: so an idle worker holds none, and
/// the wait counts against the poll's deadline.
#[derive(Debug, Clone)]
pub struct Adapt<S> {
    inner: S,
}

impl<S> Adapt<S> {
    /// Adapts `inner`.
    pub fn new(inner: S) -> Self {
        Self { inner }
    }
}

impl<S> Layer<S> for AdaptLayer {
    type Service = Adapt<S>;

    fn layer(&self, inner: S) -> Adapt<S> {
        Adapt::new(inner)
    }
}

impl<S> Service<Job> for Adapt<S>
where
    S: Service<Job, Response = Polled> + Clone,
    S::Error: Into<BoxError>,
{
    type Response = Polled;
    type Error = CallError;
    type Future = MapErr<Oneshot<S, Job>, fn(S::Error) -> CallError>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), CallError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, job: Job) -> Self::Future {
        let looked_through: fn(S::Error) -> CallError = |error| CallError::from_boxed(error.into());
        self.inner.clone().oneshot(job).map_err(looked_through)
    }
}
