//! Calls to queues.

use std::{future::Future, time::Duration};

use async_trait::async_trait;

use super::Metered;
use crate::{EntryError, Message, Outgoing, Queue, QueueError, QueueStats, Receipt};

const PORT: &str = "queue";

impl<S: Queue + ?Sized> Metered<S> {
    async fn on_queue<T>(
        &self,
        operation: &'static str,
        call: impl Future<Output = Result<T, QueueError>>,
    ) -> Result<T, QueueError> {
        let kind = |result: &Result<T, QueueError>| Some(result.as_ref().err()?.kind.as_str());
        self.call(PORT, operation, call, kind).await
    }
}

/// A batch with several failures is reported with the first.
#[async_trait]
impl<S: Queue + ?Sized> Queue for Metered<S> {
    fn name(&self) -> &str {
        self.get_ref().name()
    }

    fn visibility_timeout(&self) -> Duration {
        self.get_ref().visibility_timeout()
    }

    async fn receive(&self, max: usize, wait: Duration) -> Result<Vec<Message>, QueueError> {
        let call = self.get_ref().receive(max, wait);
        self.on_queue("receive", call).await
    }

    async fn send_all(&self, messages: Vec<Outgoing>) -> Vec<Result<(), EntryError>> {
        let call = self.get_ref().send_all(messages);
        let first = |sent: &Vec<Result<(), EntryError>>| {
            let mut failed = sent.iter().filter_map(|entry| entry.as_ref().err());
            failed.next().map(EntryError::kind)
        };
        self.call(PORT, "send", call, first).await
    }

    async fn ack(&self, receipt: &Receipt) -> Result<(), QueueError> {
        let call = self.get_ref().ack(receipt);
        self.on_queue("ack", call).await
    }

    async fn ack_all(&self, receipts: &[Receipt]) -> Vec<Result<(), QueueError>> {
        let call = self.get_ref().ack_all(receipts);
        let first = |acked: &Vec<Result<(), QueueError>>| {
            let mut failed = acked.iter().filter_map(|entry| entry.as_ref().err());
            failed.next().map(|error| error.kind.as_str())
        };
        self.call(PORT, "ack_all", call, first).await
    }

    async fn extend(&self, receipt: &Receipt, visibility: Duration) -> Result<(), QueueError> {
        let call = self.get_ref().extend(receipt, visibility);
        self.on_queue("extend", call).await
    }

    async fn release(&self, receipt: &Receipt) -> Result<(), QueueError> {
        let call = self.get_ref().release(receipt);
        self.on_queue("release", call).await
    }

    async fn stats(&self) -> Result<QueueStats, QueueError> {
        self.on_queue("stats", self.get_ref().stats()).await
    }
}
