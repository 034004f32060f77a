//! Calls to event buses.

use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt as _;
use polling_model::{EventEnvelope, Topic};

use super::Metered;
use crate::{BusError, Deliveries, EventBus};

const PORT: &str = "bus";

/// `publish` is the time until the bus has taken a batch, `deliver` the time from then to its reports; a batch with
/// several failures is reported with the first. Deliveries that nobody awaits are not reported.
#[async_trait]
impl<S: EventBus + ?Sized + 'static> EventBus for Metered<S> {
    async fn publish(&self, batch: Vec<EventEnvelope>) -> Deliveries {
        let call = self.get_ref().publish(batch);
        let deliveries = self.call(PORT, "publish", call, |_| None).await;
        let metered = self.clone();
        let first = |reports: &Vec<Result<(), BusError>>| {
            let mut failed = reports.iter().filter_map(|report| report.as_ref().err());
            failed.next().map(|error| error.kind.as_str())
        };
        async move { metered.call(PORT, "deliver", deliveries, first).await }.boxed()
    }

    async fn flush(&self, deadline: Duration) -> Result<(), BusError> {
        self.call(PORT, "flush", self.get_ref().flush(deadline), kind)
            .await
    }

    async fn check_topic(&self, topic: &Topic) -> Result<(), BusError> {
        self.call(PORT, "check_topic", self.get_ref().check_topic(topic), kind)
            .await
    }
}

fn kind(result: &Result<(), BusError>) -> Option<&'static str> {
    Some(result.as_ref().err()?.kind.as_str())
}
