use std::{
    fmt,
    task::{Context, Poll},
};

use futures_util::future::BoxFuture;
use tokio::time::{Instant, timeout_at};
use tower::Service;

use super::{PublishLayer, Published, batch::Batch};
use crate::{
    BusError, Job, Observation, Polled, PublishError, caps, model::KillPoint,
    transport::BusErrorKind,
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
    layer: PublishLayer,
}

impl<S> Publish<S> {
    pub(super) fn new(inner: S, layer: PublishLayer) -> Self {
        Self { inner, layer }
    }
}

impl<S> Service<Job> for Publish<S>
where
    S: Service<Job, Response = Polled>,
    S::Error: Into<PublishError>,
    S::Future: Send + 'static,
{
    type Response = Published;
    type Error = PublishError;
    type Future = BoxFuture<'static, Result<Published, PublishError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), PublishError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, job: Job) -> Self::Future {
        let layer = self.layer.clone();
        let polling = self.inner.call(job.clone());
        Box::pin(async move {
            let polled = polling.await.map_err(Into::into)?;
            KillPoint::WorkerPolled.hit();
            let published = layer.publish(&job, polled).await;
            layer.gate.published(&published);
            let published = published?;
            KillPoint::WorkerPublished.hit();
            Ok(published)
        })
    }
}

impl PublishLayer {
    async fn publish(&self, job: &Job, polled: Polled) -> Result<Published, BusError> {
        let latest = Instant::now() + self.limits.timeout;
        // A job that expired while it was polled is past any deadline; `timeout_at` then still
        // lets through what the bus takes at once.
        let deadline = job
            .expires()
            .checked_sub(self.limits.reserve)
            .map_or_else(Instant::now, |expires| expires.min(latest));
        let mut batch = Batch::new(&self.bus, &self.throttle, job, polled.events);
        let delivered = timeout_at(deadline, batch.deliver()).await;
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
            context: polled.context,
            allowances: polled.allowances,
            saturated: polled.saturated,
            stopped: polled.stopped,
            calls: polled.calls,
            refused: batch.refused,
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
