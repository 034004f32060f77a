//! Who holds a message, for how long, and what becomes of it then.

use std::time::Duration;

use super::{LONG, QueueUnderTest, SHORT, expect_stats};
use crate::QueueErrorKind;

/// A received message comes back if nothing is heard of it, as a new delivery of the same message.
pub async fn a_received_message_is_invisible_until_its_timeout(fixture: &QueueUnderTest) {
    fixture.send_one("again").await;
    let first = fixture.receive_one().await;
    fixture.expect_nothing().await;
    fixture.pass_visibility_timeout(1).await;
    let second = fixture.receive_one().await;
    assert_eq!((first.receive_count, second.receive_count), (1, 2));
    assert_eq!(second.body, first.body);
    assert_eq!(second.id, first.id);
    assert_eq!(second.sent_ms, first.sent_ms);
    assert_ne!(second.receipt, first.receipt);
}

/// An acknowledged message never comes back, and acknowledging it twice is no error.
pub async fn an_acknowledged_message_is_gone(fixture: &QueueUnderTest) {
    fixture.send_one("done").await;
    let message = fixture.receive_one().await;
    fixture.queue.ack(&message.receipt).await.expect("acked");
    fixture
        .queue
        .ack(&message.receipt)
        .await
        .expect("acked twice");
    fixture.pass_visibility_timeout(1).await;
    fixture.expect_nothing().await;
    expect_stats(&*fixture.queue, |stats| {
        stats.visible + stats.in_flight == 0
    })
    .await;
}

/// Acknowledging a delivery after the message was received again is no error. It deletes nothing:
/// the later delivery is still held, and is acknowledged on its own. (SQS does not promise the
/// latter for every old receipt; nothing in the SDK relies on it.)
pub async fn a_late_acknowledgement_is_no_error(fixture: &QueueUnderTest) {
    fixture.send_one("twice").await;
    let first = fixture.receive_one().await;
    fixture.pass_visibility_timeout(1).await;
    let second = fixture.receive_one().await;
    fixture.queue.ack(&first.receipt).await.expect("no error");
    fixture
        .queue
        .release(&second.receipt)
        .await
        .expect("still held");
    let third = fixture.receive_one().await;
    assert_eq!(third.receive_count, 3);
    fixture.queue.ack(&third.receipt).await.expect("acked");
    fixture.pass_visibility_timeout(1).await;
    fixture.expect_nothing().await;
}

/// An extension counts from now, beyond the queue's own visibility timeout.
pub async fn an_extension_keeps_a_message_invisible(fixture: &QueueUnderTest) {
    let timeout = fixture.queue.visibility_timeout();
    fixture.send_one("slow").await;
    let message = fixture.receive_one().await;
    let extended = fixture.queue.extend(&message.receipt, timeout * 3).await;
    extended.expect("extended");
    fixture.pass_visibility_timeout(1).await;
    fixture.expect_nothing().await;
    fixture.pass_visibility_timeout(2).await;
    assert_eq!(fixture.receive_one().await.receive_count, 2);
}

/// A queue that tells says that the receipt is stale; one that does not says nothing. Either way
/// the message stays gone.
pub async fn an_extension_of_an_acknowledged_message_brings_nothing_back(fixture: &QueueUnderTest) {
    fixture.send_one("done").await;
    let message = fixture.receive_one().await;
    fixture.queue.ack(&message.receipt).await.expect("acked");
    if let Err(error) = fixture.queue.extend(&message.receipt, SHORT).await {
        assert_eq!(error.kind, QueueErrorKind::StaleReceipt, "{error}");
    }
    fixture.pass_visibility_timeout(1).await;
    fixture.expect_nothing().await;
}

/// A message that is given back does not wait for its timeout.
pub async fn a_released_message_is_visible_at_once(fixture: &QueueUnderTest) {
    fixture.send_one("not mine").await;
    let message = fixture.receive_one().await;
    let extended = fixture.queue.extend(&message.receipt, LONG * 6).await;
    extended.expect("extended");
    fixture
        .queue
        .release(&message.receipt)
        .await
        .expect("released");
    let again = fixture.receive(1, SHORT).await;
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].receive_count, 2);
}

/// After `max_receives` receives a message is no longer delivered here, but there.
pub async fn a_message_nobody_acknowledges_becomes_a_dead_letter(fixture: &QueueUnderTest) {
    fixture.send_one("poison").await;
    for receive in 1..=fixture.max_receives {
        let message = fixture.receive_one().await;
        assert_eq!(message.receive_count, receive);
        fixture
            .queue
            .release(&message.receipt)
            .await
            .expect("released");
    }
    // It moves when it would be received once more.
    assert!(fixture.receive(10, SHORT).await.is_empty());
    let dead = fixture.dead_letters.receive(10, LONG).await;
    let dead = dead.expect("the dead-letter queue answers");
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0].body, "poison");
    fixture
        .dead_letters
        .ack(&dead[0].receipt)
        .await
        .expect("acked");
    let rest = fixture.dead_letters.receive(1, Duration::ZERO).await;
    assert!(rest.expect("the dead-letter queue answers").is_empty());
}
