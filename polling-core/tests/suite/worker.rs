use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use polling_core::{
    ErrorClass, Job, Outcome, PollError, Polled, Queue, Worker, WorkerConfig, poller_fn,
    rate_limit::{Quota, Scope},
    transport::memory::{MemoryBus, MemoryQueue},
    worker::BuildError,
};
use tokio::time::{Instant, sleep};
use tower::{limit::ConcurrencyLimitLayer, service_fn, util::MapRequestLayer};

use crate::support::{Rig, body, polled, topic};

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(start_paused = true)]
async fn jobs_are_polled_published_completed_and_acknowledged() {
    let rig = Rig::new();
    rig.send(0..100).await;
    let worker = rig
        .worker()
        .poller(poller_fn(|_| async { Ok(polled(2)) }))
        .build()
        .unwrap();
    let report = rig.run_for(worker, MINUTE).await;
    assert_eq!(
        (report.received, report.polled, report.events),
        (100, 100, 200)
    );
    assert_eq!(
        (report.bugs, report.given_back, report.flushed),
        (0, 0, true)
    );
    assert_eq!(rig.completions().len(), 100);
    assert_eq!(rig.bus.take(&topic()).len(), 200);
    assert_eq!(rig.work.inner.messages(), []);
}

#[tokio::test(start_paused = true)]
async fn the_message_is_deleted_only_after_the_completion_is_stored() {
    let rig = Rig::new();
    rig.send([42]).await;
    let worker = rig
        .worker()
        .poller(poller_fn(|_| async { Ok(polled(1)) }))
        .build()
        .unwrap();
    rig.run_for(worker, MINUTE).await;
    assert_eq!(
        rig.log.entries(),
        ["polled ok 1", "send completed", "ack work"]
    );
}

#[tokio::test(start_paused = true)]
async fn the_completion_is_stored_only_after_every_event_is_delivered() {
    let rig = Rig::new();
    rig.send([42]).await;
    rig.bus.pause();
    let worker = rig
        .worker()
        .poller(poller_fn(|_| async { Ok(polled(3)) }))
        .build()
        .unwrap();
    let delivering = async {
        sleep(Duration::from_secs(10)).await;
        assert_eq!(rig.completions(), []);
        rig.bus.resume();
        sleep(Duration::from_secs(1)).await;
        assert_eq!(rig.completions().len(), 1);
    };
    worker.run(delivering).await;
}

#[tokio::test(start_paused = true)]
async fn a_long_poll_keeps_its_message_from_others() {
    let rig = Rig::new();
    rig.send([42]).await;
    let poller = poller_fn(|_| async {
        sleep(Duration::from_secs(200)).await;
        Ok(polled(1))
    });
    let config = WorkerConfig {
        poll_timeout: Duration::from_secs(250),
        max_lifetime: Duration::from_secs(400),
        ..WorkerConfig::default()
    };
    let worker = rig.worker().poller(poller).config(config).build().unwrap();
    let report = rig.run_for(worker, 4 * MINUTE).await;
    assert_eq!((report.received, report.polled), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn no_more_jobs_run_than_there_are_permits() {
    let rig = Rig::new();
    rig.send(0..50).await;
    let running = Arc::new(tokio::sync::Semaphore::new(3));
    let poller = poller_fn(move |_| {
        let permit = running
            .clone()
            .try_acquire_owned()
            .expect("no more than three at once");
        async move {
            sleep(Duration::from_secs(5)).await;
            drop(permit);
            Ok(polled(0))
        }
    });
    let config = WorkerConfig {
        concurrency: 3,
        ..WorkerConfig::default()
    };
    let worker = rig.worker().poller(poller).config(config).build().unwrap();
    let report = rig.run_for(worker, 2 * MINUTE).await;
    assert_eq!((report.polled, report.bugs), (50, 0));
    let received = rig.work.inner.messages();
    assert_eq!(
        received,
        [],
        "none was received before its turn: no dead letters"
    );
}

#[tokio::test(start_paused = true)]
async fn work_queues_take_turns_and_an_idle_one_holds_up_nobody() {
    let rig = Rig::new();
    let idle = MemoryQueue::builder("idle", rig.clock.clone()).build();
    let other = MemoryQueue::builder("other", rig.clock.clone()).build();
    rig.send(0..1_000).await;
    other
        .send((0..10).map(|n| body(&format!("other-{n}"))).collect())
        .await;
    let poller = poller_fn(|_| async {
        sleep(Duration::from_secs(1)).await;
        Ok(polled(0))
    });
    let config = WorkerConfig {
        concurrency: 4,
        ..WorkerConfig::default()
    };
    let worker = Worker::builder()
        .work(idle)
        .work(rig.work.clone())
        .work(other.clone())
        .completed(rig.completed.clone())
        .bus(Arc::new(rig.bus.clone()))
        .clock(rig.clock.clone())
        .poller(poller)
        .config(config)
        .build()
        .unwrap();
    let report = rig.run_for(worker, MINUTE).await;
    assert_eq!(
        other.messages(),
        [],
        "the small queue is done while the large one is not"
    );
    // Each of the two idle queues waits with one of the four permits.
    assert!(report.polled >= 100, "{report:?}");
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_has_just_run_dry_holds_up_nobody() {
    let rig = Rig::new();
    let other = MemoryQueue::builder("other", rig.clock.clone()).build();
    rig.send(0..100).await;
    let worker = rig.worker().work(other.clone()).config(WorkerConfig {
        concurrency: 4,
        ..WorkerConfig::default()
    });
    let poller = poller_fn(|job: Job| async move {
        let takes_s = u64::from(job.account.as_str().starts_with("slow"));
        sleep(Duration::from_secs(takes_s)).await;
        Ok(polled(0))
    });
    let worker = worker.poller(poller).build().unwrap();
    let late = async {
        sleep(Duration::from_millis(500)).await;
        assert_eq!(rig.work.inner.messages(), []);
        let slow = (0..100).map(|n| body(&format!("slow-{n}")));
        other.send(slow.collect()).await;
        sleep(Duration::from_secs(10)).await;
        let done = 100 - other.messages().len();
        // Three of the four permits are free for it, but for the first second.
        assert!(done >= 24, "{done}");
    };
    worker.run(late).await;
}

#[tokio::test(start_paused = true)]
async fn a_queue_waits_with_no_more_than_its_share_of_the_permits() {
    let rig = Rig::new();
    let other = MemoryQueue::builder("other", rig.clock.clone()).build();
    rig.send(0..100).await;
    let worker = rig.worker().work(other.clone()).config(WorkerConfig {
        concurrency: 10,
        ..WorkerConfig::default()
    });
    let poller = poller_fn(|job: Job| async move {
        let takes_s = u64::from(job.account.as_str().starts_with("slow"));
        sleep(Duration::from_secs(takes_s)).await;
        Ok(polled(0))
    });
    let worker = worker.poller(poller).build().unwrap();
    let meanwhile = async {
        sleep(Duration::from_millis(500)).await;
        assert_eq!(rig.work.inner.messages(), []);
        let slow = (0..100).map(|n| body(&format!("slow-{n}")));
        other.send(slow.collect()).await;
        sleep(Duration::from_millis(100)).await;
        // The queue that ran dry still waits, as one that brings much does: with all it may have.
        let stats = other.stats().await.unwrap();
        assert_eq!(stats.in_flight, 5);
    };
    worker.run(meanwhile).await;
}

#[tokio::test(start_paused = true)]
async fn fifty_thousand_events_of_one_poll_are_all_delivered_through_a_small_bus() {
    let mut rig = Rig::new();
    rig.bus = MemoryBus::builder().capacity(100).build();
    rig.send([42]).await;
    let poller = poller_fn(|_| async { Ok(polled(50_000)) });
    let worker = rig.worker().poller(poller).build().unwrap();
    let consumed = async {
        let mut events = 0;
        while events < 50_000 {
            events += rig.bus.receive(&topic(), 1_000).await.len();
        }
    };
    let report = worker.run(consumed).await;
    assert_eq!((report.polled, report.bugs, report.given_back), (1, 0, 0));
    assert_eq!(rig.completions()[0].events, 50_000);
}

#[tokio::test(start_paused = true)]
async fn any_tower_service_and_layer_can_be_the_core() {
    let rig = Rig::new();
    rig.send(0..5).await;
    let core = service_fn(|_: Job| async {
        sleep(Duration::from_secs(1)).await;
        Ok::<_, PollError>(polled(1))
    });
    let worker = rig
        .worker()
        .layer(ConcurrencyLimitLayer::new(1))
        .service(core)
        .build()
        .unwrap();
    let report = rig.run_for(worker, MINUTE).await;
    assert_eq!((report.polled, report.errors, report.bugs), (5, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn the_layer_added_first_is_the_outermost() {
    let rig = Rig::new();
    rig.send([42]).await;
    let noting = |name: &'static str| {
        let log = rig.log.clone();
        MapRequestLayer::new(move |job: Job| {
            log.add(name);
            job
        })
    };
    let worker = rig
        .worker()
        .layer(noting("outer"))
        .layer(noting("inner"))
        .poller(poller_fn(|_| async { Ok(Polled::default()) }))
        .build()
        .unwrap();
    rig.run_for(worker, MINUTE).await;
    assert_eq!(rig.log.entries()[..2], ["outer", "inner"]);
}

#[tokio::test(start_paused = true)]
async fn a_slow_pace_sends_no_healthy_job_to_the_dead_letter_queue() {
    let rig = Rig::new();
    rig.send(0..2_000).await;
    let worker = rig
        .worker()
        .poller(poller_fn(|_| async { Ok(polled(0)) }))
        .pace(Scope::app(), Quota::per_second(std::num::NonZeroU32::MIN))
        .build()
        .unwrap();
    let report = rig.run_for(worker, 5 * MINUTE).await;
    assert_eq!(report.bugs, 0);
    assert_eq!(rig.dead.messages(), []);
    let completions = rig.completions();
    let paced = |outcome: &Outcome| {
        let failure = outcome.failure();
        failure.is_some_and(|failure| failure.class == ErrorClass::RateLimited)
    };
    let called = completions
        .iter()
        .filter(|completion| !paced(&completion.outcome))
        .count();
    assert_eq!(completions.len(), 2_000);
    assert!((20..=301).contains(&called), "{called}");
}

#[tokio::test(start_paused = true)]
async fn a_worker_takes_its_part_of_a_pace_and_is_told_when_it_grows() {
    let rig = Rig::new();
    rig.send(0..200).await;
    let (calls, started) = (Arc::new(Mutex::new(Vec::new())), Instant::now());
    let noting = calls.clone();
    let worker = rig
        .worker()
        .config(WorkerConfig {
            replicas: 2,
            rate_limit_wait: Duration::from_secs(100),
            ..WorkerConfig::default()
        })
        .poller(poller_fn(move |_| {
            noting.lock().unwrap().push(started.elapsed().as_secs());
            async { Ok(polled(0)) }
        }))
        .pace(Scope::app(), Quota::per_second(std::num::NonZeroU32::MIN))
        .build()
        .unwrap();
    let replicas = worker.replicas();
    assert_eq!(replicas.get(), 2);
    tokio::spawn(async move {
        sleep(Duration::from_secs(20)).await;
        replicas.set(std::num::NonZeroU32::MIN);
    });
    rig.run_for(worker, MINUTE).await;
    let calls = calls.lock().unwrap();
    let until = |second| calls.iter().filter(|at| **at < second).count();
    assert_eq!((until(20), until(60) - until(30)), (10, 30), "{calls:?}");
}

#[tokio::test]
async fn what_is_missing_is_named_at_build() {
    let rig = Rig::new();
    let poller = || poller_fn(|_| async { Ok(polled(0)) });
    let build = |worker: polling_core::WorkerBuilder| {
        worker.poller(poller()).build().unwrap_err().to_string()
    };
    assert_eq!(
        build(Worker::builder()),
        "the worker has no work queue: call `.work(…)` on its builder"
    );
    assert_eq!(
        build(Worker::builder().work(rig.work.clone())),
        "the worker has no completed queue: call `.completed(…)` on its builder"
    );
    assert_eq!(
        build(
            Worker::builder()
                .work(rig.work.clone())
                .completed(rig.completed.clone())
        ),
        "the worker has no event bus: call `.bus(…)` on its builder"
    );
    let config = WorkerConfig {
        concurrency: 1,
        ..WorkerConfig::default()
    };
    assert_eq!(
        build(rig.worker().work(rig.work.clone()).config(config)),
        "worker configuration: concurrency is 1: it needs 2 at least, one for each work queue"
    );
    let hasty = MemoryQueue::builder("hasty", rig.clock.clone())
        .visibility_timeout(Duration::from_millis(500))
        .build();
    let error = rig
        .worker()
        .work(hasty)
        .poller(poller())
        .build()
        .unwrap_err();
    assert!(matches!(error, BuildError::Config(_)), "{error}");
}

#[tokio::test]
async fn two_workers_of_one_name_have_two_identities() {
    let rig = Rig::new();
    let worker = || {
        let builder = rig.worker().generator(polling_core::Generator::from_os());
        builder
            .poller(poller_fn(|_| async { Ok(polled(0)) }))
            .build()
            .unwrap()
    };
    let (one, two) = (worker(), worker());
    assert!(one.identity().starts_with("worker-"));
    assert_ne!(one.identity(), two.identity());
}

#[tokio::test(start_paused = true)]
async fn a_check_names_all_that_is_missing_at_once() {
    let mut rig = Rig::new();
    rig.bus = MemoryBus::builder().topics([topic()]).build();
    let worker = |topic: &str| {
        let builder = rig
            .worker()
            .topic("posts".parse().unwrap())
            .topic(topic.parse().unwrap());
        builder
            .poller(poller_fn(|_| async { Ok(polled(0)) }))
            .build()
            .unwrap()
    };
    worker("posts").check().await.unwrap();

    rig.work.fail(
        "stats",
        polling_core::transport::QueueErrorKind::NoSuchQueue,
    );
    let error = worker("likes").check().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the worker is not ready: stats on queue work failed: the queue does not exist; create it \
         first; publishing to topic likes failed: the topic does not exist; create it first"
    );
}
