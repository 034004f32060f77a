//! The promise: a store that loses 5 s of acknowledged writes under 100,000 jobs is whole again
//! within 60 s, at the cost of at most one extra poll for each job.
//!
//! A real Redis is killed, the tail of its append-only file cut off, and started again under a
//! running scheduler, with queues in memory and workers that answer at once.
//!
//! ```sh
//! cargo bench -p benches --features redis --bench rollback -- 100000
//! ```
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

mod redis_server;

use std::{
    collections::BTreeMap,
    fs,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream};
use polling_model::{Clock, Completion, Context, Job, JobId, Outcome, SlotRing, SystemClock, wire};
use polling_transport::{Queue, memory::MemoryQueue};
use redis_server::Server;
use scheduler_lib::{
    Channel, Limits, Registration, Scheduler, SlotStore, policy::JobTypeRules, store::RedisStore,
};
use tokio::time::sleep;

const INTERVAL: Duration = Duration::from_secs(60);
const UNDONE: Duration = Duration::from_secs(5);
/// Whole intervals over which polls are counted.
const INTERVALS: i64 = 2;
const WORKERS: usize = 8;
const REACH: Duration = Duration::from_secs(60);

/// When each job was polled, UTC milliseconds.
type Polls = Arc<Mutex<BTreeMap<JobId, Vec<i64>>>>;

async fn work(work: Arc<MemoryQueue>, completed: Arc<MemoryQueue>, polls: Polls) {
    loop {
        for message in work.receive(10, Duration::from_secs(1)).await.unwrap() {
            let job: Job = wire::decode_job(message.body.as_bytes()).unwrap();
            let now_ms = SystemClock.now_ms();
            polls
                .lock()
                .unwrap()
                .entry(job.id.clone())
                .or_default()
                .push(now_ms);
            let completion = Completion {
                id: job.id,
                job_type: job.job_type,
                token: job.token,
                outcome: Outcome::Succeeded {
                    context: Context::new(),
                    stopped: None,
                },
                allowances: vec![],
                saturated: false,
                events: 0,
                created_ms: vec![],
                calls: 1,
                finished_ms: now_ms,
                sent_ms: None,
            };
            let body = wire::encode_completion(&completion).unwrap();
            assert_eq!(completed.send(vec![body]).await, [Ok(())]);
            work.ack(&message.receipt).await.unwrap();
        }
    }
}

/// Sweeps all there is; how many places were mended, or nothing when the store failed.
async fn sweep(store: &RedisStore) -> Option<usize> {
    let (mut repaired, mut from) = (0, None);
    loop {
        let swept = store.sweep(from, 200).await.ok()?;
        repaired += swept.repaired;
        from = swept.next;
        if from.is_none() {
            return Some(repaired);
        }
    }
}

/// Each job is registered, and in one place.
async fn whole(store: &RedisStore, jobs: usize) -> bool {
    let Ok(counts) = store.counts().await else {
        return false;
    };
    let places = counts.slots + counts.in_flight + counts.later + counts.held;
    counts.registered == jobs as u64 && places == counts.registered && sweep(store).await == Some(0)
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let jobs: usize = std::env::args()
        .find_map(|word| word.parse().ok())
        .unwrap_or(100_000);
    let mut server = Server::start();
    drop(server.raw().await);
    let store = RedisStore::builder(server.url(), "mastodon".parse().unwrap())
        .ring(SlotRing::SECONDS)
        .open(SystemClock.now_ms())
        .await
        .unwrap();
    let store = Arc::new(store);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let queue = |name: &str| {
        MemoryQueue::builder(name, clock.clone())
            .visibility_timeout(Duration::from_secs(5))
            .build()
    };
    let (posts, completed) = (queue("work"), queue("completed"));
    let channel = Channel::builder("mastodon".parse().unwrap(), store.clone())
        .job_type(
            "posts".parse().unwrap(),
            JobTypeRules::every(INTERVAL),
            posts.clone(),
        )
        .completed(completed.clone())
        .dead_letter(queue("dead-letter"))
        .limits(Limits {
            work: Duration::from_secs(5),
            ..Limits::of_seconds()
        })
        .build()
        .unwrap();
    let scheduler = Scheduler::builder().channel(channel).build();
    let registry = scheduler.registry(&"mastodon".parse().unwrap()).unwrap();
    let monitor = scheduler.monitor();
    stream::iter(0..jobs)
        .for_each_concurrent(128, |n| {
            let registry = &registry;
            async move {
                let job =
                    Registration::new("posts".parse().unwrap(), n.to_string().parse().unwrap());
                registry.register(job).await.unwrap();
            }
        })
        .await;
    println!("{jobs} jobs registered, each polled every {INTERVAL:?}");
    let polls = Polls::default();
    tokio::spawn(scheduler.run(std::future::pending()));
    for _ in 0..WORKERS {
        tokio::spawn(work(posts.clone(), completed.clone(), polls.clone()));
    }
    // Every job is in its rhythm.
    sleep(INTERVAL * 2).await;

    let undone_from_ms = SystemClock.now_ms();
    let kept = fs::metadata(server.append_only_file()).unwrap().len();
    sleep(UNDONE).await;
    server.kill();
    let file = fs::File::options()
        .write(true)
        .open(server.append_only_file())
        .unwrap();
    let lost = file.metadata().unwrap().len() - kept;
    file.set_len(kept).unwrap();
    server.start_again();
    drop(server.raw().await);
    let back = Instant::now();
    println!("killed, and back without its last {UNDONE:?}, {lost} bytes of writes");
    while !whole(&store, jobs).await {
        sleep(Duration::from_millis(100)).await;
    }
    let whole_after = back.elapsed();
    sleep(INTERVAL * (INTERVALS as u32 + 1)).await;

    let interval_ms = INTERVAL.as_millis() as i64;
    let polls = polls.lock().unwrap();
    // From a job's last poll before what is undone, two are due in two and a half intervals.
    let extra = polls.values().map(|times| {
        let before = times
            .iter()
            .rfind(|&&at_ms| at_ms < undone_from_ms)
            .copied()
            .unwrap_or(0);
        let end_ms = before + interval_ms * INTERVALS + interval_ms / 2;
        let count = times
            .iter()
            .filter(|&&at_ms| before < at_ms && at_ms <= end_ms)
            .count() as i64;
        count - INTERVALS
    });
    let mut jobs_by_extra = BTreeMap::<i64, usize>::new();
    for extra in extra {
        *jobs_by_extra.entry(extra).or_default() += 1;
    }
    let silent_since_ms = SystemClock.now_ms() - 2 * interval_ms;
    let silent = polls
        .values()
        .filter(|times| times.last().is_none_or(|&at_ms| at_ms < silent_since_ms))
        .count();
    println!(
        "whole again {:.1} s after it was back, to reach {REACH:?}; jobs by extra polls {jobs_by_extra:?}, to reach at most 1; {} of {jobs} jobs polled, {silent} of them not in the last two intervals; {:?}",
        whole_after.as_secs_f64(),
        polls.len(),
        monitor.status().values().next().unwrap(),
    );
}
