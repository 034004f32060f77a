//! What a server says in texts of its own, fuzzed. No text of its may stop a queue.

use aws_sdk_sqs::types::{Message, MessageSystemAttributeName, QueueAttributeName};
use polling_fuzz::{Taken, allocating_at_most};

use super::{
    attributes::{self, Attributes},
    create::differences,
    queue::to_message,
};

polling_fuzz::fuzz! {
    fuzz_sqs_message in "tests/corpus/sqs_message" => |bytes| message(bytes)
    fuzz_redrive_policy in "tests/corpus/redrive_policy" => |bytes| redrive_policy(bytes)
}

/// What a byte of a policy costs at most; it is parsed twice, and shown in words.
const COST_PER_BYTE: usize = 250;

const ERROR_SIZE_BYTES: usize = 4 * 1024;

/// The lines of the input are the two attributes that a message is asked for with.
fn message(bytes: &[u8]) -> Taken {
    let text = String::from_utf8_lossy(bytes);
    let (count, sent) = text.split_once('\n').unwrap_or((&text, ""));
    let received = Message::builder()
        .message_id("1")
        .body(text.clone())
        .receipt_handle("r")
        .attributes(MessageSystemAttributeName::ApproximateReceiveCount, count)
        .attributes(MessageSystemAttributeName::SentTimestamp, sent)
        .build();
    let message = to_message(received);
    assert_eq!(
        (message.body.as_str(), message.receipt.0.as_str()),
        (&*text, "r")
    );
    assert!(message.receive_count >= 1, "counted from 1");
    let exact = count.parse() == Ok(message.receive_count) && sent.parse() == Ok(message.sent_ms);
    Taken::if_some(&exact.then_some(()))
}

/// A policy equals itself, and a difference is told.
fn redrive_policy(bytes: &[u8]) -> Taken {
    let Ok(text) = str::from_utf8(bytes) else {
        return Taken::No;
    };
    let policy =
        |text: &str| Attributes::from([(QueueAttributeName::RedrivePolicy, text.to_owned())]);
    let (found, wanted) = (policy(text), policy(r#"{"maxReceiveCount":3}"#));
    assert_eq!(differences(&found, &found), [""; 0]);
    let cost = COST_PER_BYTE * text.len() + ERROR_SIZE_BYTES;
    let told = allocating_at_most(cost, || differences(&found, &wanted));
    if let Err(fault) = attributes::number(&found, &QueueAttributeName::RedrivePolicy) {
        assert!(fault.source.to_string().contains("RedrivePolicy"));
    }
    Taken::if_some(&(!told.is_empty()).then_some(()))
}
