//! Ids, parents, times, fields.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry::trace::{SpanKind, Status};
use polling_model::trace::{Ending, TARGET, names};
use tokio::time::sleep;
use tracing::Instrument as _;

use crate::support::{NOW_MS, Process, config, delivery, job, trace};

fn at(ms: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(NOW_MS as u64 + ms)
}

#[tokio::test(start_paused = true)]
async fn a_job_and_what_is_within_it_are_one_trace() {
    let process = Process::start(config(1.0));
    let job = job(7);
    let poll = async {
        sleep(Duration::from_millis(250)).await;
        let request = tracing::info_span!("request", url = "https://channel.example/posts");
        async {
            tracing::warn!(status = 503, "no luck");
            sleep(Duration::from_millis(50)).await;
        }
        .instrument(request)
        .await;
    };
    let poll = poll.instrument(tracing::debug_span!(target: TARGET, parent: &job, names::POLL));
    poll.await;
    job.record("outcome", Ending::Succeeded.as_str());
    drop(job);
    let collector = process.stop().await;
    assert_eq!(collector.names(), ["request", names::POLL, names::JOB]);
    let trace = trace(7);
    for span in collector.spans() {
        let trace_id = span.span_context.trace_id().to_bytes();
        assert_eq!(trace_id, trace.trace_id().to_bytes());
        assert!(span.span_context.is_sampled());
    }
    let (job, poll) = (collector.named(names::JOB), collector.named(names::POLL));
    let request = collector.named("request");
    assert_eq!(job.parent_span_id.to_bytes(), trace.span_id().to_bytes());
    assert!(job.parent_span_is_remote);
    assert_eq!(job.span_kind, SpanKind::Consumer);
    assert_eq!(poll.parent_span_id, job.span_context.span_id());
    assert_eq!(request.parent_span_id, poll.span_context.span_id());
    assert_eq!((poll.start_time, poll.end_time), (at(0), at(300)));
    assert_eq!((request.start_time, request.end_time), (at(250), at(300)));
    let event = &request.events.events[0];
    assert_eq!((&*event.name, event.timestamp), ("no luck", at(250)));
    let says = |name: &str, value: &str| {
        let mut said = job
            .attributes
            .iter()
            .map(|one| (one.key.as_str(), one.value.to_string()));
        said.any(|said| said == (name, value.to_owned()))
    };
    assert!(says("polling.job_id", "posts:42") && says("polling.generation", "7"));
    assert!(says("polling.outcome", "succeeded"), "{:?}", job.attributes);
}

#[tokio::test(start_paused = true)]
async fn what_is_told_afterwards_has_its_own_times_and_the_derived_root() {
    let process = Process::start(config(1.0));
    let cycle = tracing::debug_span!(
        target: TARGET, parent: None, names::CYCLE,
        trace_id = %trace(7).trace_id(), outcome = "succeeded", latency_ms = 0,
        start_ms = NOW_MS - 500, end_ms = NOW_MS + 500,
    );
    drop(tracing::debug_span!(
        target: TARGET, parent: &cycle, names::DRAIN, start_ms = NOW_MS - 500, end_ms = NOW_MS,
    ));
    drop(cycle);
    let collector = process.stop().await;
    let (cycle, drain) = (collector.named(names::CYCLE), collector.named(names::DRAIN));
    let root = trace(7).trace_id().root();
    assert_eq!(cycle.span_context.span_id().to_bytes(), root.to_bytes());
    assert_eq!(cycle.parent_span_id, opentelemetry::SpanId::INVALID);
    assert_eq!(drain.parent_span_id.to_bytes(), root.to_bytes());
    assert_eq!(drain.end_time, at(0));
    assert_eq!(cycle.end_time, at(500));
}

#[tokio::test(start_paused = true)]
async fn spans_outside_of_jobs_are_not_recorded() {
    let process = Process::start(config(1.0));
    tracing::info_span!("worker").in_scope(|| {
        drop(tracing::info_span!("request"));
        drop(tracing::debug_span!(target: TARGET, names::POLL));
        delivery(1, Ending::Succeeded, 0);
    });
    let collector = process.stop().await;
    assert_eq!(collector.names(), [names::POLL, names::JOB]);
}

#[tokio::test(start_paused = true)]
async fn only_a_failure_of_the_job_has_the_status_of_an_error() {
    let process = Process::start(config(1.0));
    for (generation, error) in [(1, "rate_limited"), (2, "transient"), (3, "panic")] {
        let job = job(generation);
        job.record("error", error);
    }
    let collector = process.stop().await;
    let status: Vec<_> = collector
        .spans()
        .into_iter()
        .map(|span| span.status)
        .collect();
    let failed = |error: &'static str| Status::error(error);
    assert_eq!(
        status,
        [Status::Unset, failed("transient"), failed("panic")]
    );
}

#[tokio::test(start_paused = true)]
async fn two_processes_tell_of_one_trace() {
    let mut ids = Vec::new();
    for _ in 0..2 {
        let process = Process::start(config(1.0));
        delivery(7, Ending::Succeeded, 0);
        let collector = process.stop().await;
        ids.push(collector.named(names::JOB).span_context.trace_id());
    }
    assert_eq!(ids[0], ids[1]);
}
