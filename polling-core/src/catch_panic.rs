//! A panic of the poll becomes an error.

use std::{
    future::Future,
    panic::{self, AssertUnwindSafe},
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use tower::{Layer, Service};

use crate::{Job, PublishError, error::Bug};

/// Puts [`CatchPanic`] around a service.
#[derive(Debug, Clone, Copy, Default)]
pub struct CatchPanicLayer;

impl<S> Layer<S> for CatchPanicLayer {
    type Service = CatchPanic<S>;

    fn layer(&self, inner: S) -> CatchPanic<S> {
        CatchPanic { inner }
    }
}

/// Turns a panic of the service within into a [`Bug`], so that it costs one job and not the
/// worker. The service within must not be in a bad state after a panic; the user's is a clone
/// per job, and thrown away with it.
#[derive(Debug, Clone)]
pub struct CatchPanic<S> {
    inner: S,
}

impl<S> Service<Job> for CatchPanic<S>
where
    S: Service<Job>,
    S::Error: Into<PublishError>,
{
    type Response = S::Response;
    type Error = PublishError;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), PublishError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, job: Job) -> Self::Future {
        let called = panic::catch_unwind(AssertUnwindSafe(|| self.inner.call(job)));
        ResponseFuture { inner: called.ok() }
    }
}

pin_project! {
    /// The future of [`CatchPanic`].
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        // `None` after a panic.
        #[pin]
        inner: Option<F>,
    }
}

impl<F, T, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<T, E>>,
    E: Into<PublishError>,
{
    type Output = Result<T, PublishError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut inner = self.project().inner;
        let Some(running) = inner.as_mut().as_pin_mut() else {
            return Poll::Ready(Err(Bug::panic().into()));
        };
        match panic::catch_unwind(AssertUnwindSafe(|| running.poll(cx))) {
            Ok(polled) => Poll::Ready(ready!(polled).map_err(Into::into)),
            Err(_) => {
                // What panicked once must not be polled again.
                inner.set(None);
                Poll::Ready(Err(Bug::panic().into()))
            }
        }
    }
}
