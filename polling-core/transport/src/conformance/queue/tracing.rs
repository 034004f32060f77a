//! The trace of a message goes where it goes.

use polling_model::{
    TraceContext,
    caps::MAX_MESSAGE_SIZE_BYTES,
    trace::{SpanId, TraceId},
};

use super::{LONG, QueueUnderTest};
use crate::Outgoing;

fn trace(number: u8, sampled: bool) -> TraceContext {
    let trace_id = TraceId::new([number; 16]).expect("not zero");
    let span_id = SpanId::new([number; 8]).expect("not zero");
    TraceContext::new(trace_id, span_id, sampled)
}

fn message(body: &str, trace: Option<TraceContext>) -> Outgoing {
    Outgoing::from(body.to_owned()).with_trace(trace)
}

/// Whether or not it was chosen, and at a redelivery too.
pub async fn a_trace_is_received_with_its_message_each_time(fixture: &QueueUnderTest) {
    for trace in [trace(1, true), trace(2, false)] {
        let sent = fixture
            .queue
            .send_all(vec![message("a", Some(trace))])
            .await;
        assert_eq!(sent, [Ok(())]);
        let first = fixture.receive_one().await;
        assert_eq!((first.body.as_str(), first.trace), ("a", Some(trace)));
        let released = fixture.queue.release(&first.receipt).await;
        assert!(released.is_ok(), "{released:?}");
        let again = fixture.receive_one().await;
        assert_eq!((again.receive_count, again.trace), (2, Some(trace)));
        let acked = fixture.queue.ack(&again.receipt).await;
        assert!(acked.is_ok(), "{acked:?}");
    }
}

/// So that its end is told in the trace in which it began.
pub async fn a_trace_follows_its_message_to_the_dead_letters(fixture: &QueueUnderTest) {
    let trace = trace(3, true);
    let sent = fixture
        .queue
        .send_all(vec![message("a", Some(trace))])
        .await;
    assert_eq!(sent, [Ok(())]);
    for _ in 0..fixture.max_receives {
        let received = fixture.receive_one().await;
        let released = fixture.queue.release(&received.receipt).await;
        assert!(released.is_ok(), "{released:?}");
    }
    fixture.expect_nothing().await;
    let dead = fixture.dead_letters.receive(10, LONG).await;
    let dead = dead.expect("the queue answers");
    assert_eq!(dead.len(), 1);
    assert_eq!((dead[0].body.as_str(), dead[0].trace), ("a", Some(trace)));
}

/// Each has its own, or none.
pub async fn messages_with_and_without_a_trace_share_a_send(fixture: &QueueUnderTest) {
    let traced = |number: u8| (number > 3).then(|| trace(number, number > 6));
    let sent = (0..9).map(|number| message(&number.to_string(), traced(number)));
    let sent = fixture.queue.send_all(sent.collect()).await;
    assert_eq!(sent, vec![Ok(()); 9]);
    let mut seen = 0;
    while seen < 9 {
        let received = fixture.receive(10, LONG).await;
        assert!(!received.is_empty(), "{seen} of 9 came");
        for message in &received {
            let number = message.body.parse().expect("a number");
            assert_eq!(message.trace, traced(number), "{number}");
        }
        seen += received.len();
    }
}

/// The largest that is taken without one is taken with one.
pub async fn no_message_is_refused_for_its_trace(fixture: &QueueUnderTest) {
    for room in [0, 1, 200] {
        let body = "x".repeat(MAX_MESSAGE_SIZE_BYTES - room);
        let traced = message(&body, Some(trace(4, true)));
        assert_eq!(fixture.queue.send_all(vec![traced]).await, [Ok(())]);
        let received = fixture.receive_one().await;
        assert_eq!(received.body.len(), body.len());
        if room == 200 {
            assert_eq!(received.trace, Some(trace(4, true)));
        }
        let acked = fixture.queue.ack(&received.receipt).await;
        assert!(acked.is_ok(), "{acked:?}");
    }
}
