//! Asking: how often, for how long, and what is told.
#![allow(clippy::unwrap_used)]

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use polling_model::{ManualClock, SharedClock};
use polling_ops::health::{
    Check, Health, HealthBuilder, State,
    checks::{self, AgeBound},
};
use polling_transport::{TokioClock, memory::MemoryQueue};
use tokio::{sync::Notify, time::advance};

const START_MS: i64 = 1_800_000_000_000;

fn builder() -> HealthBuilder {
    Health::builder(Arc::new(TokioClock::starting_at(START_MS)))
}

/// A check, how often it was asked, and what it answers.
fn counted(name: &str) -> (Check, Arc<AtomicUsize>, Arc<AtomicBool>) {
    let (asked, passes) = (Arc::default(), Arc::new(AtomicBool::new(true)));
    let (counter, answer): (Arc<AtomicUsize>, Arc<AtomicBool>) =
        (Arc::clone(&asked), Arc::clone(&passes));
    let check = Check::new(name, move || {
        counter.fetch_add(1, SeqCst);
        answer.load(SeqCst)
    });
    (check, asked, passes)
}

#[tokio::test(start_paused = true)]
async fn an_answer_holds_for_its_time() {
    let (check, asked, passes) = counted("store");
    let health = builder()
        .check(check.cache(Duration::from_secs(1)))
        .build()
        .unwrap();
    assert!(health.readiness().await.serves());
    passes.store(false, SeqCst);
    advance(Duration::from_millis(999)).await;
    assert!(health.readiness().await.serves());
    assert_eq!(asked.load(SeqCst), 1);
    advance(Duration::from_millis(1)).await;
    assert!(!health.readiness().await.serves());
    assert_eq!(asked.load(SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn however_many_ask_a_check_runs_once_at_a_time() {
    let (asked, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let (counter, opened) = (Arc::clone(&asked), Arc::clone(&gate));
    let check = Check::new("store", move || {
        counter.fetch_add(1, SeqCst);
        let opened = Arc::clone(&opened);
        async move {
            opened.notified().await;
            true
        }
    });
    let health = builder()
        .check(check.cache(Duration::ZERO))
        .build()
        .unwrap();
    let many = (0..100).map(|_| health.readiness());
    let (reports, ()) = tokio::join!(futures_util::future::join_all(many), async {
        gate.notify_one();
    });
    assert!(reports.iter().all(|report| report.serves()));
    assert_eq!(asked.load(SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn who_stops_waiting_takes_nobodys_answer_away() {
    let gate = Arc::new(Notify::new());
    let opened = Arc::clone(&gate);
    let slow = move || {
        let opened = Arc::clone(&opened);
        async move {
            opened.notified().await;
            true
        }
    };
    let health = builder().ready("store", slow).build().unwrap();
    let impatient = tokio::time::timeout(Duration::from_millis(1), health.readiness()).await;
    assert!(impatient.is_err());
    let (report, ()) = tokio::join!(health.readiness(), async { gate.notify_one() });
    assert_eq!(report.state(), State::Passing);
}

#[tokio::test(start_paused = true)]
async fn a_check_that_hangs_holds_up_nobody_for_longer_than_its_timeout() {
    let hangs = Check::new("bus", pending::<bool>).timeout(Duration::from_secs(2));
    let health = builder()
        .check(hangs)
        .ready("store", || true)
        .build()
        .unwrap();
    let start = tokio::time::Instant::now();
    let report = health.readiness().await;
    assert_eq!(start.elapsed(), Duration::from_secs(2));
    assert_eq!(
        report.checks["bus"].reason.as_deref(),
        Some("no answer within 2s")
    );
    assert_eq!(report.checks["bus"].took_ms, 2_000);
    assert_eq!(report.checks["store"].state, State::Passing);
}

#[tokio::test]
async fn liveness_asks_its_own_checks_and_counts_for_readiness_too() {
    let (store, asked_store, _) = counted("store");
    let (pump, _, pump_passes) = counted("pump");
    let health = builder()
        .check(store)
        .check(pump.for_liveness().cache(Duration::ZERO))
        .build()
        .unwrap();
    let alive = health.liveness().await;
    assert_eq!(alive.checks.keys().collect::<Vec<_>>(), ["pump"]);
    assert_eq!(asked_store.load(SeqCst), 0);
    pump_passes.store(false, SeqCst);
    assert_eq!(health.liveness().await.state(), State::Failing);
    assert_eq!(health.readiness().await.state(), State::Failing);
}

#[tokio::test]
async fn what_is_degraded_serves_and_says_why() {
    let bus = Check::new("bus", || Err::<(), _>("away")).only_degrades();
    let health = builder()
        .check(bus)
        .ready("store", || true)
        .build()
        .unwrap();
    let report = health.readiness().await;
    assert_eq!((report.state(), report.serves()), (State::Degraded, true));
    assert_eq!(report.checks["bus"].reason.as_deref(), Some("away"));
}

#[tokio::test]
async fn who_ends_is_alive_but_not_ready() {
    let health = builder().live("pump", || true).build().unwrap();
    health.stop_serving();
    assert_eq!(health.readiness().await.state(), State::Failing);
    assert_eq!(health.liveness().await.state(), State::Passing);
}

#[tokio::test(start_paused = true)]
async fn in_the_background_changes_are_seen_although_nobody_asks() {
    let (check, _, passes) = counted("store");
    let health = builder()
        .check(check)
        .interval(Duration::from_secs(5))
        .build()
        .unwrap();
    let mut view = health.watch();
    assert_eq!(view.borrow().state(), State::Unknown);
    let background = health.clone();
    let runs = tokio::spawn(async move { background.run(pending()).await });

    let passing = view
        .wait_for(|report| report.serves())
        .await
        .unwrap()
        .clone();
    assert_eq!(passing.checks["store"].since_ms, Some(START_MS));
    passes.store(false, SeqCst);
    let failing = view
        .wait_for(|report| !report.serves())
        .await
        .unwrap()
        .clone();
    assert_eq!(failing.checks["store"].since_ms, Some(START_MS + 5_000));
    let later =
        view.wait_for(|report| report.checks["store"].checked_ms == Some(START_MS + 15_000));
    // It has failed since then, however often it was asked.
    let later = later.await.unwrap().clone();
    assert_eq!(later.checks["store"].since_ms, Some(START_MS + 5_000));
    runs.abort();
}

#[tokio::test]
async fn the_background_ends_when_it_is_told_to() {
    let health = builder().ready("bus", pending::<bool>).build().unwrap();
    health.run(async {}).await;
}

#[tokio::test]
async fn a_queue_is_checked_by_its_statistics() {
    let clock: SharedClock = Arc::new(ManualClock::at(START_MS));
    let queue = MemoryQueue::builder("posts", Arc::clone(&clock)).build();
    let health = Health::builder(clock)
        .check(checks::queue(queue))
        .build()
        .unwrap();
    let report = health.readiness().await;
    assert_eq!(report.checks["queue posts"].state, State::Passing);
}

#[tokio::test]
async fn what_is_too_old_degrades_then_fails() {
    let clock = ManualClock::at(START_MS);
    let shared: SharedClock = Arc::new(clock.clone());
    let bound = AgeBound::at_most(Duration::from_secs(60)).degraded_after(Duration::from_secs(10));
    let check = checks::age("tick", Arc::clone(&shared), bound, || Some(START_MS));
    let health = Health::builder(shared).check(check).build().unwrap();
    for (age_s, state, reason) in [
        (10, State::Passing, None),
        (11, State::Degraded, Some("last 11s ago, more than 10s")),
        (61, State::Failing, Some("last 61s ago, more than 60s")),
        (-5, State::Passing, None),
    ] {
        clock.set(START_MS + age_s * 1_000);
        let report = health.readiness().await;
        let tick = &report.checks["tick"];
        assert_eq!(
            (tick.state, tick.reason.as_deref()),
            (state, reason),
            "{age_s} s"
        );
    }
}

#[tokio::test]
async fn what_never_happened_counts_from_the_start_and_what_idles_is_not_stuck() {
    let clock = ManualClock::at(START_MS);
    let shared: SharedClock = Arc::new(clock.clone());
    let minute = Duration::from_secs(60);
    let health = Health::builder(Arc::clone(&shared))
        .check(checks::age("tick", Arc::clone(&shared), minute, || None))
        .check(checks::stuck("idle", Arc::clone(&shared), minute, || None))
        .check(checks::stuck("pump", shared, minute, || Some(START_MS)))
        .build()
        .unwrap();
    assert_eq!(health.readiness().await.state(), State::Passing);
    clock.advance(Duration::from_secs(61));
    let report = health.readiness().await;
    let reason = |name: &str| report.checks[name].reason.as_deref();
    assert_eq!(
        reason("tick"),
        Some("not once since the start 61s ago, more than 60s")
    );
    assert_eq!(reason("idle"), None);
    assert_eq!(reason("pump"), Some("stuck, since 61s ago, more than 60s"));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_yet_fails_with_what_is_lacking_until_it_is_found() {
    let (check, queue) = checks::late("queue");
    let health = builder()
        .check(check.cache(Duration::ZERO))
        .build()
        .unwrap();
    let reason = async || health.readiness().await.checks["queue"].reason.clone();
    assert_eq!(reason().await.as_deref(), Some("not yet looked for"));
    queue.lacks("no queue called posts");
    assert_eq!(reason().await.as_deref(), Some("no queue called posts"));

    let passes = Arc::new(AtomicBool::new(true));
    let answer = Arc::clone(&passes);
    queue.found(Check::new("found", move || answer.load(SeqCst)));
    assert_eq!(reason().await, None);
    queue.lacks("too late to say");
    queue.found(Check::new("another", || false));
    assert_eq!(reason().await, None);
    passes.store(false, SeqCst);
    assert!(!health.readiness().await.serves());
}
