//! A last bound on calls to queues, for adapters that have none of their own. Each step of a store
//! has its own.

use polling_transport::{
    EntryError, Message, Outgoing, QueueError, QueueErrorKind, Receipt, SharedQueue,
};
use tokio::time::timeout;

use super::Cycle;
use crate::limits::{QUEUE_DEADLINE, SETTLE_BATCH};

impl Cycle {
    /// Receives what is to be settled.
    pub(super) async fn receive(&self, queue: &SharedQueue) -> Result<Vec<Message>, QueueError> {
        let wait = self.channel.limits().receive_wait;
        let received = timeout(QUEUE_DEADLINE + wait, queue.receive(SETTLE_BATCH, wait)).await;
        received.unwrap_or_else(|_| Err(no_answer(queue, "receive")))
    }
}

/// Sends messages; past the deadline the outcome of all is unknown.
pub(super) async fn send(
    queue: &SharedQueue,
    messages: Vec<Outgoing>,
) -> Vec<Result<(), EntryError>> {
    let count = messages.len();
    let sent = timeout(QUEUE_DEADLINE, queue.send_all(messages)).await;
    let reason = || QueueErrorKind::Timeout.to_string();
    sent.unwrap_or_else(|_| vec![Err(EntryError::Unknown { reason: reason() }); count])
}

/// Deletes messages; past the deadline the outcome of all is unknown.
pub(super) async fn ack_all(
    queue: &SharedQueue,
    receipts: &[Receipt],
) -> Vec<Result<(), QueueError>> {
    let acked = timeout(QUEUE_DEADLINE, queue.ack_all(receipts)).await;
    let none = || receipts.iter().map(|_| Err(no_answer(queue, "ack")));
    acked.unwrap_or_else(|_| none().collect())
}

fn no_answer(queue: &SharedQueue, operation: &'static str) -> QueueError {
    QueueError {
        queue: queue.name().to_owned(),
        operation,
        kind: QueueErrorKind::Timeout,
        source: None,
    }
}
