//! End to end on Redis, SQS and Kafka: the production parts, put together as a program would.
#![allow(clippy::unwrap_used)]

mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use polling_core::{
    AccountId, ChannelId, Clock, Context, Event, Job, JobType, Polled, Report, SystemClock, Topic,
    Worker, WorkerConfig,
    model::{self, SlotRing, Token, wire},
    poller_fn,
    transport::{Queue, kafka::KafkaBus, memory::MemoryQueue},
};
use scheduler_lib::{
    Channel, Limits, Registration, Registry, Scheduler,
    policy::JobTypeRules,
    store::{RedisStore, SlotStore},
};
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

use self::support::{Queues, address, new_topic, read, spawn, unique};

const JOBS: u64 = 60;
const POLLS_EACH: i64 = 3;
const PATIENCE: Duration = Duration::from_secs(90);

async fn scheduler(queues: &Queues) -> (Scheduler, Registry, Arc<RedisStore>) {
    let id = ChannelId::new(unique("e2e")).unwrap();
    let store =
        RedisStore::builder(address("POLLING_REDIS_URL"), id.clone()).ring(SlotRing::SECONDS);
    let store = Arc::new(store.open(SystemClock.now_ms()).await.unwrap());
    let channel = Channel::builder(id.clone(), store.clone())
        .job_type(
            "posts".parse().unwrap(),
            JobTypeRules::every(Duration::from_secs(2)),
            queues.work.clone(),
        )
        .completed(queues.completed.clone())
        .dead_letter(queues.dead_letter.clone())
        .limits(Limits::of_seconds())
        .build()
        .unwrap();
    let scheduler = Scheduler::builder().channel(channel).build();
    let registry = scheduler.registry(&id).unwrap();
    (scheduler, registry, store)
}

/// A worker whose polls count: the `n`th poll of an account brings event `n`.
fn counting_worker(queues: &Queues, topic: &Topic, polls: Arc<AtomicU64>) -> Worker {
    let bus = KafkaBus::builder(address("POLLING_KAFKA_BROKERS"))
        .build()
        .unwrap();
    let topic = topic.clone();
    let poller = poller_fn(move |job: Job| {
        polls.fetch_add(1, Relaxed);
        let topic = topic.clone();
        async move {
            let n = job.context.get_i64("n").unwrap_or(0) + 1;
            let event = Event::new(topic, n.to_string(), "found", job.due_ms);
            Ok(Polled::new(Context::from_iter([("n", n.into())])).with_event(event))
        }
    });
    let config = WorkerConfig {
        concurrency: 8,
        poll_timeout: Duration::from_secs(5),
        publish_timeout: Duration::from_secs(10),
        complete_timeout: Duration::from_secs(5),
        receive_wait: Duration::from_secs(1),
        ..WorkerConfig::default()
    };
    Worker::builder()
        .work(queues.work.clone())
        .completed(queues.completed.clone())
        .bus(Arc::new(bus))
        .config(config)
        .poller(poller)
        .build()
        .unwrap()
}

/// How often each job has been polled and settled.
async fn settled_polls(registry: &Registry) -> BTreeMap<AccountId, i64> {
    let listed = registry.list(None, 1_000).await.unwrap();
    let polls = |record: scheduler_lib::store::JobRecord| {
        (
            record.state.account,
            record.context.decode().unwrap().get_i64("n").unwrap_or(0),
        )
    };
    listed.records.into_iter().map(polls).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs dev/services"]
async fn jobs_cycle_over_redis_sqs_and_kafka_and_every_event_arrives() {
    let (queues, topic) = (Queues::create().await, new_topic().await);
    let (scheduler, registry, store) = scheduler(&queues).await;
    for account in 0..JOBS {
        let account = AccountId::new(account.to_string()).unwrap();
        registry
            .register(Registration::new(JobType::new("posts").unwrap(), account))
            .await
            .unwrap();
    }

    let (stop_workers, workers_stop) = watch::channel(false);
    let (stop_scheduler, scheduler_stop) = watch::channel(false);
    let polls: [Arc<AtomicU64>; 2] = Default::default();
    let workers = polls.clone().map(|polls| {
        let worker = counting_worker(&queues, &topic, polls);
        spawn(|stop| worker.run(stop), &workers_stop)
    });
    let scheduling = spawn(|stop| scheduler.run(stop), &scheduler_stop);

    let began = Instant::now();
    while settled_polls(&registry)
        .await
        .values()
        .any(|polls| *polls < POLLS_EACH)
    {
        assert!(
            began.elapsed() < PATIENCE,
            "jobs were not polled {POLLS_EACH} times: {:?}",
            settled_polls(&registry).await
        );
        sleep(Duration::from_millis(200)).await;
    }
    stop_workers.send(true).unwrap();
    for worker in workers {
        let report: Report = worker.await.unwrap();
        assert_eq!(
            (report.bugs, report.undecodable, report.flushed),
            (0, 0, true),
            "{report:?}"
        );
    }
    while queues.completed.stats().await.unwrap().visible > 0 {
        assert!(began.elapsed() < PATIENCE, "completions were not settled");
        sleep(Duration::from_millis(200)).await;
    }
    stop_scheduler.send(true).unwrap();
    scheduling.await.unwrap();

    let counts = store.counts().await.unwrap();
    assert_eq!(counts.registered, JOBS);
    assert_eq!(
        counts.registered,
        counts.slots + counts.in_flight + counts.later + counts.held,
        "{counts:?}"
    );
    assert!(
        polls.iter().all(|polls| polls.load(Relaxed) > 0),
        "both workers share the work: {polls:?}"
    );

    // Every settled poll's event is there; one more may be, of a completion not settled yet.
    let records = read(&topic).await;
    let ids: BTreeSet<&str> = records
        .iter()
        .map(|record| record.event_id.as_str())
        .collect();
    let settled = settled_polls(&registry).await;
    for (account, polls) in &settled {
        for n in 1..=*polls {
            let id = format!("{}|posts|{account}|{n}", registry.channel());
            assert!(ids.contains(id.as_str()), "event {id} is missing");
        }
    }
    let most = settled.values().sum::<i64>() as usize + settled.len();
    assert!(
        ids.len() <= most,
        "{} events for at most {most} polls",
        ids.len()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs dev/services"]
async fn fifty_thousand_events_pass_a_producer_that_buffers_a_hundred_throttled_and_whole() {
    const EVENTS: usize = 50_000;
    let config = WorkerConfig {
        publish_rate: 20_000,
        publish_burst: 5_000,
        ..WorkerConfig::default()
    };
    let shortest = Duration::from_secs_f64((EVENTS as f64 - 5_000.0) / 20_000.0);

    let topic = new_topic().await;
    let bus = KafkaBus::builder(address("POLLING_KAFKA_BROKERS"))
        .set("queue.buffering.max.messages", "100");
    let clock = Arc::new(SystemClock);
    let queue = |name: &str| MemoryQueue::builder(name, clock.clone()).build();
    let (work, completed) = (queue("work"), queue("completed"));
    let now_ms = clock.now_ms();
    let job = model::Job {
        id: "posts:42".parse().unwrap(),
        channel: "mastodon".parse().unwrap(),
        job_type: "posts".parse().unwrap(),
        account: "42".parse().unwrap(),
        level: "gold".parse().unwrap(),
        token: Token::from_wire("00000000000000a1.1.00000000000000b2").unwrap(),
        due_ms: now_ms,
        not_after_ms: now_ms + 600_000,
        context: Context::new(),
    };
    work.send(vec![wire::encode_job(&job).unwrap()]).await;

    let events_to = topic.clone();
    let poller = poller_fn(move |job: Job| {
        let topic = events_to.clone();
        let event = move |n: usize| Event::new(topic.clone(), n.to_string(), "found", job.due_ms);
        async move { Ok(Polled::new(Context::new()).with_events((0..EVENTS).map(event))) }
    });
    let worker = Worker::builder()
        .work(work.clone())
        .completed(completed.clone())
        .bus(Arc::new(bus.build().unwrap()))
        .config(config)
        .poller(poller)
        .build()
        .unwrap();
    let began = Instant::now();
    let answer = completed.clone();
    let report = worker
        .run(async move {
            while answer.messages().is_empty() {
                assert!(began.elapsed() < PATIENCE, "no completion came");
                sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
    let took = began.elapsed();

    assert_eq!(
        (report.events, report.bugs, report.errors),
        (EVENTS as u64, 0, 0),
        "{report:?}"
    );
    assert!(
        took >= shortest,
        "published in {took:?}: the throttle allows no less than {shortest:?}"
    );
    let records = read(&topic).await;
    let ids: BTreeSet<_> = records.iter().map(|record| &record.event_id).collect();
    assert_eq!(
        (records.len(), ids.len()),
        (EVENTS, EVENTS),
        "each event once"
    );
}
