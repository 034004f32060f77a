//! Many tasks on one queue: what an adapter coalesces, each caller still gets its own answer to.

use std::{collections::BTreeMap, time::Duration};

use futures_util::future::join_all;
use tokio::time::Instant;

use super::{LONG, QueueUnderTest, SHORT, SLACK, drain, expect_stats, numbers};
use crate::Message;

/// Enough for a hundred calls to overlap.
const MANY: usize = 100;

/// Inside the visibility timeout, no message goes to two receivers.
pub async fn receivers_share_no_message(fixture: &QueueUnderTest) {
    fixture.send_numbers(MANY).await;
    let deadline = Instant::now() + LONG;
    let receivers = (0..8).map(|_| async move {
        let mut received = Vec::new();
        loop {
            let asked = Instant::now();
            let messages = fixture.receive(7, SHORT / 4).await;
            if messages.is_empty() || asked > deadline {
                return received;
            }
            received.extend(
                messages
                    .into_iter()
                    .map(|m| (m.body, asked, Instant::now())),
            );
        }
    });
    let mut deliveries: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for (body, asked, answered) in join_all(receivers).await.into_iter().flatten() {
        deliveries.entry(body).or_default().push((asked, answered));
    }
    assert_eq!(deliveries.len(), MANY, "all arrived");
    let timeout = fixture.queue.visibility_timeout();
    for (body, mut times) in deliveries {
        times.sort_unstable();
        let shared = times
            .windows(2)
            .any(|pair| pair[1].1 + SLACK < pair[0].0 + timeout);
        assert!(!shared, "{body} was delivered twice within {timeout:?}");
    }
}

/// A hundred sends at once, each of one message.
pub async fn concurrent_sends_all_succeed(fixture: &QueueUnderTest) {
    let sends = numbers(MANY)
        .into_iter()
        .map(|body| fixture.queue.send(vec![body]));
    for results in join_all(sends).await {
        assert_eq!(results, [Ok(())]);
    }
    assert_eq!(drain(&*fixture.queue, MANY).await, numbers(MANY));
}

/// A hundred acknowledgements at once; nothing comes back.
pub async fn concurrent_acknowledgements_all_succeed(fixture: &QueueUnderTest) {
    let held = hold_all(fixture).await;
    let acks = held
        .iter()
        .map(|message| fixture.queue.ack(&message.receipt));
    for result in join_all(acks).await {
        result.expect("acknowledged");
    }
    fixture.pass_visibility_timeout(1).await;
    fixture.expect_nothing().await;
    expect_stats(&*fixture.queue, |stats| {
        stats.visible + stats.in_flight == 0
    })
    .await;
}

/// Acknowledgements in one call have an answer each; that of a message that is gone is no error.
pub async fn acknowledgements_in_one_call_have_an_answer_each(fixture: &QueueUnderTest) {
    fixture.send_numbers(3).await;
    let mut held = Vec::new();
    while held.len() < 3 {
        held.extend(fixture.receive(3 - held.len(), LONG).await);
    }
    let receipts: Vec<_> = held.iter().map(|message| message.receipt.clone()).collect();
    fixture.queue.ack(&receipts[1]).await.expect("acknowledged");
    let acked = fixture.queue.ack_all(&receipts).await;
    assert_eq!(acked.len(), 3);
    for result in acked {
        result.expect("acknowledged, or gone already");
    }
    assert!(fixture.queue.ack_all(&[]).await.is_empty());
    fixture.pass_visibility_timeout(1).await;
    fixture.expect_nothing().await;
}

/// A hundred extensions at once, of different lengths; each message keeps to its own.
pub async fn concurrent_extensions_all_succeed(fixture: &QueueUnderTest) {
    let held = hold_all(fixture).await;
    let extensions = held.iter().enumerate().map(|(n, message)| {
        let visibility = if n % 2 == 0 { Duration::ZERO } else { LONG * 6 };
        fixture.queue.extend(&message.receipt, visibility)
    });
    for result in join_all(extensions).await {
        result.expect("extended");
    }
    let mut expected: Vec<_> = held.iter().step_by(2).map(|m| m.body.clone()).collect();
    expected.sort_unstable();
    assert_eq!(drain(&*fixture.queue, expected.len()).await, expected);
    fixture.expect_nothing().await;
}

/// Sends a hundred messages and holds them all, each for long enough.
async fn hold_all(fixture: &QueueUnderTest) -> Vec<Message> {
    fixture.send_numbers(MANY).await;
    let deadline = Instant::now() + LONG;
    let mut held: BTreeMap<String, Message> = BTreeMap::new();
    while held.len() < MANY && Instant::now() < deadline {
        let messages = fixture.receive(10, SHORT).await;
        let extend = |message: Message| async move {
            let extended = fixture.queue.extend(&message.receipt, LONG * 3).await;
            extended.expect("extended");
            message
        };
        let messages = join_all(messages.into_iter().map(extend)).await;
        held.extend(messages.into_iter().map(|m| (m.body.clone(), m)));
    }
    assert_eq!(held.len(), MANY, "all received");
    held.into_values().collect()
}
