//! What is special about Amazon SQS: messages given twice, and batches that fail in part.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde_json::{Value, json};

use super::wire::{Side, http::Message};

/// Answers kept of each queue.
const MAX_KEPT: usize = 32;

/// Queues of which answers are kept.
const MAX_QUEUES: usize = 64;

/// Bytes of a body as JSON, if they are that.
fn body_of(side: Side, frame: &[u8]) -> Option<(Message, Value)> {
    let message = Message::parse(side, frame)?;
    let body = serde_json::from_slice(&message.body).ok()?;
    Some((message, body))
}

fn with_body(mut message: Message, body: &Value) -> Vec<u8> {
    message.body = body.to_string().into_bytes();
    message.to_bytes()
}

/// The queue that a ReceiveMessage is about, and how many messages it takes.
pub(super) fn receive(request: &[u8]) -> Option<(String, usize)> {
    let (message, body) = body_of(Side::Request, request)?;
    (message.action() == Some("ReceiveMessage")).then_some(())?;
    let queue = body["QueueUrl"].as_str()?.to_owned();
    let max = body["MaxNumberOfMessages"].as_u64().unwrap_or(1) as usize;
    Some((queue, max))
}

/// Answers of ReceiveMessage that held messages, the latest of each queue.
#[derive(Debug, Default)]
pub(super) struct Received(Mutex<BTreeMap<String, VecDeque<Vec<u8>>>>);

impl Received {
    pub(super) fn keep(&self, queue: String, reply: &[u8]) {
        let Some((_, body)) = body_of(Side::Reply, reply) else {
            return;
        };
        let any = body["Messages"]
            .as_array()
            .is_some_and(|all| !all.is_empty());
        let mut queues = self.lock();
        if any && (queues.len() < MAX_QUEUES || queues.contains_key(&queue)) {
            let kept = queues.entry(queue).or_default();
            kept.push_back(reply.to_vec());
            if kept.len() > MAX_KEPT {
                kept.pop_front();
            }
        }
    }

    /// An earlier answer with at most `max` messages, and how many it has. `draw` chooses out of
    /// so many.
    pub(super) fn again(
        &self,
        queue: &str,
        max: usize,
        draw: impl FnOnce(usize) -> usize,
    ) -> Option<(Vec<u8>, usize)> {
        let queues = self.lock();
        let kept = queues.get(queue)?;
        let (message, mut body) = body_of(Side::Reply, kept.get(draw(kept.len()))?)?;
        let messages = body["Messages"].as_array_mut()?;
        messages.truncate(max);
        let count = messages.len();
        (count > 0).then(|| (with_body(message, &body), count))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, VecDeque<Vec<u8>>>> {
        // What is kept is whole at any time.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A batch some of whose entries are to fail.
pub(super) struct Batch {
    message: Message,
    body: Value,
    failed: Vec<Value>,
}

impl Batch {
    /// None if the request is no batch, or no entry fails. `fails` is asked for each.
    pub(super) fn of(request: &[u8], mut fails: impl FnMut() -> bool) -> Option<Self> {
        let (message, body) = body_of(Side::Request, request)?;
        message.action()?.strip_suffix("Batch")?;
        let entries = body["Entries"].as_array()?;
        let failing = entries.iter().filter(|_| fails());
        let failed: Vec<Value> = failing.map(|entry| entry["Id"].clone()).collect();
        (!failed.is_empty()).then_some(Self {
            message,
            body,
            failed,
        })
    }

    /// The request without the entries that fail; none if nothing is left.
    pub(super) fn without_failed(&mut self) -> Option<Vec<u8>> {
        let failed = &self.failed;
        let entries = self.body["Entries"].as_array_mut()?;
        entries.retain(|entry| !failed.contains(&entry["Id"]));
        let any = !entries.is_empty();
        any.then(|| with_body(self.message.clone(), &self.body))
    }

    pub(super) fn failed(self) -> Vec<Value> {
        self.failed
    }
}

/// The reply with these entries among those that failed, none of which it calls successful. A
/// reply that is an error as a whole stays as it is.
pub(super) fn with_failed(reply: Vec<u8>, failed: &[Value]) -> Vec<u8> {
    let Some((message, mut body)) = body_of(Side::Reply, &reply) else {
        return reply;
    };
    if let Some(successful) = body["Successful"].as_array_mut() {
        successful.retain(|entry| !failed.contains(&entry["Id"]));
    } else if body.get("Failed").is_none() {
        return reply;
    }
    let others = body["Failed"].as_array().cloned().unwrap_or_default();
    let kept = others
        .into_iter()
        .filter(|entry| !failed.contains(&entry["Id"]));
    body["Failed"] = kept.chain(failed.iter().map(failure)).collect();
    with_body(message, &body)
}

/// The reply to a batch all of whose entries failed.
pub(super) fn all_failed(failed: &[Value]) -> Vec<u8> {
    let failures: Vec<Value> = failed.iter().map(failure).collect();
    let body = json!({ "Successful": [], "Failed": failures });
    Message::json_reply("200 OK", body.to_string().into_bytes()).to_bytes()
}

fn failure(id: &Value) -> Value {
    json!({ "Id": id, "Code": "InternalError", "SenderFault": false, "Message": "injected" })
}

/// The reply of a server in trouble.
pub(super) fn error_500() -> Vec<u8> {
    let body = json!({ "__type": "com.amazonaws.sqs#InternalError", "message": "injected" });
    let status = "500 Internal Server Error";
    Message::json_reply(status, body.to_string().into_bytes()).to_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(action: &str, body: &Value) -> Vec<u8> {
        let body = body.to_string();
        let length = body.len();
        format!(
            "POST / HTTP/1.1\r\nx-amz-target: AmazonSQS.{action}\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .into_bytes()
    }

    fn json_of(side: Side, bytes: &[u8]) -> Value {
        body_of(side, bytes).unwrap().1
    }

    fn reply(body: &Value) -> Vec<u8> {
        Message::json_reply("200 OK", body.to_string().into_bytes()).to_bytes()
    }

    #[test]
    fn messages_are_given_again_to_whoever_takes_as_many() {
        let (received, queue) = (Received::default(), "http://q/1");
        received.keep(queue.to_owned(), &reply(&json!({}))); // empty answers are not kept
        assert_eq!(received.again(queue, 10, |_| 0), None);
        let two = reply(&json!({ "Messages": [{ "Body": "a" }, { "Body": "b" }] }));
        received.keep(queue.to_owned(), &two);
        assert_eq!(received.again("http://q/2", 10, |_| 0), None);
        let (again, count) = received.again(queue, 1, |of| of - 1).unwrap();
        assert_eq!(count, 1);
        let expected = json!({ "Messages": [{ "Body": "a" }] });
        assert_eq!(json_of(Side::Reply, &again), expected);
    }

    #[test]
    fn entries_that_fail_are_taken_out_of_the_request_and_put_into_the_reply() {
        let entries = json!({ "Entries": [{ "Id": "0" }, { "Id": "1" }, { "Id": "2" }] });
        let mut turn = 0;
        let every_second = || {
            turn += 1;
            turn % 2 == 0
        };
        let mut batch = Batch::of(&request("SendMessageBatch", &entries), every_second).unwrap();
        let sent = json_of(Side::Request, &batch.without_failed().unwrap());
        assert_eq!(sent, json!({ "Entries": [{ "Id": "0" }, { "Id": "2" }] }));
        let done = reply(&json!({ "Successful": [{ "Id": "0" }, { "Id": "2" }] }));
        let told = json_of(Side::Reply, &with_failed(done, &batch.failed()));
        assert_eq!(told["Successful"], json!([{ "Id": "0" }, { "Id": "2" }]));
        assert_eq!(told["Failed"][0]["Id"], "1");
    }

    #[test]
    fn an_entry_is_not_called_successful_and_failed() {
        let done = reply(&json!({ "Successful": [{ "Id": "0" }], "Failed": [] }));
        let told = json_of(Side::Reply, &with_failed(done, &[json!("0")]));
        assert_eq!(told["Successful"], json!([]));
        assert_eq!(told["Failed"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn only_batches_have_entries_that_fail() {
        let entries = json!({ "Entries": [{ "Id": "0" }] });
        assert!(Batch::of(&request("DeleteMessage", &entries), || true).is_none());
        assert!(Batch::of(&request("DeleteMessageBatch", &entries), || false).is_none());
        let mut all = Batch::of(&request("DeleteMessageBatch", &entries), || true).unwrap();
        assert_eq!(all.without_failed(), None);
    }
}
