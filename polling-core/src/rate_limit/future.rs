use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use futures_util::future::BoxFuture;
use pin_project_lite::pin_project;

use super::RateLimitLayer;
use crate::{CallError, Job, Polled};

pin_project! {
    /// The future of [`RateLimit`](super::RateLimit).
    pub struct ResponseFuture<F> {
        #[pin]
        call: Call<F>,
        layer: Arc<RateLimitLayer>,
        job: Job,
    }
}

pin_project! {
    #[project = CallNow]
    enum Call<F> {
        AtOnce { #[pin] call: F },
        Later { call: BoxFuture<'static, Result<Polled, CallError>> },
    }
}

impl<F> ResponseFuture<F> {
    pub(super) fn at_once(layer: Arc<RateLimitLayer>, job: Job, call: F) -> Self {
        let call = Call::AtOnce { call };
        Self { call, layer, job }
    }

    pub(super) fn later(
        layer: Arc<RateLimitLayer>,
        job: Job,
        call: BoxFuture<'static, Result<Polled, CallError>>,
    ) -> Self {
        let call = Call::Later { call };
        Self { call, layer, job }
    }
}

impl<F, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Polled, E>>,
    E: Into<CallError>,
{
    type Output = Result<Polled, CallError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = match this.call.project() {
            CallNow::AtOnce { call } => ready!(call.poll(cx)).map_err(Into::into),
            CallNow::Later { call } => ready!(call.as_mut().poll(cx)),
        };
        this.layer.note_result(this.job, &result);
        Poll::Ready(result)
    }
}

impl<F> fmt::Debug for ResponseFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture")
            .field("job", &self.job)
            .finish_non_exhaustive()
    }
}
