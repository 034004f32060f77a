//! N recurring jobs with a context of 200 bytes on apalis with apalis-redis: each finds nothing, and is due again an
//! interval later.
//!
//!     peer-apalis URL JOBS INTERVAL_MS WARM_UP_S SECONDS cycle|plain
//!
//! Ends with one line of JSON. `plain` processes tasks as fast as they are pushed, of which JOBS wait at most. Pushes
//! are gathered into batches, as apalis has them. One Redis script of apalis takes all that is due at once as its
//! arguments, which are limited to some 8,000: more jobs must not be due in one second, its unit of time.

use std::{
    fs,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use apalis::prelude::*;
use apalis_redis::{Config, RedisStorage};
use futures::stream;
use serde::{Deserialize, Serialize};
use tokio::{sync::mpsc, time::sleep};

const BATCH: usize = 100;
/// Workers, each with a connection of its own.
const WORKERS: usize = 2;
const CONCURRENCY: usize = 100;
const HEARTBEAT: Duration = Duration::from_millis(100);

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Poll {
    number: u64,
    since: String,
    etag: String,
    /// UTC seconds.
    due_s: u64,
}

#[derive(Clone)]
struct Shared {
    jobs: u64,
    interval_ms: u64,
    plain: bool,
    counting: Arc<AtomicBool>,
    runs: Arc<AtomicU64>,
    lateness_ms: Arc<Mutex<Vec<u64>>>,
    push: mpsc::UnboundedSender<Poll>,
}

fn now_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("it is after 1970")
        .as_millis() as u64
}

impl Shared {
    /// The first whole second from the job's part of the interval on.
    fn next_due_s(&self, number: u64, after_ms: u64) -> u64 {
        let phase = number * self.interval_ms / self.jobs;
        let round = (after_ms.saturating_sub(phase)) / self.interval_ms + 1;
        (round * self.interval_ms + phase).div_ceil(1000)
    }

    fn first(&self, number: u64) -> Poll {
        let due_s = if self.plain { 0 } else { self.next_due_s(number, now_ms()) };
        let (since, etag) = ("109999999999".to_owned(), "a".repeat(166));
        Poll { number, since, etag, due_s }
    }
}

async fn poll(poll: Poll, shared: Data<Shared>) -> Result<(), BoxDynError> {
    let now_ms = now_ms();
    if shared.counting.load(Relaxed) {
        shared.runs.fetch_add(1, Relaxed);
        let late_ms = now_ms.saturating_sub(poll.due_s * 1000);
        shared.lateness_ms.lock().expect("nobody panics").push(late_ms);
    }
    let due_s = if shared.plain {
        0
    } else {
        shared.next_due_s(poll.number, poll.due_s.max(now_ms / 1000) * 1000)
    };
    shared.push.send(Poll { due_s, ..poll })?;
    Ok(())
}

async fn push_all(mut storage: RedisStorage<Poll>, mut polls: mpsc::UnboundedReceiver<Poll>) {
    let mut batch = Vec::new();
    while polls.recv_many(&mut batch, BATCH).await > 0 {
        let tasks = batch.drain(..).map(|poll| {
            let due_s = poll.due_s;
            TaskBuilder::new(poll).run_at_timestamp(due_s).build()
        });
        let tasks: Vec<_> = tasks.collect();
        storage.push_all(stream::iter(tasks)).await.expect("pushed");
    }
}

async fn used_memory(storage: &mut RedisStorage<Poll>) -> u64 {
    let info: String = redis::cmd("INFO")
        .arg("memory")
        .query_async(storage.get_connection())
        .await
        .expect("Redis tells");
    let line = info.lines().find_map(|line| line.strip_prefix("used_memory:"));
    line.and_then(|text| text.trim().parse().ok()).expect("a number")
}

fn resident_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux tells");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    kilobytes.and_then(|text| text.parse::<u64>().ok()).expect("a number") * 1024
}

#[tokio::main]
async fn main() -> Result<(), BoxDynError> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, jobs, interval_ms, warm_up_s, seconds, mode] = &arguments[..] else {
        return Err("URL JOBS INTERVAL_MS WARM_UP_S SECONDS cycle|plain".into());
    };
    let config = Config::default()
        .queue("polls")
        .batch_size(BATCH)
        // A worker that found nothing looks for what has become due with its next heartbeat.
        .heartbeat_interval(HEARTBEAT)
        .missed_heartbeats(300)
        .persist_results(false)
        .emit_events(false);
    let connect = async || {
        let storage = RedisStorage::<Poll>::new(apalis_redis::connect(url.as_str()).await?);
        Ok::<_, BoxDynError>(storage.with_config(config.clone()))
    };
    let mut storage = connect().await?;
    let empty = used_memory(&mut storage).await;
    let (push, polls) = mpsc::unbounded_channel();
    let shared = Shared {
        jobs: jobs.parse()?,
        interval_ms: interval_ms.parse()?,
        plain: mode == "plain",
        counting: Arc::default(),
        runs: Arc::default(),
        lateness_ms: Arc::default(),
        push,
    };
    for number in 0..WORKERS {
        let worker = WorkerBuilder::new(format!("worker-{number}"))
            .backend(connect().await?)
            .data(shared.clone())
            .concurrency(CONCURRENCY)
            .parallelize(tokio::spawn)
            .build(poll);
        // Its future is too general for a task of the runtime's.
        let runtime = tokio::runtime::Handle::current();
        std::thread::spawn(move || runtime.block_on(worker.run()).expect("the worker runs"));
    }
    for number in 0..shared.jobs {
        shared.push.send(shared.first(number))?;
    }
    tokio::spawn(push_all(connect().await?, polls));
    sleep(Duration::from_secs(warm_up_s.parse()?)).await;
    let began = Instant::now();
    shared.counting.store(true, Relaxed);
    sleep(Duration::from_secs(seconds.parse()?)).await;
    shared.counting.store(false, Relaxed);
    let took_s = began.elapsed().as_secs_f64();
    let memory = used_memory(&mut storage).await.saturating_sub(empty);
    let mut lateness_ms = std::mem::take(&mut *shared.lateness_ms.lock().expect("nobody panics"));
    lateness_ms.sort_unstable();
    let p99_ms = lateness_ms.get(lateness_ms.len() * 99 / 100).copied().unwrap_or(0);
    let per_s = shared.runs.load(Relaxed) as f64 / took_s;
    let resident = resident_bytes();
    println!(
        r#"{{"per_s":{per_s},"p99_ms":{p99_ms},"resident_bytes":{resident},"redis_bytes":{memory}}}"#
    );
    std::process::exit(0)
}
