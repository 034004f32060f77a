//! A payload that kills its worker's process at each poll, and what becomes of its neighbours.

use std::{sync::Arc, time::Duration};

use polling_core::{
    Context, Generator, Job, Queue, Worker, WorkerConfig, caps, model::wire, poller_fn,
};
use tokio::time::{sleep, timeout};

use crate::support::{LEFT, Process, Rig, VISIBILITY, polled};

/// How long a poll takes.
const POLL: Duration = Duration::from_millis(50);

/// As long as a process takes to start.
const START: Duration = Duration::from_secs(1);

/// Runs workers one after the other, each until the account 13 kills it, for `time` in all; each
/// takes `start` to come up. Returns how many were killed.
async fn run_processes(rig: &Rig, seed: u64, start: Duration, time: Duration) -> usize {
    let mut killed = 0;
    let running = async {
        loop {
            let process = Process::default();
            let worker = worker(rig, &process, seed + killed as u64);
            tokio::select! {
                biased;
                () = process.died() => killed += 1,
                _ = worker.run(std::future::pending()) => unreachable!("nobody stops it"),
            }
            sleep(start).await;
        }
    };
    let _ = timeout(time, running).await;
    killed
}

fn worker(rig: &Rig, process: &Process, seed: u64) -> Worker {
    let mortal = process.clone();
    let poller = poller_fn(move |job: Job| {
        let process = mortal.clone();
        async move {
            if job.account.as_str() == "13" {
                process.kill().await;
            }
            sleep(POLL).await;
            Ok(polled(0))
        }
    });
    Worker::builder()
        .work(process.queue(rig.work.inner.clone()))
        .completed(process.queue(rig.completed.inner.clone()))
        .bus(Arc::new(rig.bus.clone()))
        .clock(rig.clock.clone())
        .generator(Generator::from_seed(seed))
        .config(WorkerConfig {
            concurrency: 64,
            receive_wait: Duration::from_secs(1),
            ..WorkerConfig::default()
        })
        .poller(poller)
        .build()
        .unwrap()
}

/// The accounts on the dead-letter queue.
async fn dead(rig: &Rig) -> Vec<String> {
    // The move shows at the next look at the queue.
    rig.work.inner.stats().await.unwrap();
    let messages = rig.dead.messages();
    let jobs = messages
        .iter()
        .map(|message| wire::decode_job::<Context>(message.body.as_bytes()).unwrap());
    jobs.map(|job| job.account.to_string()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_poison_payload_takes_none_of_its_neighbours_to_the_dead_letter_queue() {
    for (seed, accounts) in [(1, 14), (2, 20), (3, 40), (4, 120)] {
        let rig = Rig::new();
        rig.send(0..accounts).await;
        let killed = run_processes(&rig, seed, START, Duration::from_secs(180)).await;
        assert_eq!(dead(&rig).await, ["13"], "of {accounts} jobs");
        assert_eq!(killed, 3, "as often as the queue delivers it");
        assert_eq!(rig.completions().len(), accounts - 1, "each of the others");
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_poll_holds_up_those_behind_it_for_a_bounded_time() {
    let rig = Rig::new();
    rig.send([7, 8, 9]).await;
    let received = rig.work.inner.receive(10, Duration::ZERO).await.unwrap();
    assert_eq!(received.len(), 3, "now each was delivered before");
    sleep(VISIBILITY).await;
    let poller = poller_fn(|job: Job| async move {
        if job.account.as_str() == "7" {
            sleep(Duration::from_secs(25)).await;
        }
        Ok(polled(0))
    });
    let config = WorkerConfig {
        shutdown_grace: Duration::ZERO,
        ..WorkerConfig::default()
    };
    let worker = rig.worker().config(config).poller(poller).build().unwrap();
    rig.run_for(worker, caps::SUSPECT_WAIT + POLL).await;
    assert_eq!(rig.completions().len(), 2, "both waited no longer");
}

#[tokio::test(start_paused = true)]
async fn a_poison_payload_past_its_time_still_reaches_the_dead_letter_queue() {
    let rig = Rig::new();
    rig.send([13]).await;
    let slow = LEFT * 3 / 4;
    let killed = run_processes(&rig, 1, slow, 3 * LEFT).await;
    assert_eq!(killed, 2, "then it is past its time");
    assert_eq!(dead(&rig).await, ["13"], "deleted, it would never count");
}
