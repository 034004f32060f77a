use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};
use tracing::Span;

use super::watchdog::Watched;
use crate::{CallError, JobType, Observation, PollError, Polled, SharedObserver};

pin_project! {
    /// The future of [`Timeout`](super::Timeout).
    pub struct ResponseFuture<F> {
        #[pin]
        inner: F,
        deadline: Instant,
        // Only a poll that waits needs a timer, and room for one.
        timer: Option<Pin<Box<Sleep>>>,
        started: Instant,
        job_type: JobType,
        observer: SharedObserver,
        // `None` once the poll has ended.
        watched: Option<Watched>,
        yields: bool,
        span: Span,
    }
}

impl<F> ResponseFuture<F> {
    pub(super) fn new(
        started: Instant,
        deadline: Instant,
        job_type: JobType,
        observer: SharedObserver,
        watched: Watched,
        span: Span,
        inner: F,
    ) -> Self {
        Self {
            inner,
            span,
            deadline,
            timer: None,
            started,
            job_type,
            observer,
            // The watchdog's task may wait behind this one, on this very thread: it goes first, or it
            // could not see that the thread is blocked.
            yields: watched.is_news,
            watched: Some(watched),
        }
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
        if std::mem::take(this.yields) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        // The poll first: what it brings at the last moment is not thrown away.
        let polled = this.span.in_scope(|| this.inner.poll(cx));
        let result = if let Poll::Ready(result) = polled {
            result.map_err(Into::into)
        } else {
            let deadline = *this.deadline;
            let timer = this
                .timer
                .get_or_insert_with(|| Box::pin(sleep_until(deadline)));
            ready!(timer.as_mut().poll(cx));
            Err(timed_out().into())
        };
        *this.watched = None;
        let (events, error) = match &result {
            Ok(polled) => (polled.events.len(), polled.stopped.as_ref()),
            Err(CallError::Poll(error)) => (0, Some(error)),
            // Counted as a bug further out.
            Err(CallError::Bug(_)) => return Poll::Ready(result),
        };
        this.span.record("events", events);
        if let Some(error) = error {
            this.span.record("error", error.class().as_str());
        }
        this.observer.observe(Observation::Polled {
            job_type: this.job_type,
            error: error.map(PollError::class),
            events,
            elapsed: this.started.elapsed(),
        });
        Poll::Ready(result)
    }
}

fn timed_out() -> PollError {
    PollError::transient("the poll did not end by its deadline").with_code("poll_timeout")
}

impl<F> fmt::Debug for ResponseFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture")
            .field("job_type", &self.job_type)
            .finish_non_exhaustive()
    }
}
