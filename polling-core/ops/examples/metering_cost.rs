//! What metering costs: each observation, and a call to a queue that does nothing, bare and metered.
//!
//! ```console
//! $ cargo run --release -p polling-ops --features metrics --example metering_cost
//! ```
//!
//! It fails when one of them costs more than the 200 ns that are promised.
#![allow(clippy::print_stdout)]

use std::{
    hint::black_box,
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use polling_model::{ChannelId, JobType, Observation, SharedObserver};
use polling_ops::metrics::Metrics;
use polling_transport::{Metered, SharedQueue, memory::MemoryQueue};

/// The promise.
const MOST_NS: f64 = 200.0;

const RUNS: usize = 9;
const CALLS: u32 = 200_000;

/// Names of each label that exist beside those that are measured, as in a large deployment.
const NEIGHBOURS: usize = 50;

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let metrics = Metrics::new();
    let observer = metrics.observer();
    let channel: ChannelId = "mastodon".parse()?;
    let job_type: JobType = "posts".parse()?;
    crowd(&observer)?;

    let elapsed = Duration::from_millis(120);
    let observations = [
        (
            "polled",
            Observation::Polled {
                job_type: &job_type,
                error: None,
                events: 3,
                elapsed,
            },
        ),
        (
            "settled",
            Observation::Settled {
                channel: &channel,
                verdict: "accepted",
                outcome: "transient",
            },
        ),
        (
            "drained",
            Observation::Drained {
                channel: &channel,
                jobs: 100,
                lateness_ms: 40,
            },
        ),
        (
            "requested",
            Observation::Requested {
                queue: "polling-mastodon-posts",
                call: "send",
                messages: 10,
            },
        ),
        (
            "called",
            Observation::Called {
                port: "queue",
                name: "polling-mastodon-posts",
                operation: "send",
                error: None,
                elapsed,
            },
        ),
    ];
    let mut worst_ns = 0.0_f64;
    for (name, observation) in observations {
        let ns = median_ns(|| {
            for _ in 0..CALLS {
                observer.observe(black_box(observation));
            }
        });
        println!("{name:<10} {ns:>6.0} ns");
        worst_ns = worst_ns.max(ns);
    }
    let added_ns = metered_call(&observer)?;
    println!("metering   {added_ns:>6.0} ns, added to a call of a queue");
    worst_ns = worst_ns.max(added_ns);
    Ok(if worst_ns <= MOST_NS {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Other channels, job types and queues.
fn crowd(observer: &SharedObserver) -> Result<(), Box<dyn std::error::Error>> {
    for n in 0..NEIGHBOURS {
        let name = format!("neighbour-{n}");
        let (channel, job_type) = (&name.parse()?, &name.parse()?);
        let elapsed = Duration::ZERO;
        observer.observe(Observation::Polled {
            job_type,
            error: None,
            events: 0,
            elapsed,
        });
        observer.observe(Observation::Settled {
            channel,
            verdict: "accepted",
            outcome: "ok",
        });
        observer.observe(Observation::Drained {
            channel,
            jobs: 1,
            lateness_ms: 0,
        });
        observer.observe(Observation::Requested {
            queue: &name,
            call: "send",
            messages: 1,
        });
        observer.observe(Observation::Called {
            port: "queue",
            name: &name,
            operation: "send",
            error: None,
            elapsed,
        });
    }
    Ok(())
}

/// What a metered `stats` of an empty queue in memory takes beyond a bare one.
fn metered_call(observer: &SharedObserver) -> Result<f64, std::io::Error> {
    let clock = Arc::new(polling_model::SystemClock);
    let bare: SharedQueue = MemoryQueue::builder("polling-mastodon-posts", clock).build();
    let metered = Metered::new(Arc::clone(&bare), bare.name(), Arc::clone(observer));
    let metered: SharedQueue = Arc::new(metered);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    let [bare, metered] = [bare, metered].map(|queue| {
        median_ns(|| {
            runtime.block_on(async {
                for _ in 0..CALLS {
                    black_box(queue.stats().await.is_ok());
                }
            });
        })
    });
    Ok(metered - bare)
}

/// Nanoseconds of one call, in the run in the middle.
fn median_ns(calls: impl Fn()) -> f64 {
    let mut runs = [(); RUNS].map(|()| {
        let started = Instant::now();
        calls();
        started.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS)
    });
    runs.sort_by(f64::total_cmp);
    runs[RUNS / 2]
}
