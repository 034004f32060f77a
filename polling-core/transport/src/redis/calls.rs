//! The calls that carry a batch: a result per entry, in their order.

use std::sync::Arc;

use polling_model::KillPoint;
use redis::{Cmd, FromRedisValue, Pipeline};

use super::{
    answer::{Malformed, Read, Received},
    client::Client,
    error::fault,
    receipt::Delivery,
    scripts::{self, Step},
};
use crate::{
    fault::Fault,
    queue::{EntryError, Outgoing, QueueErrorKind},
};

/// A queue as its calls need it.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) client: Client,
    /// Of its settings.
    pub(super) key: Arc<str>,
    /// Of its stream.
    pub(super) messages: Arc<str>,
    pub(super) consumer: Arc<str>,
}

impl Target {
    pub(super) fn call(&self, step: &Step) -> Cmd {
        step.call(&self.key)
    }

    pub(super) async fn run<T: FromRedisValue>(
        &self,
        step: &Step,
        command: &Cmd,
    ) -> Result<T, Fault> {
        let link = self.client.link();
        let answer = link.eval(&step.script, command).await;
        answer.map_err(|error| fault(step, link, error))
    }

    pub(super) async fn receive(&self, max: usize) -> Result<Received, Fault> {
        let mut command = self.call(&scripts::RECEIVE);
        command.arg(&*self.consumer).arg(max);
        let answer = self.run(&scripts::RECEIVE, &command).await?;
        Received::of(answer).map_err(malformed)
    }

    /// New messages alone, without a script that would copy them: some 3 µs less of the server for
    /// each. A transaction, since it is its first part that says when they come back.
    pub(super) async fn read(&self, max: usize) -> Result<Read, Fault> {
        let mut transaction = Pipeline::with_capacity(4);
        let prepare = transaction.cmd("MULTI").cmd("EVAL");
        prepare.arg(&*scripts::BEFORE_READ).arg(1).arg(&*self.key);
        let read = transaction.cmd("XREADGROUP");
        read.arg("GROUP").arg("polling").arg(&*self.consumer);
        read.arg("COUNT").arg(max).arg("NOACK");
        read.arg("STREAMS").arg(&*self.messages).arg(">");
        transaction.cmd("EXEC");
        let link = self.client.link();
        let answer = link.query_all(&transaction).await;
        let answer = answer.map_err(|error| fault(&scripts::RECEIVE, link, error))?;
        Read::of(answer).map_err(malformed)
    }

    /// Lets one more of those look who wait, in other processes too.
    pub(super) async fn wake(self) {
        // Who waits looks again before long.
        let _: Result<(), Fault> = self.run(&scripts::WAKE, &self.call(&scripts::WAKE)).await;
    }

    pub(super) async fn send(self, messages: Vec<Outgoing>) -> Vec<Result<(), EntryError>> {
        let mut command = self.call(&scripts::SEND);
        let traced = messages.iter().any(|message| message.trace.is_some());
        command.arg(if traced { 2 } else { 1 });
        for message in &messages {
            command.arg(&message.body);
            let trace = message.trace.map(|trace| trace.to_traceparent());
            if traced {
                command.arg(trace.as_deref().unwrap_or_default());
            }
        }
        match self.run::<usize>(&scripts::SEND, &command).await {
            Ok(sent) => {
                KillPoint::QueueBatchSent.hit();
                let result = |n| if n < sent { Ok(()) } else { Err(full()) };
                (0..messages.len()).map(result).collect()
            }
            Err(fault) => vec![Err(fault.into_unknown_entry()); messages.len()],
        }
    }

    pub(super) async fn delete(self, deliveries: Vec<Delivery>) -> Vec<Result<(), Fault>> {
        let (once, again): (Vec<_>, Vec<_>) = deliveries.iter().partition(|one| one.receives == 1);
        let mut command = self.call(&scripts::ACK);
        command.arg(once.len());
        for delivery in once {
            command.arg(&delivery.id);
        }
        for delivery in again {
            command.arg(&delivery.id).arg(delivery.receives);
        }
        let deleted = self.run::<()>(&scripts::ACK, &command).await;
        if deleted.is_ok() {
            KillPoint::QueueBatchDeleted.hit();
        }
        vec![deleted; deliveries.len()]
    }

    /// Each message with the milliseconds that it stays invisible.
    pub(super) async fn extend(self, messages: Vec<(Delivery, u64)>) -> Vec<Result<(), Fault>> {
        let mut command = self.call(&scripts::EXTEND);
        command.arg(&*self.consumer);
        for (delivery, for_ms) in &messages {
            command
                .arg(&delivery.id)
                .arg(delivery.receives)
                .arg(*for_ms);
        }
        let letters = match self.run::<String>(&scripts::EXTEND, &command).await {
            Ok(letters) if letters.len() == messages.len() => letters,
            Ok(_) => return vec![Err(malformed(Malformed)); messages.len()],
            Err(fault) => return vec![Err(fault); messages.len()],
        };
        let result = |letter| if letter == b'e' { Ok(()) } else { Err(stale()) };
        letters.bytes().map(result).collect()
    }
}

fn malformed(answer: Malformed) -> Fault {
    Fault::new(QueueErrorKind::Other, answer)
}

fn full() -> EntryError {
    let reason = "the queue is full; see its capacity, and who receives from it".to_owned();
    EntryError::Unknown { reason }
}

pub(super) fn stale() -> Fault {
    let said = "the message was acknowledged, or is visible or received again";
    Fault::new(QueueErrorKind::StaleReceipt, said)
}
