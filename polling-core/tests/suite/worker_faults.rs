//! The worker when something goes wrong.

use std::{
    future::pending,
    num::NonZeroU32,
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

use polling_core::{
    BoxError, ErrorClass, Job, Observation, Outcome, PollError, Queue, WorkerConfig, poller_fn,
    rate_limit::{Quota, Scope},
    transport::{BusErrorKind, QueueErrorKind},
};
use tokio::time::sleep;
use tower::service_fn;

use crate::support::{LEFT, NOW_MS, Rig, polled, topic};

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(start_paused = true)]
async fn a_poll_that_panics_is_delivered_again_and_ends_on_the_dead_letter_queue() {
    let rig = Rig::new();
    rig.send([13, 42]).await;
    let poller = poller_fn(|job: Job| async move {
        assert_ne!(job.account.as_str(), "13", "on purpose");
        Ok(polled(0))
    });
    let worker = rig.worker().poller(poller).build().unwrap();
    let report = rig.run_for(worker, 3 * MINUTE).await;
    assert_eq!(
        rig.log.count("bug panic"),
        3,
        "as often as the queue delivers it"
    );
    assert_eq!(
        rig.log.count("redelivered work"),
        2,
        "the second and the third"
    );
    assert_eq!((report.polled, report.bugs), (1, 3));
    assert_eq!(rig.completions().len(), 1, "the healthy one");
    // The move shows at the next look at the queue.
    rig.work.inner.stats().await.unwrap();
    assert_eq!(rig.dead.messages().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_never_ends_is_completed_as_timed_out() {
    let rig = Rig::new();
    rig.send([42]).await;
    let worker = rig
        .worker()
        .poller(poller_fn(|_| pending()))
        .build()
        .unwrap();
    let report = rig.run_for(worker, MINUTE).await;
    assert_eq!((report.polled, report.errors, report.bugs), (1, 1, 0));
    let Outcome::Failed { failure } = &rig.completions()[0].outcome else {
        panic!("it brought nothing")
    };
    assert_eq!(failure.class, ErrorClass::Transient);
    assert_eq!(failure.code.as_ref().unwrap().as_str(), "poll_timeout");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_poll_that_blocks_its_thread_is_reported_while_others_go_on() {
    let rig = Rig::new();
    rig.send([13, 42]).await;
    let (hangs, seen) = mpsc::channel();
    let seen = Arc::new(Mutex::new(seen));
    let observer = move |observation: Observation<'_>| {
        if let Observation::Bug { kind: "hang", .. } = observation {
            hangs.send(()).unwrap();
        }
    };
    let (other_done, mut other) = tokio::sync::mpsc::unbounded_channel();
    let (blocked_done, mut blocked) = tokio::sync::mpsc::unbounded_channel();
    let poller = poller_fn(move |job: Job| {
        let (seen, other_done, blocked_done) =
            (seen.clone(), other_done.clone(), blocked_done.clone());
        async move {
            if job.account.as_str() == "13" {
                // Blocks until it is reported; were it not, the test would hang.
                seen.lock().unwrap().recv().unwrap();
                blocked_done.send(()).unwrap();
            } else {
                other_done.send(()).unwrap();
            }
            Ok(polled(0))
        }
    });
    let short = Duration::from_millis(10);
    let config = WorkerConfig {
        poll_timeout: short,
        hang_grace: short,
        ..WorkerConfig::default()
    };
    let worker = rig
        .worker()
        .poller(poller)
        .config(config)
        .observer(Arc::new(observer));
    let done = async {
        other.recv().await.unwrap();
        blocked.recv().await.unwrap();
    };
    worker.build().unwrap().run(done).await;
}

#[tokio::test(start_paused = true)]
async fn an_event_that_is_not_delivered_keeps_the_job_from_being_completed() {
    let rig = Rig::new();
    rig.send([42]).await;
    rig.bus.fail_next(1, BusErrorKind::Unreachable);
    let worker = rig
        .worker()
        .poller(poller_fn(|_| async { Ok(polled(2)) }))
        .build()
        .unwrap();
    rig.run_for(worker, MINUTE).await;
    assert_eq!(
        rig.log.entries(),
        [
            "polled ok 2",
            "bug publish",
            "extend work",
            "redelivered work",
            "extend work",
            "polled ok 2",
            "send completed",
            "ack work"
        ],
        "the second delivery waits for its turn and publishes all"
    );
    let ids: Vec<_> = rig
        .bus
        .take(&topic())
        .into_iter()
        .map(|event| event.id)
        .collect();
    assert_eq!(ids.len(), 3);
    assert_eq!(ids[0], ids[2], "with the same ids");
}

#[derive(Debug, thiserror::Error)]
#[error("retries are used up")]
struct UsedUp(#[source] PollError);

#[tokio::test(start_paused = true)]
async fn a_layer_that_fails_on_its_own_is_a_bug_and_one_that_wraps_is_looked_through() {
    let rig = Rig::new();
    rig.send([13, 42]).await;
    let core = service_fn(|job: Job| async move {
        match job.account.as_str() {
            "13" => Err::<polling_core::Polled, BoxError>("the layer broke".into()),
            _ => Err(UsedUp(PollError::gone("no such account")).into()),
        }
    });
    let worker = rig.worker().service(core).build().unwrap();
    rig.run_for(worker, Duration::from_secs(10)).await;
    assert_eq!(rig.log.count("bug middleware"), 1);
    let completions = rig.completions();
    assert_eq!(completions.len(), 1);
    assert_eq!(
        completions[0].outcome.failure().unwrap().class,
        ErrorClass::Gone
    );
}

#[tokio::test(start_paused = true)]
async fn what_waited_too_long_is_dropped_without_being_polled() {
    let rig = Rig::new();
    rig.send([42]).await;
    sleep(LEFT - Duration::from_secs(20)).await;
    let worker = rig
        .worker()
        .poller(poller_fn(|_| async { Ok(polled(0)) }))
        .build()
        .unwrap();
    let report = rig.run_for(worker, MINUTE).await;
    assert_eq!((report.dropped_late, report.polled), (1, 0));
    assert_eq!(rig.work.inner.messages(), []);
    assert_eq!(rig.completions(), []);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_decoded_reaches_the_dead_letter_queue_as_it_came() {
    let rig = Rig::new();
    rig.work.inner.send(vec!["{\"v\":9}".to_owned()]).await;
    let worker = rig
        .worker()
        .poller(poller_fn(|_| async { Ok(polled(0)) }))
        .build()
        .unwrap();
    let report = rig.run_for(worker, 3 * MINUTE).await;
    assert_eq!(report.undecodable, 3);
    rig.work.inner.stats().await.unwrap();
    assert_eq!(rig.dead.messages()[0].body, "{\"v\":9}");
}

#[tokio::test(start_paused = true)]
async fn failed_receives_are_tried_again() {
    let rig = Rig::new();
    rig.send([42]).await;
    for _ in 0..3 {
        rig.work.fail("receive", QueueErrorKind::Unreachable);
    }
    let worker = rig
        .worker()
        .poller(poller_fn(|_| async { Ok(polled(0)) }))
        .build()
        .unwrap();
    let report = rig.run_for(worker, MINUTE).await;
    assert_eq!(rig.log.count("receive work"), 3);
    assert_eq!(report.polled, 1);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_could_not_be_deleted_is_polled_again_and_no_more() {
    let rig = Rig::new();
    rig.send([42]).await;
    rig.work.fail("ack", QueueErrorKind::Timeout);
    let worker = rig
        .worker()
        .poller(poller_fn(|_| async { Ok(polled(0)) }))
        .build()
        .unwrap();
    let report = rig.run_for(worker, 2 * MINUTE).await;
    assert_eq!((report.ack_failed, report.polled), (1, 2));
    let tokens: Vec<_> = rig
        .completions()
        .iter()
        .map(|completion| completion.token)
        .collect();
    assert_eq!(tokens[0], tokens[1], "the second settles as stale");
}

#[tokio::test(start_paused = true)]
async fn a_throttle_of_one_call_a_second_sends_none_of_ten_thousand_jobs_to_the_dead_letter_queue()
{
    const JOBS: usize = 10_000;
    let rig = Rig::new();
    rig.send(0..JOBS).await;
    let one_a_second = Quota::per_second(NonZeroU32::MIN);
    let worker = rig
        .worker()
        .pace(Scope::app(), one_a_second)
        .poller(poller_fn(|_| async { Ok(polled(0)) }))
        .build()
        .unwrap();
    rig.run_for(worker, LEFT).await;
    rig.work.inner.stats().await.unwrap();
    assert_eq!(rig.dead.messages().len(), 0);
    let completions = rig.completions();
    assert_eq!(completions.len(), JOBS, "none was lost, none came twice");
    let failures = completions.iter().filter_map(|one| one.outcome.failure());
    let classes: Vec<_> = failures.map(|failure| failure.class).collect();
    assert!(
        classes
            .iter()
            .all(|class| *class == ErrorClass::RateLimited)
    );
    assert!(
        JOBS - classes.len() <= 1 + LEFT.as_secs() as usize,
        "one call a second"
    );
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_never_answers_holds_up_neither_receiving_nor_a_job_for_ever() {
    let rig = Rig::new();
    rig.work.fall_silent("receive");
    let worker = rig
        .worker()
        .poller(poller_fn(|_| async { Ok(polled(0)) }))
        .build()
        .unwrap();
    let working = async {
        sleep(Duration::from_secs(1)).await;
        rig.send([42]).await;
        rig.work.fall_silent("ack");
        sleep(5 * MINUTE).await;
    };
    let report = worker.run(working).await;
    assert_eq!(
        (report.polled, report.ack_failed),
        (2, 1),
        "and polled once more, in vain"
    );
    assert_eq!(rig.work.inner.messages(), []);
}

#[tokio::test(start_paused = true)]
async fn the_pulse_tells_since_when_no_job_has_ended() {
    let rig = Rig::new();
    rig.send([10, 25]).await;
    let poller = poller_fn(|job: Job| async move {
        sleep(Duration::from_secs(job.account.as_str().parse().unwrap())).await;
        Ok(polled(0))
    });
    let worker = rig.worker().poller(poller).build().unwrap();
    let pulse = worker.pulse();
    let waiting_s = || {
        pulse
            .waiting_since_ms()
            .map(|at_ms| (at_ms - NOW_MS) / 1_000)
    };
    let seen = async {
        let mut seen = vec![waiting_s()];
        for _ in 0..3 {
            sleep(Duration::from_secs(10)).await;
            sleep(Duration::from_millis(500)).await;
            seen.push(waiting_s());
        }
        seen
    };
    let (seen, _) = tokio::join!(seen, rig.run_for(worker, MINUTE));
    // Both begin at once; at 10 s one has ended, at 25 s both.
    assert_eq!(seen, [None, Some(10), Some(10), None]);
}
