//! Messages that wait longer than planned, and schedulers that die before they send.

use std::{collections::BTreeMap, time::Duration};

use polling_model::{Context, JobId, Nonce, wire};
use polling_transport::Queue;
use scheduler_lib::{
    Limits, SlotStore,
    store::{DrainRequest, MAX_CHUNK, Place},
};
use tokio::time::{Instant, sleep};

use crate::bench::{Bench, INTERVAL, completion, succeeded};

const JOBS: usize = 50;
const HOUR: Duration = Duration::from_secs(3600);

/// Works on everything for some time, as workers do: what is past its time is dropped, the rest is
/// polled. How often each job was polled.
async fn work(bench: &Bench, time: Duration) -> BTreeMap<JobId, usize> {
    let mut polls = BTreeMap::new();
    let end = Instant::now() + time;
    while Instant::now() < end {
        let received = bench
            .work
            .receive(10, Duration::from_secs(1))
            .await
            .unwrap();
        for message in received {
            let job = wire::decode_job(message.body.as_bytes()).unwrap();
            if job.not_after_ms > bench.clock.now_ms() {
                *polls.entry(job.id.clone()).or_default() += 1;
                let body = completion(&job, succeeded(Context::new()));
                assert_eq!(bench.completed.send(vec![body]).await, [Ok(())]);
            }
            bench.work.ack(&message.receipt).await.unwrap();
        }
    }
    polls
}

async fn register_all(bench: &Bench) {
    for account in 0..JOBS {
        bench.register(&account.to_string()).await;
    }
}

/// The workers are back: no job is forgotten for longer than a lease, and few polls are in vain.
async fn assert_recovers(bench: &Bench) {
    let before = accepted(bench);
    let polls = work(bench, lease(bench)).await;
    assert_eq!(polls.len(), JOBS, "none is forgotten");
    sleep(Duration::from_secs(5)).await;
    let total: usize = polls.values().sum();
    let settled = accepted(bench) - before;
    assert!(
        total * 10 <= settled * 11,
        "{total} polls for {settled} results"
    );
    assert_eq!(bench.dead_letter.messages().len(), 0);
    bench.assert_conserved().await;
}

fn accepted(bench: &Bench) -> usize {
    let status = bench.monitor.status().into_values().next().unwrap();
    usize::try_from(status.accepted).unwrap()
}

fn lease(bench: &Bench) -> Duration {
    let limits = Limits::default();
    limits.message_life(bench.work.visibility_timeout()) + limits.in_flight_margin
}

#[tokio::test(start_paused = true)]
async fn after_three_leases_without_workers_all_jobs_are_back_soon_and_few_polls_are_in_vain() {
    let bench = Bench::start();
    register_all(&bench).await;
    sleep(INTERVAL + 3 * lease(&bench)).await;
    assert_recovers(&bench).await;
}

#[tokio::test(start_paused = true)]
async fn hours_without_workers_leave_few_messages_for_each_job() {
    let bench = Bench::start();
    register_all(&bench).await;
    sleep(6 * HOUR).await;
    let waiting = bench.work.messages().len();
    assert!(waiting <= 12 * JOBS, "{waiting} messages for {JOBS} jobs");
    assert_recovers(&bench).await;
}

#[tokio::test(start_paused = true)]
async fn messages_that_vanish_do_not_lengthen_the_leases_after_them() {
    let bench = Bench::start();
    let id = bench.register("42").await;
    let mut received_ms = Vec::new();
    while received_ms.len() < 8 {
        let (message, _) = bench.receive().await;
        bench.work.ack(&message.receipt).await.unwrap();
        received_ms.push(bench.clock.now_ms());
    }
    let longest_ms = received_ms.windows(2).map(|pair| pair[1] - pair[0]).max();
    assert!(longest_ms < Some(15 * 60_000), "{received_ms:?}");
    assert!(matches!(bench.place(&id).await, Place::InFlight { .. }));
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_late_is_not_polled_beyond_its_lease() {
    let mut bench = Bench::start();
    let id = bench.register("42").await;
    bench.stop().await;
    // A scheduler that drains, and dies.
    sleep(2 * INTERVAL).await;
    let now_ms = bench.clock.now_ms();
    let deadline_ms = now_ms + 600_000;
    let request = DrainRequest {
        pace_ms: 0,
        now_ms,
        limit: MAX_CHUNK,
        nonce: Nonce(7),
        note_deadline_ms: now_ms + 30_000,
        max_open_notes: 64,
        deadlines_ms: BTreeMap::new(),
        default_deadline_ms: deadline_ms,
    };
    while bench
        .store
        .drain(request.clone())
        .await
        .unwrap()
        .jobs
        .is_empty()
    {}
    sleep(Duration::from_secs(300)).await;
    bench.restart();
    let (_, job) = bench.receive().await;
    assert_eq!(bench.place(&id).await, Place::InFlight { deadline_ms });
    assert!(
        job.not_after_ms < deadline_ms,
        "{} is too late",
        job.not_after_ms
    );
}
