//! Ports that do next to nothing: what is measured over them is all ours.

use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::FutureExt as _;
use polling_model::{EventEnvelope, Topic};
use polling_transport::{
    BusError, Deliveries, EntryError, EventBus, Message, Outgoing, Queue, QueueError, QueueStats,
    Receipt,
};

/// Takes everything, and has nothing.
#[derive(Debug)]
pub(crate) struct IdleQueue;

#[async_trait]
impl Queue for IdleQueue {
    fn name(&self) -> &'static str {
        "idle"
    }

    fn visibility_timeout(&self) -> Duration {
        Duration::from_secs(60)
    }

    async fn receive(&self, _max: usize, _wait: Duration) -> Result<Vec<Message>, QueueError> {
        Ok(Vec::new())
    }

    async fn send_all(&self, messages: Vec<Outgoing>) -> Vec<Result<(), EntryError>> {
        messages.iter().map(|_| Ok(())).collect()
    }

    async fn ack(&self, _receipt: &Receipt) -> Result<(), QueueError> {
        Ok(())
    }

    async fn extend(&self, _receipt: &Receipt, _visibility: Duration) -> Result<(), QueueError> {
        Ok(())
    }

    async fn stats(&self) -> Result<QueueStats, QueueError> {
        Ok(QueueStats::default())
    }
}

/// Delivers everything at once.
#[derive(Debug)]
pub(crate) struct IdleBus;

#[async_trait]
impl EventBus for IdleBus {
    async fn publish(&self, batch: Vec<EventEnvelope>) -> Deliveries {
        let delivered = batch.iter().map(|_| Ok(())).collect();
        futures_util::future::ready(delivered).boxed()
    }

    async fn flush(&self, _deadline: Duration) -> Result<(), BusError> {
        Ok(())
    }

    async fn check_topic(&self, _topic: &Topic) -> Result<(), BusError> {
        Ok(())
    }
}
