use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use polling_transport::{
    EntryError, Message, Outgoing, Queue, QueueError, QueueErrorKind, QueueStats, Receipt,
};
use tokio::time::sleep;

use super::{Faulty, LATEST_COPY, below};
use crate::cycle::faults::Fault;

/// Most bodies kept for delivery after delete; older ones make room.
const MAX_RECEIVED: usize = 1_000;

/// The bodies of received messages by receipt.
#[derive(Debug, Default)]
pub(super) struct Received(Mutex<BTreeMap<String, String>>);

impl Received {
    fn note(&self, messages: &[Message]) {
        let mut bodies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for message in messages {
            bodies.insert(message.receipt.0.clone(), message.body.clone());
        }
        while bodies.len() > MAX_RECEIVED {
            bodies.pop_first();
        }
    }

    fn forget(&self, receipt: &Receipt) -> Option<String> {
        let mut bodies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        bodies.remove(&receipt.0)
    }
}

#[async_trait]
impl<Q: Queue + 'static> Queue for Faulty<Q> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn visibility_timeout(&self) -> Duration {
        self.inner.visibility_timeout()
    }

    async fn receive(&self, max: usize, wait: Duration) -> Result<Vec<Message>, QueueError> {
        self.side("receive").await;
        if self.draw("receive", &[Fault::QueueRefused]).is_some() {
            return Err(self.error("receive", QueueErrorKind::Unavailable));
        }
        let mut messages = self.inner.receive(max, wait).await?;
        if messages.is_empty() {
            self.process.pass().await;
            return Ok(messages);
        }
        let among = [
            Fault::QueueLostReply,
            Fault::PartialBatch,
            Fault::Reordering,
        ];
        match self.draw("receive", &among) {
            Some(Fault::QueueLostReply) => {
                return Err(self.error("receive", QueueErrorKind::Timeout));
            }
            Some(Fault::PartialBatch) => messages = self.some(messages).0,
            Some(_) => self.shuffle(&mut messages),
            None => {}
        }
        self.received.note(&messages);
        self.side("receive").await;
        Ok(messages)
    }

    async fn send_all(&self, messages: Vec<Outgoing>) -> Vec<Result<(), EntryError>> {
        self.side("send").await;
        let among = [
            Fault::QueueRefused,
            Fault::QueueLostReply,
            Fault::PartialBatch,
            Fault::Duplicate,
            Fault::Reordering,
        ];
        let answers = match self.draw("send", &among) {
            Some(Fault::QueueRefused) => messages.iter().map(|_| unknown()).collect(),
            Some(Fault::QueueLostReply) => {
                let answers = self.inner.send_all(messages).await;
                answers.iter().map(|_| unknown()).collect()
            }
            Some(Fault::PartialBatch) => self.send_some(messages).await,
            Some(Fault::Duplicate) => {
                self.send_again_later(self.one(&messages));
                self.inner.send_all(messages).await
            }
            Some(_) => self.send_shuffled(messages).await,
            None => self.inner.send_all(messages).await,
        };
        self.side("send").await;
        answers
    }

    async fn ack(&self, receipt: &Receipt) -> Result<(), QueueError> {
        self.side("ack").await;
        let body = self.received.forget(receipt);
        let among = [
            Fault::QueueRefused,
            Fault::QueueLostReply,
            Fault::StaleReceipt,
            Fault::DeliveryAfterDelete,
        ];
        let acked = match self.draw("ack", &among) {
            Some(Fault::QueueRefused) => Err(self.error("ack", QueueErrorKind::Unavailable)),
            Some(Fault::QueueLostReply) => {
                self.inner.ack(receipt).await?;
                Err(self.error("ack", QueueErrorKind::Timeout))
            }
            // As SQS does: it reports success and deletes nothing.
            Some(Fault::StaleReceipt) => Ok(()),
            Some(_) => {
                self.send_again_later(body.map(Outgoing::from));
                self.inner.ack(receipt).await
            }
            None => self.inner.ack(receipt).await,
        };
        self.side("ack").await;
        acked
    }

    async fn extend(&self, receipt: &Receipt, visibility: Duration) -> Result<(), QueueError> {
        self.side("extend").await;
        let among = [
            Fault::QueueRefused,
            Fault::QueueLostReply,
            Fault::StaleReceipt,
        ];
        let extended = match self.draw("extend", &among) {
            Some(Fault::QueueRefused) => Err(self.error("extend", QueueErrorKind::Unavailable)),
            Some(Fault::QueueLostReply) => {
                self.inner.extend(receipt, visibility).await?;
                Err(self.error("extend", QueueErrorKind::Timeout))
            }
            Some(_) => Err(self.error("extend", QueueErrorKind::StaleReceipt)),
            None => self.inner.extend(receipt, visibility).await,
        };
        self.side("extend").await;
        extended
    }

    async fn stats(&self) -> Result<QueueStats, QueueError> {
        self.inner.stats().await
    }
}

impl<Q: Queue + 'static> Faulty<Q> {
    fn error(&self, operation: &'static str, kind: QueueErrorKind) -> QueueError {
        QueueError {
            queue: self.inner.name().to_owned(),
            operation,
            kind,
            source: None,
        }
    }

    /// Sends each with a chance of one half; of what is not sent, and of some that is, the outcome
    /// is unknown.
    async fn send_some(&self, messages: Vec<Outgoing>) -> Vec<Result<(), EntryError>> {
        let mut answers = Vec::with_capacity(messages.len());
        for message in messages {
            if self.faults.toss() {
                answers.push(unknown());
                continue;
            }
            let sent = self.inner.send_all(vec![message]).await;
            answers.extend(sent.into_iter().map(|answer| {
                if self.faults.toss() {
                    answer
                } else {
                    unknown()
                }
            }));
        }
        answers
    }

    /// Sends all in another order, and answers in theirs.
    async fn send_shuffled(&self, messages: Vec<Outgoing>) -> Vec<Result<(), EntryError>> {
        let mut numbered: Vec<_> = messages.into_iter().enumerate().collect();
        self.shuffle(&mut numbered);
        let (order, messages): (Vec<_>, Vec<_>) = numbered.into_iter().unzip();
        let mut answers: Vec<_> = order
            .into_iter()
            .zip(self.inner.send_all(messages).await)
            .collect();
        answers.sort_by_key(|(at, _)| *at);
        answers.into_iter().map(|(_, answer)| answer).collect()
    }

    /// The network has a copy, and delivers it whatever becomes of the process.
    fn send_again_later(&self, message: Option<Outgoing>) {
        let Some(message) = message else {
            return;
        };
        let (queue, wait) = (Arc::clone(&self.inner), below(&self.faults, LATEST_COPY));
        tokio::spawn(async move {
            sleep(wait).await;
            queue.send_all(vec![message]).await;
        });
    }
}

fn unknown() -> Result<(), EntryError> {
    Err(EntryError::Unknown {
        reason: "no answer".to_owned(),
    })
}
