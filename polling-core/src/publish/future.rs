use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use futures_util::future::BoxFuture;
use pin_project_lite::pin_project;
use tracing::Instrument;

use super::{PublishLayer, Published};
use crate::{BusError, Job, Polled, PublishError, model::KillPoint, spans};

pin_project! {
    /// The future of [`Publish`](super::Publish).
    pub struct ResponseFuture<F> {
        #[pin]
        step: Step<F>,
        layer: Arc<PublishLayer>,
        job: Job,
    }
}

pin_project! {
    #[project = StepNow]
    enum Step<F> {
        Polling { #[pin] poll: F },
        Publishing { publish: BoxFuture<'static, Result<Published, BusError>> },
    }
}

impl<F> ResponseFuture<F> {
    pub(super) fn new(layer: Arc<PublishLayer>, job: Job, poll: F) -> Self {
        Self {
            step: Step::Polling { poll },
            layer,
            job,
        }
    }
}

impl<F, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Polled, E>>,
    E: Into<PublishError>,
{
    type Output = Result<Published, PublishError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let StepNow::Polling { poll } = this.step.as_mut().project() {
            let polled = ready!(poll.poll(cx)).map_err(Into::into)?;
            KillPoint::WorkerPolled.hit();
            // Most polls find nothing: then nothing has to be waited for.
            if polled.events.is_empty() {
                KillPoint::WorkerPublished.hit();
                return Poll::Ready(Ok(Published::without_events(polled)));
            }
            let (layer, job) = (Arc::clone(this.layer), this.job.clone());
            let span = spans::publish(polled.events.len());
            let publish = async move { layer.publish(&job, polled).await };
            let publish = Box::pin(publish.instrument(span));
            this.step.set(Step::Publishing { publish });
        }
        let StepNow::Publishing { publish } = this.step.project() else {
            unreachable!("a poll that ended is being published");
        };
        let published = ready!(publish.as_mut().poll(cx))?;
        KillPoint::WorkerPublished.hit();
        Poll::Ready(Ok(published))
    }
}

impl<F> fmt::Debug for ResponseFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture")
            .field("job", &self.job)
            .finish_non_exhaustive()
    }
}
