//! Nothing grows without end, and nothing waits for a collector.

use std::{sync::atomic::Ordering::Relaxed, time::Duration};

use polling_model::trace::{Ending, names};
use polling_ops::traces::{CALL_DEADLINE, LAST_SPANS};
use tokio::time::{Instant, sleep};

use crate::support::{HANGS, Process, REFUSES, TAKES, config, delivery, job};

#[tokio::test(start_paused = true)]
async fn so_many_jobs_are_recorded_at_once() {
    let mut config = config(1.0);
    config.max_open = 2;
    let process = Process::start(config);
    let open = [job(1), job(2), job(3)];
    assert_eq!((process.counts)().unrecorded, 1);
    drop(open);
    delivery(4, Ending::Succeeded, 0);
    assert_eq!((process.counts)().unrecorded, 1);
    let jobs = process.stop().await.names();
    assert_eq!(jobs.iter().filter(|name| *name == names::JOB).count(), 3);
}

#[tokio::test(start_paused = true)]
async fn of_one_job_so_many_spans_are_kept_and_the_others_are_counted() {
    let mut config = config(1.0);
    config.max_spans = 3;
    let process = Process::start(config);
    job(1).in_scope(|| (0..10).for_each(|_| drop(tracing::info_span!("request"))));
    let collector = process.stop().await;
    assert_eq!(collector.spans().len(), 4);
    let job = collector.named(names::JOB);
    let told = job
        .attributes
        .iter()
        .find(|one| one.key.as_str() == "polling.dropped_spans");
    assert_eq!(told.unwrap().value.to_string(), "7");
}

#[tokio::test(start_paused = true)]
async fn attributes_events_and_texts_have_bounds() {
    let mut config = config(1.0);
    (config.max_attributes, config.max_text_size_bytes) = (4, 10);
    let process = Process::start(config);
    job(1).in_scope(|| {
        let span = tracing::info_span!("request", a = 1, b = 2, c = "é".repeat(10), d = 4, e = 5);
        span.in_scope(|| (0..10).for_each(|n| tracing::info!(n, "event")));
    });
    let request = process.stop().await.named("request");
    assert_eq!(
        (request.attributes.len(), request.dropped_attributes_count),
        (4, 1)
    );
    assert_eq!(request.attributes[2].value.to_string(), "ééééé");
    assert_eq!(
        (request.events.events.len(), request.events.dropped_count),
        (4, 6)
    );
}

#[tokio::test(start_paused = true)]
async fn what_has_not_ended_for_too_long_is_given_up() {
    let mut config = config(1.0);
    config.max_age = Duration::from_secs(60);
    let process = Process::start(config);
    let job = job(1);
    job.in_scope(|| drop(tracing::info_span!("early")));
    sleep(Duration::from_secs(61)).await;
    job.in_scope(|| drop(tracing::info_span!("late")));
    drop(job);
    assert_eq!(process.stop().await.names(), ["late", names::JOB]);
}

#[tokio::test(start_paused = true)]
async fn while_the_collector_is_away_spans_are_dropped_and_the_program_goes_on() {
    for outage in [REFUSES, HANGS] {
        let mut config = config(1.0);
        (config.max_waiting, config.max_batch) = (20, 8);
        let process = Process::start(config);
        process.collector.does.store(outage, Relaxed);
        for generation in 0..1_000 {
            delivery(generation, Ending::Succeeded, 0);
        }
        assert_eq!((process.counts)().dropped, 2_000 - 20);
        sleep(CALL_DEADLINE * 4).await;
        assert_eq!((process.counts)().dropped, 2_000);
        process.collector.does.store(TAKES, Relaxed);
        delivery(1_000, Ending::Succeeded, 0);
        process.pass().await;
        assert_eq!((process.counts)().exported, 2);
        assert_eq!(process.stop().await.names(), [names::POLL, names::JOB]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_exports_what_is_left_and_waits_for_no_collector_for_long() {
    let process = Process::start(config(1.0));
    (0..2_000).for_each(|generation| delivery(generation, Ending::Succeeded, 0));
    assert_eq!(process.stop().await.spans().len(), 4_000);
    let process = Process::start(config(1.0));
    process.collector.does.store(HANGS, Relaxed);
    (0..2_000).for_each(|generation| delivery(generation, Ending::Succeeded, 0));
    let began = Instant::now();
    assert!(process.stop().await.spans().is_empty());
    assert!(began.elapsed() <= CALL_DEADLINE + LAST_SPANS);
}
