//! A scheduler and a worker, and a counter on them.

use std::{
    ops::RangeInclusive,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use polling_core::{Job, Polled, Worker, WorkerConfig, poller_fn};
use polling_model::{Clock as _, Event, SystemClock, Topic};
use scheduler_lib::{Channel, ChannelStatus, Limits, Monitor, Scheduler, policy::JobTypeRules};
use tokio::{sync::watch, task::JoinSet, time::sleep};

use super::{Load, Ports, Requests};
use crate::{figure::Figure, jobs, process::cpu_us};

const INTERVAL: Duration = Duration::from_secs(1);

/// Jobs dispatched for one that is settled, where it can go on like that. Jobs are dispatched as a
/// slot begins, so that a few seconds have a slot too many or too few.
const STEADY: RangeInclusive<f64> = 0.75..=1.33;

/// Lets jobs cycle over `ports`; how many a second, as the figure `name`. `requests` is told what is
/// asked of the queues.
///
/// # Errors
///
/// That a job cannot be registered, that a job was lost or polled again, or that the slots ran
/// empty.
pub async fn run(
    name: &str,
    load: &Load,
    ports: &Ports,
    topic: &Topic,
    requests: &Requests,
) -> anyhow::Result<Figure> {
    let channel = channel(ports, INTERVAL, load.limits())?;
    let scheduler = Scheduler::builder().channel(channel).build();
    let registry = scheduler.registry(&jobs::channel());
    let registry = registry.context("the scheduler has the channel")?;
    let began = Instant::now();
    jobs::register(&registry, load.jobs).await?;
    let registered_s = began.elapsed().as_secs_f64();
    let monitor = scheduler.monitor();
    let topic = load.events.then(|| topic.clone());
    let worker = worker(worker_config(load.concurrency), ports, topic)?;

    let (stop, stopped) = watch::channel(false);
    let mut tasks = JoinSet::new();
    tasks.spawn(scheduler.run(until(stopped.clone())));
    tasks.spawn(async move {
        worker.run(until(stopped)).await;
    });
    warm_up(load, ports).await?;
    drop(requests.take());
    let counted = count(&monitor, load, ports).await?;
    let asked = requests.take();
    stop.send(true).context("the cycle has ended by itself")?;
    while tasks.join_next().await.is_some() {}
    Ok(Figure::new(name, counted.jobs_per_s, "jobs/s")
        .with("jobs", load.jobs)
        .with("events", load.events)
        .with("seconds", load.measured.as_secs_f64())
        .with("requests_per_job", asked.per_job(counted.jobs))
        .with("requests", asked.of_kinds(counted.jobs))
        .with("registering_s", registered_s)
        .with("cpu_us_per_job", counted.cpu_us_per_job)
        .with("dispatched_per_settled", counted.dispatched_per_settled))
}

/// Until nothing that is due is left in the slots: from then on no more are dispatched than are
/// settled.
async fn warm_up(load: &Load, ports: &Ports) -> anyhow::Result<()> {
    let (began, ring) = (Instant::now(), ports.store.ring());
    loop {
        sleep(Duration::from_millis(100)).await;
        let counts = ports.store.counts().await.context("cannot count")?;
        let now = ring.current(SystemClock.now_ms());
        if counts.cursor == now.0 && counts.in_flight > counts.registered / 2 {
            break;
        }
        ensure!(
            began.elapsed() < load.warm_up_at_most,
            "the slots were not empty within {:?}: register fewer",
            load.warm_up_at_most
        );
    }
    sleep(INTERVAL * 3).await;
    Ok(())
}

/// Of the only channel.
fn status(monitor: &Monitor) -> ChannelStatus {
    monitor.status().into_values().next().unwrap_or_default()
}

struct Counted {
    jobs: f64,
    jobs_per_s: f64,
    cpu_us_per_job: f64,
    /// 1 where what is counted goes on like that for ever.
    dispatched_per_settled: f64,
}

async fn count(monitor: &Monitor, load: &Load, ports: &Ports) -> anyhow::Result<Counted> {
    let (began, before, cpu_before_us) = (Instant::now(), status(monitor), cpu_us()?);
    sleep(load.measured).await;
    let (took_s, after, cpu_after_us) = (began.elapsed().as_secs_f64(), status(monitor), cpu_us()?);
    let jobs = (after.accepted - before.accepted) as f64;
    ensure!(
        after.stale + after.resent + after.reaped + after.repaired + after.dead_letters == 0,
        "jobs were repeated: {after:?}"
    );
    let counts = ports.store.counts().await.context("cannot count")?;
    ensure!(
        counts.registered == load.jobs as u64,
        "jobs were lost: {counts:?}"
    );
    // With all jobs polled within their interval it is the load that was measured.
    let most_per_s = load.jobs as f64 / INTERVAL.as_secs_f64();
    ensure!(
        jobs / took_s < 0.9 * most_per_s,
        "{jobs} jobs in {took_s:.1} s, of {most_per_s} due a second: register more"
    );
    let dispatched_per_settled = (after.dispatched - before.dispatched) as f64 / jobs;
    ensure!(
        STEADY.contains(&dispatched_per_settled),
        "{dispatched_per_settled:.2} jobs were dispatched for one that was settled: measure for longer"
    );
    Ok(Counted {
        jobs,
        jobs_per_s: jobs / took_s,
        cpu_us_per_job: (cpu_after_us - cpu_before_us) as f64 / jobs,
        dispatched_per_settled,
    })
}

pub(super) async fn until(mut stopped: watch::Receiver<bool>) {
    // A sender that is gone has failed: stop then, too.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// Of jobs that are due once in an interval.
pub(super) fn channel(
    ports: &Ports,
    interval: Duration,
    limits: Limits,
) -> anyhow::Result<Channel> {
    let rules = JobTypeRules::every(interval);
    let channel = Channel::builder(jobs::channel(), ports.store.clone())
        .job_type(jobs::job_type(), rules, ports.work.clone())
        .completed(ports.completed.clone())
        .dead_letter(ports.dead_letter.clone())
        .ledger(ports.ledger.clone())
        .limits(limits)
        .build()?;
    Ok(channel)
}

/// Bounds of a worker whose polls take no time.
pub(super) fn worker_config(concurrency: usize) -> WorkerConfig {
    WorkerConfig {
        concurrency,
        publish_rate: 10_000_000,
        publish_burst: 10_000_000,
        poll_timeout: Duration::from_secs(5),
        publish_timeout: Duration::from_secs(10),
        complete_timeout: Duration::from_secs(10),
        receive_wait: Duration::from_secs(1),
        shutdown_grace: Duration::from_secs(10),
        ..WorkerConfig::default()
    }
}

/// Its polls find nothing, or one event each where a topic is given.
pub(super) fn worker(
    config: WorkerConfig,
    ports: &Ports,
    topic: Option<Topic>,
) -> anyhow::Result<Worker> {
    let poller = poller_fn(move |job: Job| {
        let event = topic.clone().map(|topic| event(topic, &job));
        async move { Ok(Polled::new(job.context.clone()).with_events(event)) }
    });
    let worker = Worker::builder()
        .work(ports.work.clone())
        .completed(ports.completed.clone())
        .bus(ports.bus.clone())
        .config(config)
        .poller(poller)
        .build()?;
    Ok(worker)
}

/// Of [`jobs::EVENT`].
fn event(topic: Topic, job: &Job) -> Event {
    let key = job.token.generation.to_string();
    Event::new(topic, key, jobs::EVENT, job.due_ms)
}
