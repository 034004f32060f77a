use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use polling_model::{EventEnvelope, Topic};
use polling_transport::{BusError, Deliveries, EventBus, memory::MemoryBus};

use crate::cycle::oracle::Oracle;

/// A bus whose consumer is the oracle.
#[derive(Debug)]
pub(crate) struct WatchedBus {
    inner: MemoryBus,
    oracle: Arc<Oracle>,
}

impl WatchedBus {
    pub(crate) fn new(oracle: Arc<Oracle>) -> Self {
        Self {
            inner: MemoryBus::new(),
            oracle,
        }
    }

    fn consume(&self) {
        for event in self.inner.drain().into_values().flatten() {
            // The payload of a simulated event is its number.
            let number = std::str::from_utf8(&event.payload)
                .ok()
                .and_then(|text| text.parse().ok());
            let number =
                number.expect("only the simulated channel publishes, and it writes numbers");
            self.oracle.delivered(&event.key, number);
            self.oracle
                .trace
                .line(|| format!("bus: event {number} of {}", event.key));
        }
    }
}

#[async_trait]
impl EventBus for WatchedBus {
    async fn publish(&self, batch: Vec<EventEnvelope>) -> Deliveries {
        let deliveries = self.inner.publish(batch).await;
        self.consume();
        deliveries
    }

    async fn flush(&self, deadline: Duration) -> Result<(), BusError> {
        self.inner.flush(deadline).await
    }

    async fn check_topic(&self, topic: &Topic) -> Result<(), BusError> {
        self.inner.check_topic(topic).await
    }
}
