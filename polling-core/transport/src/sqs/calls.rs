//! The calls that carry a batch: a result per entry, in their order.

use aws_sdk_sqs::{
    Client,
    error::{BuildError, ProvideErrorMetadata},
    types::{
        BatchResultErrorEntry, ChangeMessageVisibilityBatchRequestEntry,
        DeleteMessageBatchRequestEntry, SendMessageBatchRequestEntry,
    },
};

use futures_util::{FutureExt, future::BoxFuture};
use polling_model::{KillPoint, Observation, SharedObserver};

use super::trace;
use crate::{
    fault::Fault,
    queue::{EntryError, Outgoing, QueueErrorKind},
};

/// A queue as its calls need it.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) name: String,
    pub(super) client: Client,
    pub(super) url: String,
    pub(super) observer: SharedObserver,
}

impl Target {
    /// Tells of a request.
    pub(super) fn requested(&self, call: &'static str, messages: usize) {
        self.observer.observe(Observation::Requested {
            queue: &self.name,
            call,
            messages,
        });
    }

    /// Sends a batch; one that is too large for the server in halves, since what is refused as a
    /// whole was not sent. Only a message that is too large alone is refused for good: one must not
    /// suffer for its neighbours.
    pub(super) fn send(
        self,
        messages: Vec<Outgoing>,
    ) -> BoxFuture<'static, Vec<Result<(), EntryError>>> {
        let sending = async move {
            let mut left = messages.clone();
            match self.clone().send_once(messages).await {
                Ok(results) => results,
                Err(TooLarge) if left.len() == 1 => vec![Err(too_large())],
                Err(TooLarge) => {
                    let right = left.split_off(left.len() / 2);
                    let mut results = self.clone().send(left).await;
                    results.extend(self.send(right).await);
                    results
                }
            }
        };
        sending.boxed()
    }

    async fn send_once(
        self,
        messages: Vec<Outgoing>,
    ) -> Result<Vec<Result<(), EntryError>>, TooLarge> {
        let count = messages.len();
        let entry = |(n, message): (usize, Outgoing)| {
            let entry = SendMessageBatchRequestEntry::builder().id(n.to_string());
            let attributes = message.trace.as_ref().map(trace::attributes).transpose()?;
            let entry = entry.set_message_attributes(attributes);
            entry.message_body(message.body).build()
        };
        let entries = match build(messages.into_iter().enumerate().map(entry)) {
            Ok(entries) => entries,
            Err(fault) => return Ok(vec![Err(fault.into_unknown_entry()); count]),
        };
        self.requested("send", count);
        let call = self.client.send_message_batch().queue_url(self.url);
        match call.set_entries(Some(entries)).send().await {
            Ok(answer) => {
                KillPoint::QueueBatchSent.hit();
                let sent = answer.successful().iter().map(|entry| entry.id());
                let failed = answer
                    .failed()
                    .iter()
                    .map(|entry| (entry.id(), not_sent(entry)));
                let missing = || no_answer().into_unknown_entry();
                Ok(in_order(count, sent, failed, missing))
            }
            Err(error) if is_too_large(&error) => Err(TooLarge),
            Err(error) => Ok(vec![Err(Fault::of_call(error).into_unknown_entry()); count]),
        }
    }

    pub(super) async fn delete(self, receipts: Vec<String>) -> Vec<Result<(), Fault>> {
        let count = receipts.len();
        let entry = |(n, receipt): (usize, String)| {
            let entry = DeleteMessageBatchRequestEntry::builder();
            entry.id(n.to_string()).receipt_handle(receipt).build()
        };
        let entries = match build(receipts.into_iter().enumerate().map(entry)) {
            Ok(entries) => entries,
            Err(fault) => return vec![Err(fault); count],
        };
        self.requested("delete", count);
        let call = self.client.delete_message_batch().queue_url(self.url);
        match call.set_entries(Some(entries)).send().await {
            Ok(answer) => {
                KillPoint::QueueBatchDeleted.hit();
                let done = answer.successful().iter().map(|entry| entry.id());
                let failed = answer
                    .failed()
                    .iter()
                    .map(|entry| (entry.id(), fault_of(entry)));
                in_order(count, done, failed, no_answer)
            }
            Err(error) => vec![Err(Fault::of_call(error)); count],
        }
    }

    /// Each message with the seconds it stays invisible.
    pub(super) async fn extend(self, messages: Vec<(String, i32)>) -> Vec<Result<(), Fault>> {
        let count = messages.len();
        let entry = |(n, (receipt, timeout_s)): (usize, (String, i32))| {
            let entry = ChangeMessageVisibilityBatchRequestEntry::builder();
            let entry = entry.id(n.to_string()).receipt_handle(receipt);
            entry.visibility_timeout(timeout_s).build()
        };
        let entries = match build(messages.into_iter().enumerate().map(entry)) {
            Ok(entries) => entries,
            Err(fault) => return vec![Err(fault); count],
        };
        self.requested("extend", count);
        let call = self
            .client
            .change_message_visibility_batch()
            .queue_url(self.url);
        match call.set_entries(Some(entries)).send().await {
            Ok(answer) => {
                let done = answer.successful().iter().map(|entry| entry.id());
                let failed = answer
                    .failed()
                    .iter()
                    .map(|entry| (entry.id(), fault_of(entry)));
                in_order(count, done, failed, no_answer)
            }
            Err(error) => vec![Err(Fault::of_call(error)); count],
        }
    }
}

/// The server refused a batch as a whole for its size.
struct TooLarge;

fn too_large() -> EntryError {
    let reason = "the server takes no message of this size".to_owned();
    EntryError::Refused { reason }
}

/// SQS says so in the code, ElasticMQ in the message.
fn is_too_large(error: &impl ProvideErrorMetadata) -> bool {
    let said = [error.code(), error.message()];
    let too_large = ["BatchRequestTooLong", "MessageTooLong"];
    said.iter()
        .flatten()
        .any(|said| too_large.iter().any(|known| said.ends_with(known)))
}

/// All entries, or why they cannot be built.
fn build<T>(entries: impl Iterator<Item = Result<T, BuildError>>) -> Result<Vec<T>, Fault> {
    let built: Result<Vec<T>, BuildError> = entries.collect();
    built.map_err(|error| Fault::new(QueueErrorKind::Other, error))
}

/// Sorts an answer by the entries' ids, which are their places in the batch.
fn in_order<'a, E>(
    count: usize,
    done: impl Iterator<Item = &'a str>,
    failed: impl Iterator<Item = (&'a str, E)>,
    missing: impl Fn() -> E,
) -> Vec<Result<(), E>> {
    let mut results: Vec<_> = (0..count).map(|_| Err(missing())).collect();
    let all = done
        .map(|id| (id, Ok(())))
        .chain(failed.map(|(id, error)| (id, Err(error))));
    for (id, result) in all {
        let place = id.parse::<usize>().ok().and_then(|n| results.get_mut(n));
        if let Some(place) = place {
            *place = result;
        }
    }
    results
}

fn fault_of(entry: &BatchResultErrorEntry) -> Fault {
    Fault::of_entry(entry.code(), entry.message())
}

/// The sender's fault is refused for good, unless it is one of permissions, load or a missing
/// queue: those pass, and the message is not to blame.
fn not_sent(entry: &BatchResultErrorEntry) -> EntryError {
    let fault = fault_of(entry);
    if entry.sender_fault() && fault.kind == QueueErrorKind::Other {
        let reason = fault.source.to_string();
        return EntryError::Refused { reason };
    }
    fault.into_unknown_entry()
}

fn no_answer() -> Fault {
    Fault::new(
        QueueErrorKind::Other,
        "the server's answer leaves this entry out",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(code: &str, sender_fault: bool) -> BatchResultErrorEntry {
        let entry = BatchResultErrorEntry::builder().id("0").code(code);
        entry
            .sender_fault(sender_fault)
            .build()
            .expect("all fields are set")
    }

    #[test]
    fn an_answer_is_sorted_by_entry_and_may_have_gaps() {
        let results = in_order(4, ["3", "0"].into_iter(), [("1", 'f')].into_iter(), || 'm');
        assert_eq!(results, [Ok(()), Err('f'), Err('m'), Ok(())]);
        let odd_ids = in_order(1, ["7", "x"].into_iter(), std::iter::empty(), || 'm');
        assert_eq!(odd_ids, [Err('m')]);
    }

    #[test]
    fn only_a_fault_of_the_message_itself_is_final() {
        let refused = |code, sender_fault| {
            matches!(
                not_sent(&failed(code, sender_fault)),
                EntryError::Refused { .. }
            )
        };
        assert!(refused("InvalidMessageContents", true));
        assert!(!refused("InternalError", false));
        assert!(!refused("AccessDenied", true));
        assert!(!refused("RequestThrottled", true));
    }
}
