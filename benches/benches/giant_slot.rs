//! The promise: a giant slot blocks nobody. All jobs of a real Redis are due in one slot, are
//! drained, given up, reaped, drained again and settled into one slot; no step may take longer than
//! 5 ms of the server's main thread. Its slow log is told too, but counts the time in which a busy
//! machine let others run.
//!
//! ```sh
//! cargo bench -p benches --features redis --bench giant_slot -- 1000000
//! ```
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

mod redis_server;

use std::{collections::BTreeMap, time::Instant};

use futures_util::{StreamExt, stream};
use polling_model::{EncodedContext, Generator, JobId};
use redis::aio::MultiplexedConnection;
use redis_server::Server;
use scheduler_lib::{
    SlotStore,
    store::{Dispatch, DrainRequest, MAX_CHUNK, NewJob, Next, RedisStore, Settlement, Strike},
};

const MINUTE_MS: i64 = 60_000;
/// How often a bucket is looked into that is due only in part.
const LOOKS: usize = 300;
const REACH_US: u64 = 5_000;

/// Measures steps one by one, by the time that the server's main thread has run.
struct Meter {
    raw: MultiplexedConnection,
    last_us: u64,
    steps_us: Vec<u64>,
}

impl Meter {
    async fn cpu_us(&mut self) -> u64 {
        let info: String = redis::cmd("INFO")
            .arg("cpu")
            .query_async(&mut self.raw)
            .await
            .unwrap();
        let seconds = |field: &str| -> f64 {
            let line = info
                .lines()
                .find_map(|line| line.strip_prefix(field))
                .unwrap();
            line.trim().parse().unwrap()
        };
        let used = seconds("used_cpu_sys_main_thread:") + seconds("used_cpu_user_main_thread:");
        (used * 1e6) as u64
    }

    async fn step<T>(&mut self, step: impl Future<Output = T>) -> T {
        self.last_us = self.cpu_us().await;
        let answer = step.await;
        let now_us = self.cpu_us().await;
        self.steps_us.push(now_us - self.last_us);
        answer
    }

    /// Runs a phase; prints what its steps took. Returns the slowest, microseconds.
    async fn phase(&mut self, name: &str, run: impl AsyncFnOnce(&mut Self) -> usize) -> u64 {
        redis::cmd("SLOWLOG")
            .arg("RESET")
            .exec_async(&mut self.raw)
            .await
            .unwrap();
        self.steps_us.clear();
        let began = Instant::now();
        let jobs = run(self).await;
        let took = began.elapsed().as_secs_f64();
        let noted: Vec<redis::Value> = redis::cmd("SLOWLOG")
            .arg("GET")
            .arg(-1)
            .query_async(&mut self.raw)
            .await
            .unwrap();
        let logged_us = noted.into_iter().map(|entry| {
            let redis::Value::Array(entry) = entry else {
                panic!("{entry:?}")
            };
            redis::from_redis_value::<u64>(entry[2].clone()).unwrap()
        });
        let logged = logged_us.filter(|&us| us > REACH_US).count();
        self.steps_us.sort_unstable();
        let at = |part: f64| {
            let last = self.steps_us.len().saturating_sub(1);
            self.steps_us
                .get((last as f64 * part) as usize)
                .copied()
                .unwrap_or(0)
        };
        println!(
            "{name:<28} {jobs:>9} jobs {took:>7.1} s   {:>7} steps, p50 {:>5} p99 {:>5} p99.9 {:>5} max {:>6} µs of CPU; slow log over 5 ms: {logged}",
            self.steps_us.len(),
            at(0.5),
            at(0.99),
            at(0.999),
            at(1.0),
        );
        at(1.0)
    }
}

async fn register(store: &RedisStore, jobs: usize) -> usize {
    stream::iter(0..jobs)
        .for_each_concurrent(128, |n| async move {
            let job = NewJob {
                id: JobId::new(format!("posts:{n}")).unwrap(),
                job_type: "posts".parse().unwrap(),
                account: n.to_string().parse().unwrap(),
                level: "gold".parse().unwrap(),
                cushion: None,
                context: EncodedContext::new(r#"{"since":"109999999999"}"#).unwrap(),
                incarnation: polling_model::Nonce(n as u64),
                due: [MINUTE_MS; 2],
            };
            store.register(vec![job], 0).await.unwrap();
        })
        .await;
    jobs
}

/// Drains all that is due, and settles it if told where to.
async fn drain(
    meter: &mut Meter,
    store: &RedisStore,
    generator: &Generator,
    now_ms: i64,
    due_ms: Option<i64>,
) -> usize {
    let mut jobs = 0;
    loop {
        let nonce = generator.nonce();
        let request = DrainRequest {
            pace_ms: 0,
            now_ms,
            limit: MAX_CHUNK,
            nonce,
            note_deadline_ms: now_ms + MINUTE_MS,
            max_open_notes: 64,
            deadlines_ms: BTreeMap::new(),
            default_deadline_ms: now_ms + 10 * MINUTE_MS,
        };
        let drained = meter.step(store.drain(request)).await.unwrap();
        jobs += drained.jobs.len();
        let ids: Vec<_> = drained
            .jobs
            .iter()
            .map(|job| job.record.id.clone())
            .collect();
        meter.step(store.sent(nonce, &ids)).await.unwrap();
        if let Some(due_ms) = due_ms {
            let settlements = drained
                .jobs
                .into_iter()
                .map(|job| settlement(job, due_ms))
                .collect();
            meter.step(store.settle(settlements, now_ms)).await.unwrap();
        }
        if !drained.more {
            return jobs;
        }
    }
}

fn settlement(job: Dispatch, due_ms: i64) -> Settlement {
    Settlement {
        id: job.record.id,
        token: job.token,
        revision: job.record.state.revision,
        context: Some(job.record.context),
        scopes: None,
        activity: None,
        next: Next::Due(due_ms),
        attempts: 0,
        strike: Strike::Clear,
        reason: "every minute".to_owned(),
    }
}

async fn reap(meter: &mut Meter, store: &RedisStore, deadline_ms: i64) -> usize {
    let mut jobs = 0;
    loop {
        match meter
            .step(store.reap(deadline_ms, MAX_CHUNK, deadline_ms))
            .await
            .unwrap()
        {
            0 => return jobs,
            reaped => jobs += reaped,
        }
    }
}

async fn sweep(meter: &mut Meter, store: &RedisStore) -> usize {
    let (mut seen, mut from) = (0, None);
    loop {
        let swept = meter.step(store.sweep(from, MAX_CHUNK)).await.unwrap();
        assert_eq!(swept.repaired, 0);
        seen += swept.seen;
        from = swept.next;
        if from.is_none() {
            return seen;
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let jobs = std::env::args()
        .find_map(|word| word.parse().ok())
        .unwrap_or(1_000_000);
    let server = Server::start();
    drop(server.raw().await);
    let store = RedisStore::builder(server.url(), "mastodon".parse().unwrap()).max_skew(None);
    let store = store.open(0).await.unwrap();
    let generator = Generator::from_seed(7);
    let minutes = |count: i64| count * MINUTE_MS;
    let mut meter = Meter {
        raw: server.raw().await,
        last_us: 0,
        steps_us: Vec::new(),
    };
    // Registered side by side, so not measured one by one.
    meter
        .phase("register into one slot", async |_| {
            register(&store, jobs).await
        })
        .await;
    let mut slowest = Vec::new();
    slowest.push(
        meter
            .phase("look into a part-due bucket", async |meter| {
                let half_due_ms = minutes(11) - MINUTE_MS / 2;
                for _ in 0..LOOKS {
                    let reaped = meter
                        .step(store.reap(half_due_ms, MAX_CHUNK, half_due_ms))
                        .await;
                    assert_eq!(reaped.unwrap(), 0);
                }
                LOOKS
            })
            .await,
    );
    slowest.push(
        meter
            .phase("drain it", async |meter| {
                drain(meter, &store, &generator, minutes(1), None).await
            })
            .await,
    );
    slowest.push(
        meter
            .phase("reap one bucket of leases", async |meter| {
                reap(meter, &store, minutes(11)).await
            })
            .await,
    );
    slowest.push(
        meter
            .phase("drain, settle into one slot", async |meter| {
                drain(meter, &store, &generator, minutes(2), Some(minutes(5))).await
            })
            .await,
    );
    slowest.push(
        meter
            .phase("count", async |meter| {
                meter.step(store.counts()).await.unwrap().registered as usize
            })
            .await,
    );
    slowest.push(
        meter
            .phase("sweep", async |meter| sweep(meter, &store).await)
            .await,
    );
    let slowest_us = slowest.into_iter().max().unwrap_or(0);
    println!("slowest step {slowest_us} µs of CPU, to reach {REACH_US} µs");
}
