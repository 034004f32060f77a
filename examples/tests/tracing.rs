//! The whole cycle in memory, scheduler and worker in one process, with time that stands still between the steps: what a
//! collector is told.
#![allow(clippy::unwrap_used)]

#[path = "tracing/support.rs"]
mod support;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use opentelemetry_sdk::trace::SpanData;
use polling_core::{
    PollError,
    model::{
        TraceContext, event_headers,
        trace::{TraceId, names},
    },
};

use self::support::{SECRET, found, named, outcome, run};

#[tokio::test(start_paused = true)]
async fn a_cycle_is_one_trace_from_the_slot_to_the_settlement() {
    let told = run(1.0, 20, Duration::from_secs(590), |_| Ok(found(2))).await;
    let traces = told.traces();
    let polled: BTreeSet<_> = told.polls.iter().map(|id| id.to_bytes()).collect();
    assert_eq!(polled.len(), 20);
    assert_eq!(traces.keys().copied().collect::<BTreeSet<_>>(), polled);
    for spans in traces.values() {
        let (cycle, job) = (named(spans, names::CYCLE), named(spans, names::JOB));
        let poll = named(spans, names::POLL);
        assert_eq!(cycle.parent_span_id, opentelemetry::SpanId::INVALID);
        for (name, parent) in [
            (names::DRAIN, cycle),
            (names::SETTLE, cycle),
            (names::JOB, cycle),
            (names::WAIT, job),
            (names::POLL, job),
            ("request", poll),
            (names::PUBLISH, job),
            (names::COMPLETE, job),
            (names::ACK, job),
        ] {
            let parent = parent.span_context.span_id();
            assert_eq!(named(spans, name).parent_span_id, parent, "{name}");
        }
        assert_eq!(spans.len(), 10);
        expect_in_order(spans);
    }
    let events = told.events();
    assert_eq!(events.len(), 40);
    for event in events {
        let text = &event.headers[event_headers::TRACEPARENT];
        let carried = TraceContext::from_traceparent(text).unwrap();
        assert!(carried.is_sampled());
        assert!(polled.contains(&carried.trace_id().to_bytes()));
    }
}

fn expect_in_order(spans: &[&SpanData]) {
    let steps = [
        names::DRAIN,
        names::WAIT,
        names::POLL,
        names::PUBLISH,
        names::COMPLETE,
        names::SETTLE,
    ];
    let cycle = named(spans, names::CYCLE);
    let steps = steps.map(|name| named(spans, name));
    let began: Vec<SystemTime> = steps.iter().map(|span| span.start_time).collect();
    assert!(began.is_sorted(), "{began:?}");
    assert!(cycle.start_time <= began[0]);
    assert!(steps.iter().all(|span| span.end_time <= cycle.end_time));
}

#[tokio::test(start_paused = true)]
async fn with_a_ratio_of_0_worker_and_scheduler_keep_the_same_failures() {
    let told = run(0.0, 20, Duration::from_secs(590), |job| {
        let account: usize = job.account.as_str().parse().unwrap();
        match account % 4 {
            0 => Err(PollError::transient("no luck")),
            1 => Err(PollError::rate_limited("slow down")),
            _ => Ok(found(1)),
        }
    })
    .await;
    let traces = told.traces();
    assert!(traces.len() >= 5 && traces.len() < told.polls.len());
    for spans in traces.values() {
        for name in [names::DRAIN, names::SETTLE, names::WAIT, names::POLL] {
            named(spans, name);
        }
        for name in [names::CYCLE, names::JOB] {
            assert_eq!(outcome(named(spans, name)), "failed");
        }
    }
    let events = told.events();
    assert!(!events.is_empty());
    for event in events {
        let text = &event.headers[event_headers::TRACEPARENT];
        assert!(!TraceContext::from_traceparent(text).unwrap().is_sampled());
    }
}

/// A poll that panics is not completed: its message comes again, three times in all, and is a dead letter then.
#[tokio::test(start_paused = true)]
async fn a_message_that_comes_again_is_another_delivery_in_the_same_trace() {
    let told = run(0.0, 1, Duration::from_secs(590), |_| panic!("a bug")).await;
    let traces = told.traces();
    let spans = &traces[&told.polls[0].to_bytes()];
    let jobs: Vec<_> = spans
        .iter()
        .filter(|span| span.name == names::JOB)
        .collect();
    let cycle = named(spans, names::CYCLE);
    assert_eq!((jobs.len(), outcome(cycle).as_str()), (3, "dead_letter"));
    let root = cycle.span_context.span_id();
    for job in jobs {
        assert_eq!((job.parent_span_id, outcome(job).as_str()), (root, "bug"));
    }
}

#[tokio::test(start_paused = true)]
async fn lines_name_their_job_and_neither_they_nor_spans_show_a_context_or_a_token() {
    let tokens: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = Arc::clone(&tokens);
    let told = run(1.0, 5, Duration::from_secs(590), move |job| {
        seen.lock().unwrap().push(job.token.to_wire());
        tracing::info!("asked");
        match job.account.as_str() {
            "3" => panic!("a bug"),
            "4" => Err(PollError::transient("no luck")),
            _ => Ok(found(1)),
        }
    })
    .await;
    let lines = told
        .log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    let asked: Vec<serde_json::Value> = lines
        .filter(|line: &serde_json::Value| line["message"] == "asked")
        .collect();
    assert_eq!(asked.len(), told.polls.len());
    for line in asked {
        let trace_id: TraceId = line["trace_id"].as_str().unwrap().parse().unwrap();
        assert!(told.polls.contains(&trace_id), "{line}");
        assert!(line["job_id"].as_str().unwrap().starts_with("posts:"));
        assert!(line["generation"].as_u64().unwrap() >= 1);
    }
    let spans = format!("{:?}", told.spans);
    assert!(spans.contains("posts:3") && told.log.contains("posts:3"));
    for token in tokens.lock().unwrap().iter() {
        for secret in token.split('.').filter(|part| part.len() == 16) {
            assert!(!spans.contains(secret) && !told.log.contains(secret));
        }
    }
    assert!(!spans.contains(SECRET) && !told.log.contains(SECRET));
}
