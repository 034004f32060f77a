//! What is sent arrives, whole and unchanged.

use std::time::Duration;

use polling_model::caps::MAX_MESSAGE_SIZE_BYTES;

use super::{QueueUnderTest, drain, numbers};
use crate::EntryError;

/// The smallest use.
pub async fn a_sent_message_is_received(fixture: &QueueUnderTest) {
    fixture.send_one("hello").await;
    let message = fixture.receive_one().await;
    assert_eq!(message.body, "hello");
    assert_eq!(message.receive_count, 1);
    assert!(!message.id.is_empty());
}

/// Quotes, markup, line ends and letters outside ASCII survive.
pub async fn a_body_arrives_as_it_was_sent(fixture: &QueueUnderTest) {
    let body = "{\"a\":\"\\u0041\"}\n\t<&amp;> é 漢 🦀";
    fixture.send_one(body).await;
    assert_eq!(fixture.receive_one().await.body, body);
}

/// An entry that is too large is refused for good, and the others of its send are sent.
pub async fn results_follow_the_order_of_the_entries(fixture: &QueueUnderTest) {
    let mut bodies = numbers(12);
    bodies[3] = "x".repeat(MAX_MESSAGE_SIZE_BYTES + 1);
    let results = fixture.queue.send(bodies).await;
    assert_eq!(results.len(), 12);
    for (n, result) in results.iter().enumerate() {
        match result {
            Err(EntryError::Refused { .. }) => assert_eq!(n, 3, "only the large entry is refused"),
            other => assert!(other.is_ok() && n != 3, "entry {n}: {other:?}"),
        }
    }
    let mut expected = numbers(12);
    expected.remove(3);
    assert_eq!(drain(&*fixture.queue, 11).await, expected);
}

/// A send may hold more entries than a batch of the queue's.
pub async fn a_send_of_many_arrives_whole(fixture: &QueueUnderTest) {
    fixture.send_numbers(57).await;
    assert_eq!(drain(&*fixture.queue, 57).await, numbers(57));
}

/// The limit on a message holds for each; that on a batch is the adapter's to keep.
pub async fn the_largest_messages_are_taken_several_in_one_send(fixture: &QueueUnderTest) {
    let large = "x".repeat(MAX_MESSAGE_SIZE_BYTES);
    let results = fixture.queue.send(vec![large.clone(); 6]).await;
    assert_eq!(results, vec![Ok(()); 6]);
    let arrived = drain(&*fixture.queue, 6).await;
    assert!(arrived.len() == 6 && arrived.iter().all(|body| *body == large));
}

/// No entries, no results.
pub async fn a_send_of_nothing_does_nothing(fixture: &QueueUnderTest) {
    assert!(fixture.queue.send(Vec::new()).await.is_empty());
    assert!(fixture.receive(10, Duration::ZERO).await.is_empty());
}
