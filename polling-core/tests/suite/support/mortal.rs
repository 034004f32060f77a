use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use polling_core::{
    Queue, QueueError, SharedQueue,
    transport::{EntryError, Message, Outgoing, QueueStats, Receipt},
};
use tokio::sync::Notify;

/// A process that can be killed: from then on none of its calls reaches a queue, so that nothing is
/// given back, whatever is dropped.
#[derive(Debug, Clone, Default)]
pub(crate) struct Process(Arc<State>);

#[derive(Debug, Default)]
struct State {
    dead: AtomicBool,
    died: Notify,
}

impl Process {
    /// Ends it at this very instruction: the caller goes no further either.
    pub(crate) async fn kill(&self) -> ! {
        self.0.dead.store(true, Ordering::Relaxed);
        self.0.died.notify_one();
        pending().await
    }

    /// Until it is killed.
    pub(crate) async fn died(&self) {
        self.0.died.notified().await;
    }

    /// `inner` as the process has it.
    pub(crate) fn queue(&self, inner: SharedQueue) -> SharedQueue {
        let process = self.clone();
        Arc::new(MortalQueue { inner, process })
    }

    async fn alive(&self) {
        if self.0.dead.load(Ordering::Relaxed) {
            pending::<()>().await;
        }
    }
}

#[derive(Debug)]
struct MortalQueue {
    inner: SharedQueue,
    process: Process,
}

#[async_trait]
impl Queue for MortalQueue {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn visibility_timeout(&self) -> Duration {
        self.inner.visibility_timeout()
    }

    async fn receive(&self, max: usize, wait: Duration) -> Result<Vec<Message>, QueueError> {
        self.process.alive().await;
        self.inner.receive(max, wait).await
    }

    async fn send_all(&self, messages: Vec<Outgoing>) -> Vec<Result<(), EntryError>> {
        self.process.alive().await;
        self.inner.send_all(messages).await
    }

    async fn ack(&self, receipt: &Receipt) -> Result<(), QueueError> {
        self.process.alive().await;
        self.inner.ack(receipt).await
    }

    async fn extend(&self, receipt: &Receipt, visibility: Duration) -> Result<(), QueueError> {
        self.process.alive().await;
        self.inner.extend(receipt, visibility).await
    }

    async fn stats(&self) -> Result<QueueStats, QueueError> {
        self.process.alive().await;
        self.inner.stats().await
    }
}
