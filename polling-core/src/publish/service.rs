use std::{
    fmt, mem,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::time::Instant;
use tower::Service;

use super::{PublishLayer, Published, batch::Batch, future::ResponseFuture};
use crate::{
    BusError, Job, Observation, Polled, PublishError, caps, deadline::by, transport::BusErrorKind,
};

/// Publishes what the poll within found, and answers once every event is delivered.
///
/// Events keep their order. While the bus is full or the throttle holds, it waits; its deadline
/// comes from the job's, and past it nothing is completed: the repeat publishes the same event
/// ids. An event that can never be published is reported in [`Published::refused`] and holds up
/// no other.
#[derive(Clone)]
pub struct Publish<S> {
    inner: S,
    layer: Arc<PublishLayer>,
}

impl<S> Publish<S> {
    pub(super) fn new(inner: S, layer: Arc<PublishLayer>) -> Self {
        Self { inner, layer }
    }
}

impl<S> Service<Job> for Publish<S>
where
    S: Service<Job, Response = Polled>,
    S::Error: Into<PublishError>,
{
    type Response = Published;
    type Error = PublishError;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), PublishError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, job: Job) -> Self::Future {
        let layer = Arc::clone(&self.layer);
        ResponseFuture::new(layer, job.clone(), self.inner.call(job))
    }
}

impl PublishLayer {
    pub(super) async fn publish(&self, job: &Job, polled: Polled) -> Result<Published, BusError> {
        let published = self.deliver(job, polled).await;
        self.gate.published(&published);
        published
    }

    async fn deliver(&self, job: &Job, mut polled: Polled) -> Result<Published, BusError> {
        let latest = Instant::now() + self.limits.timeout;
        // A job that expired while it was polled is past any deadline, which then still
        // lets through what the bus takes at once.
        let deadline = job
            .expires()
            .checked_sub(self.limits.reserve)
            .map_or_else(Instant::now, |expires| expires.min(latest));
        let events = mem::take(&mut polled.events);
        let mut batch = Batch::new(&self.bus, &self.throttle, job, events);
        let delivered = by(|| deadline, batch.deliver()).await;
        if batch.waited >= caps::MIN_REPORTED_WAIT {
            self.observer.observe(Observation::PublishThrottled {
                waited: batch.waited,
            });
        }
        match (delivered, batch.topic()) {
            (Ok(delivered), _) => delivered?,
            (Err(_), Some(topic)) => return Err(past_deadline(topic.clone())),
            // Without events there was nothing to wait for.
            (Err(_), None) => {}
        }
        Ok(Published {
            events: batch.created_ms.len() as u64,
            created_ms: batch.created_ms,
            refused: batch.refused,
            ..Published::without_events(polled)
        })
    }
}

fn past_deadline(topic: crate::Topic) -> BusError {
    BusError {
        topic,
        kind: BusErrorKind::Timeout,
        source: None,
    }
}

impl<S> fmt::Debug for Publish<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publish").finish_non_exhaustive()
    }
}
