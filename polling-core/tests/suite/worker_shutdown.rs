//! The end of a worker.

use std::{future::pending, time::Duration};

use polling_core::{Poller, Queue, Worker, WorkerConfig, poller_fn};
use tokio::time::{Instant, sleep, timeout};

use crate::support::{Rig, polled};

const SECOND: Duration = Duration::from_secs(1);

/// A worker that gives its jobs so many seconds at its end.
fn worker(rig: &Rig, grace_s: u32, poller: impl Poller) -> Worker {
    let config = WorkerConfig {
        shutdown_grace: grace_s * SECOND,
        receive_wait: 3 * SECOND,
        ..WorkerConfig::default()
    };
    rig.worker().poller(poller).config(config).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn jobs_under_way_finish_within_the_grace() {
    let rig = Rig::new();
    rig.send(0..5).await;
    let poller = poller_fn(|_| async {
        sleep(10 * SECOND).await;
        Ok(polled(1))
    });
    let worker = worker(&rig, 20, poller);
    let started = Instant::now();
    let report = rig.run_for(worker, SECOND).await;
    assert_eq!((report.polled, report.given_back), (5, 0));
    assert_eq!(
        started.elapsed(),
        10 * SECOND,
        "and no longer than they need"
    );
    assert_eq!(rig.completions().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_done_by_then_is_given_back_at_once() {
    let rig = Rig::new();
    rig.send(0..5).await;
    let worker = worker(&rig, 5, poller_fn(|_| pending()));
    let started = Instant::now();
    let report = rig.run_for(worker, SECOND).await;
    assert_eq!((report.received, report.given_back, report.bugs), (5, 5, 0));
    assert_eq!(started.elapsed(), 6 * SECOND);
    assert_eq!(rig.work.inner.stats().await.unwrap().visible, 5);
    assert_eq!(rig.completions(), []);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_received_any_more_once_shutdown_has_begun() {
    let rig = Rig::new();
    rig.send([1]).await;
    let poller = poller_fn(|_| async {
        sleep(10 * SECOND).await;
        Ok(polled(0))
    });
    let worker = worker(&rig, 20, poller);
    let shutdown = async {
        sleep(SECOND).await;
        rig.send([2]).await;
    };
    let report = worker.run(shutdown).await;
    assert_eq!(report.received, 1);
    assert_eq!(rig.work.inner.stats().await.unwrap().visible, 1);
}

#[tokio::test(start_paused = true)]
async fn what_an_open_receive_is_given_after_shutdown_goes_back_at_once() {
    let rig = Rig::new();
    let poller = poller_fn(|_| async { Ok(polled(0)) });
    let worker = worker(&rig, 20, poller);
    let started = Instant::now();
    let late = async {
        sleep(2 * SECOND).await;
        rig.send([1]).await;
    };
    let (report, ()) = tokio::join!(rig.run_for(worker, SECOND), late);
    assert_eq!((report.received, report.polled), (0, 0));
    let (stats, messages) = (
        rig.work.inner.stats().await.unwrap(),
        rig.work.inner.messages(),
    );
    assert_eq!((stats.visible, messages[0].receive_count), (1, 1));
    assert_eq!(started.elapsed(), 2 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn an_idle_worker_ends_with_its_receive() {
    let rig = Rig::new();
    let poller = poller_fn(|_| async { Ok(polled(0)) });
    let worker = worker(&rig, 20, poller);
    let started = Instant::now();
    rig.run_for(worker, SECOND).await;
    assert_eq!(started.elapsed(), 3 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_bus_that_cannot_be_flushed_is_told_and_holds_up_the_end_no_longer_than_its_deadline() {
    let rig = Rig::new();
    rig.send([1]).await;
    rig.bus.pause();
    let poller = poller_fn(|_| async { Ok(polled(1)) });
    let worker = worker(&rig, 5, poller);
    let started = Instant::now();
    let report = rig.run_for(worker, SECOND).await;
    assert!(!report.flushed);
    assert_eq!(report.given_back, 1);
    assert!(started.elapsed() <= 20 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn dropping_a_running_worker_gives_its_messages_back() {
    let rig = Rig::new();
    rig.send(0..5).await;
    let worker = rig
        .worker()
        .poller(poller_fn(|_| pending()))
        .build()
        .unwrap();
    let _ = timeout(SECOND, worker.run(pending())).await;
    sleep(SECOND).await;
    assert_eq!(rig.work.inner.stats().await.unwrap().visible, 5);
}
