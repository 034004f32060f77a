//! What a channel author writes.

use std::{
    fmt,
    future::Future,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::future::BoxFuture;
use tower::Service;

use crate::{Job, PollError, Polled};

/// Calls a channel's API for one job. Everything else, from receiving the job to acknowledging
/// it, is the worker's.
///
/// ```
/// use polling_core::{Context, Job, PollError, Polled, Poller};
///
/// struct Mastodon {
///     server: String,
/// }
///
/// impl Poller for Mastodon {
///     async fn poll(&self, job: Job) -> Result<Polled, PollError> {
///         let since_id = job.context.get_i64("since_id").unwrap_or(0);
///         // ... ask self.server for what is newer than since_id, within job.remaining() ...
///         Ok(Polled::new(Context::from_iter([("since_id", since_id.into())])))
///     }
/// }
/// ```
///
/// The future is dropped at [`Job::deadline`], and at shutdown once the grace is over; it must
/// leave nothing half done that a later poll could not repeat. It must not block its thread.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a `Poller`",
    label = "expected a type that implements `Poller`",
    note = "implement `Poller` with `async fn poll(&self, job: Job) -> Result<Polled, PollError>`",
    note = "or wrap a function: `poller_fn(|job| async move {{ Ok(Polled::new(job.context.clone())) }})`",
    note = "a Tower service goes to the builder's `.service(…)` instead"
)]
pub trait Poller: Send + Sync + 'static {
    /// Polls the job's endpoint once, for all that is new.
    fn poll(&self, job: Job) -> impl Future<Output = Result<Polled, PollError>> + Send;
}

impl<P: Poller> Poller for Arc<P> {
    fn poll(&self, job: Job) -> impl Future<Output = Result<Polled, PollError>> + Send {
        P::poll(self, job)
    }
}

/// A poller from an async function.
///
/// ```
/// use polling_core::{Polled, poller_fn};
///
/// let poller = poller_fn(|job| async move { Ok(Polled::new(job.context.clone())) });
/// ```
pub fn poller_fn<F, Fut>(poll: F) -> PollerFn<F>
where
    F: Fn(Job) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Polled, PollError>> + Send,
{
    PollerFn(poll)
}

/// The poller of [`poller_fn`].
#[derive(Clone, Copy)]
pub struct PollerFn<F>(F);

impl<F, Fut> Poller for PollerFn<F>
where
    F: Fn(Job) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Polled, PollError>> + Send,
{
    fn poll(&self, job: Job) -> impl Future<Output = Result<Polled, PollError>> + Send {
        (self.0)(job)
    }
}

impl<F> fmt::Debug for PollerFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PollerFn")
    }
}

/// A poller as a Tower service, for layers. Clones share the poller.
pub struct PollerService<P>(Arc<P>);

impl<P: Poller> PollerService<P> {
    /// The service of `poller`.
    #[must_use]
    pub fn new(poller: P) -> Self {
        Self(Arc::new(poller))
    }
}

impl<P: Poller> Service<Job> for PollerService<P> {
    type Response = Polled;
    type Error = PollError;
    // An `async fn` in a trait has no name to put here.
    type Future = BoxFuture<'static, Result<Polled, PollError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), PollError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, job: Job) -> Self::Future {
        let poller = Arc::clone(&self.0);
        Box::pin(async move { poller.poll(job).await })
    }
}

impl<P> Clone for PollerService<P> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<P> fmt::Debug for PollerService<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PollerService")
    }
}
