//! The worker alone: its speed, and what it has for a job that it polls.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use polling_core::{BoxError, Job, PollError, Polled, Worker, poller_fn};
use polling_model::{Clock as _, SystemClock, Topic, wire};
use polling_transport::SharedQueue;
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::{Ports, in_process, run};
use crate::{
    figure::Figure,
    jobs,
    process::{cpu_us, resident_bytes},
};

/// Messages that are put into a queue, or taken out of it, at once.
const BATCH: usize = 1_000;

/// How long a message may wait and be polled.
const LIFE_MS: i64 = 600_000;

/// Longest that all jobs may take.
const AT_MOST: Duration = Duration::from_secs(120);

/// How often it is looked whether all are done.
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// Jobs that wait in a queue in memory are polled, find nothing, and are completed.
///
/// # Errors
///
/// That not all are completed.
pub async fn pump(jobs: usize, concurrency: usize) -> anyhow::Result<Figure> {
    let ports = filled(jobs).await?;
    let worker = run::worker(run::worker_config(concurrency), &ports, None)?;
    let (began, cpu_before_us) = (Instant::now(), cpu_us()?);
    let (stop, running) = start(worker);
    let completed = timeout(AT_MOST, take_all(&ports.completed, jobs));
    completed.await.context("not all jobs were completed")??;
    let (took_s, cpu_us) = (began.elapsed().as_secs_f64(), cpu_us()? - cpu_before_us);
    stop.send(true)?;
    running.await?;
    Ok(Figure::new("worker/pump", jobs as f64 / took_s, "jobs/s")
        .with("jobs", jobs)
        .with("concurrency", concurrency)
        .with("cpu_us_per_job", cpu_us as f64 / jobs as f64))
}

/// Resident memory of a worker for each job whose poll waits for an answer.
///
/// # Errors
///
/// That not all jobs are polled at once.
pub async fn resident(jobs: usize) -> anyhow::Result<Figure> {
    let ports = filled(jobs).await?;
    let polled = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&polled);
    let poller = poller_fn(move |_: Job| {
        counter.fetch_add(1, Relaxed);
        std::future::pending::<Result<Polled, PollError>>()
    });
    let config = polling_core::WorkerConfig {
        poll_timeout: AT_MOST,
        shutdown_grace: Duration::ZERO,
        ..run::worker_config(jobs)
    };
    let worker = Worker::builder()
        .work(ports.work.clone())
        .completed(ports.completed.clone())
        .bus(ports.bus.clone())
        .config(config)
        .poller(poller)
        .build()?;
    let before = resident_bytes()?;
    let (stop, running) = start(worker);
    let all = async {
        while polled.load(Relaxed) < jobs {
            sleep(LOOK_EVERY).await;
        }
    };
    timeout(AT_MOST, all)
        .await
        .context("not all jobs are polled")?;
    let resident = resident_bytes()?.saturating_sub(before);
    stop.send(true)?;
    running.await?;
    let each = resident as f64 / jobs as f64;
    Ok(Figure::new("memory/worker", each, "bytes").with("jobs", jobs))
}

fn start(worker: Worker) -> (watch::Sender<bool>, JoinHandle<()>) {
    let (stop, stopped) = watch::channel(false);
    let running = tokio::spawn(async move {
        worker.run(run::until(stopped)).await;
    });
    (stop, running)
}

/// So many jobs wait in the work queue.
async fn filled(jobs: usize) -> anyhow::Result<Ports> {
    let ports = in_process(&Topic::new("posts")?);
    let now_ms = SystemClock.now_ms();
    for first in (0..jobs).step_by(BATCH) {
        let bodies = (first..jobs.min(first + BATCH)).map(|number| {
            let job = polling_model::Job {
                due_ms: now_ms,
                not_after_ms: now_ms + LIFE_MS,
                ..jobs::job(number)?
            };
            Ok::<_, BoxError>(wire::encode_job(&job)?)
        });
        let bodies: Result<Vec<_>, _> = bodies.collect();
        let bodies = bodies.map_err(|error| anyhow::anyhow!(error))?;
        let sent = ports.work.send(bodies).await;
        ensure!(sent.iter().all(Result::is_ok), "the queue is full");
    }
    Ok(ports)
}

/// Takes completions off their queue.
async fn take_all(completed: &SharedQueue, jobs: usize) -> anyhow::Result<()> {
    let mut taken = 0;
    while taken < jobs {
        let messages = completed.receive(BATCH, Duration::from_secs(1)).await?;
        taken += messages.len();
        let receipts: Vec<_> = messages.into_iter().map(|one| one.receipt).collect();
        for acked in completed.ack_all(&receipts).await {
            acked?;
        }
    }
    Ok(())
}
