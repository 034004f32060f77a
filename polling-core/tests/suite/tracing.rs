use std::time::Duration;

use polling_core::{
    Queue,
    model::{
        TraceContext, event_headers,
        trace::{SpanId, TraceId},
    },
    poller_fn,
    transport::Outgoing,
};
use tokio::time::sleep;

use crate::support::{NOW_MS, Rig, body, dispatch, polled, topic};

/// What the scheduler lets the message of an account's job carry.
fn carried(account: &str, sampled: bool) -> TraceContext {
    let job = dispatch(account);
    TraceContext::of(&job.id, &job.token).with_sampled(sampled)
}

/// Sends a job with `trace`, has it polled, and returns the headers of its event.
async fn headers_after(rig: &Rig, account: &str, trace: Option<TraceContext>) -> Option<String> {
    let message = Outgoing::from(body(account)).with_trace(trace);
    assert_eq!(rig.work.inner.send_all(vec![message]).await, [Ok(())]);
    sleep(Duration::from_secs(3)).await;
    let poller = poller_fn(|_| async { Ok(polled(1)) });
    let worker = rig.worker().poller(poller).build().unwrap();
    rig.run_for(worker, Duration::from_secs(5)).await;
    let mut headers = rig.bus.take(&topic()).remove(0).headers;
    headers.remove(event_headers::TRACEPARENT)
}

/// The completion that was stored last, as its message is received.
async fn completed(rig: &Rig) -> (Option<TraceContext>, Option<i64>) {
    let wait = Duration::from_secs(1);
    let received = rig.completed.inner.receive(10, wait).await.unwrap();
    let sent_ms = rig.completions().last().unwrap().sent_ms;
    (received.last().unwrap().trace, sent_ms)
}

#[tokio::test(start_paused = true)]
async fn events_and_completion_carry_the_trace_of_their_message() {
    for sampled in [true, false] {
        let (rig, trace) = (Rig::new(), carried("42", sampled));
        let header = headers_after(&rig, "42", Some(trace)).await;
        assert_eq!(header, Some(trace.to_traceparent().to_string()));
        assert_eq!(completed(&rig).await, (Some(trace), Some(NOW_MS)));
    }
}

#[tokio::test(start_paused = true)]
async fn where_nothing_is_carried_nothing_is_added() {
    let rig = Rig::new();
    assert_eq!(headers_after(&rig, "42", None).await, None);
    assert_eq!(completed(&rig).await, (None, None));
}

/// Tools that trace every call to a queue put a context of their own on each message.
#[tokio::test(start_paused = true)]
async fn a_trace_that_is_not_the_jobs_own_is_not_passed_on() {
    let rig = Rig::new();
    let trace_id = TraceId::new([7; 16]).unwrap();
    let foreign = TraceContext::new(trace_id, SpanId::new([7; 8]).unwrap(), true);
    assert_eq!(headers_after(&rig, "42", Some(foreign)).await, None);
    assert_eq!(completed(&rig).await, (None, None));
}
