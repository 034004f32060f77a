use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use polling_model::{EventEnvelope, Topic};
use polling_transport::{BusError, BusErrorKind, Deliveries, EventBus};
use tokio::time::sleep;

use super::{Faulty, LATEST_COPY, below};
use crate::cycle::faults::Fault;

/// Longest delivery of a slow bus.
const SLOWEST: Duration = Duration::from_secs(60);

#[async_trait]
impl<B: EventBus + 'static> EventBus for Faulty<B> {
    async fn publish(&self, batch: Vec<EventEnvelope>) -> Deliveries {
        self.side("publish").await;
        let among = [
            Fault::BusFailed,
            Fault::BusLostReply,
            Fault::BusSlow,
            Fault::Duplicate,
        ];
        let deliveries = match self.draw("publish", &among) {
            Some(Fault::BusFailed) => self.publish_some(batch).await,
            Some(Fault::BusLostReply) => self.doubted(self.inner.publish(batch).await.await),
            Some(Fault::BusSlow) if self.faults.toss() => {
                self.sleep_below(SLOWEST).await;
                self.inner.publish(batch).await
            }
            Some(Fault::BusSlow) => {
                let deliveries = self.inner.publish(batch).await;
                let wait = below(&self.faults, SLOWEST);
                Box::pin(async move {
                    sleep(wait).await;
                    deliveries.await
                })
            }
            Some(_) => {
                self.publish_again_later(batch.clone());
                self.inner.publish(batch).await
            }
            None => self.inner.publish(batch).await,
        };
        self.side("publish").await;
        deliveries
    }

    async fn flush(&self, deadline: Duration) -> Result<(), BusError> {
        self.side("flush").await;
        self.inner.flush(deadline).await
    }

    async fn check_topic(&self, topic: &Topic) -> Result<(), BusError> {
        self.inner.check_topic(topic).await
    }
}

impl<B: EventBus + 'static> Faulty<B> {
    /// Each event is delivered with a chance of one half; the others leave gaps.
    async fn publish_some(&self, batch: Vec<EventEnvelope>) -> Deliveries {
        let mut reports = Vec::with_capacity(batch.len());
        for event in batch {
            if self.faults.toss() {
                let kind = BusErrorKind::Unreachable;
                reports.push(Err(BusError::new(event.topic, kind)));
            } else {
                reports.extend(self.inner.publish(vec![event]).await.await);
            }
        }
        Box::pin(async move { reports })
    }

    /// Delivered, but some are not known to be.
    fn doubted(&self, reports: Vec<Result<(), BusError>>) -> Deliveries {
        let topic = Topic::new("posts").expect("posts is a valid topic");
        let doubt = |report| {
            if self.faults.toss() {
                Err(BusError::new(topic.clone(), BusErrorKind::Timeout))
            } else {
                report
            }
        };
        let reports: Vec<_> = reports.into_iter().map(doubt).collect();
        Box::pin(async move { reports })
    }

    /// The client has a copy, and delivers it whatever becomes of the process.
    fn publish_again_later(&self, batch: Vec<EventEnvelope>) {
        let (bus, wait) = (Arc::clone(&self.inner), below(&self.faults, LATEST_COPY));
        tokio::spawn(async move {
            sleep(wait).await;
            drop(bus.publish(batch).await);
        });
    }
}
