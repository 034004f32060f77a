//! Everything put together: two channels, their workers, the scheduler and its console.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use polling_model::{ChannelId, Generator, JobType, SharedClock, SlotRing, SystemClock};
use polling_transport::{SharedQueue, memory::MemoryQueue};
use scheduler_lib::{
    Channel, Limits, MemoryStore, Registration, Registry, Scheduler,
    ledger::MemoryLedger,
    policy::{JobTypeRules, LevelRules},
};
use scheduler_web::{Options, Recent, Secret, User, Web, access::Role};
use serde_json::json;
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{desk, settings::Simulated, workers::Worker};

/// The operator's secret.
pub(crate) const OPERATOR: &str = "console-example-operator";

/// The secret of `rita`, who only looks.
pub(crate) const READER: &str = "console-example-reader";

/// The channel with most of the jobs, and the one with some.
const BUSY: &str = "mastodon";
const QUIET: &str = "github";

/// Jobs of the quiet channel.
const FEW: u32 = 40;

/// Workers of each work queue.
const WORKERS: usize = 4;

/// Jobs registered in one call.
const BATCH: usize = 1_000;

/// The whole cast.
pub(crate) struct Stage {
    scheduler: Scheduler,
    recent: Arc<Recent>,
    workers: Vec<Worker>,
    clock: SharedClock,
    behind: Behind,
}

/// What the busy channel keeps.
#[derive(Clone)]
struct Behind {
    store: Arc<MemoryStore>,
    ledger: Arc<MemoryLedger>,
}

impl Behind {
    fn new(fast: bool, clock: &SharedClock) -> Self {
        let ring = match fast {
            true => SlotRing::SECONDS,
            false => SlotRing::MINUTES,
        };
        Self {
            store: Arc::new(MemoryStore::new(ring, clock.now_ms())),
            ledger: Arc::new(MemoryLedger::new()),
        }
    }
}

impl Stage {
    pub(crate) fn build(fast: bool) -> anyhow::Result<Self> {
        let clock: SharedClock = Arc::new(SystemClock);
        let mut workers = Vec::new();
        let behind = Behind::new(fast, &clock);
        let of_busy = ["posts", "likes", "replies"];
        let busy = channel(BUSY, &of_busy, fast, &clock, &behind, &mut workers)?;
        let of_quiet = Behind::new(fast, &clock);
        let quiet = channel(QUIET, &["events"], fast, &clock, &of_quiet, &mut workers)?;
        let recent = Arc::new(Recent::new(Arc::clone(&clock)));
        let scheduler = Scheduler::builder()
            .clock(Arc::clone(&clock))
            .observer(recent.clone())
            .channel(busy)
            .channel(quiet)
            .build();
        Ok(Self {
            scheduler,
            recent,
            workers,
            clock,
            behind,
        })
    }

    /// Registers the jobs; a few are held, as by people.
    pub(crate) async fn register(&self, jobs: u32) -> anyhow::Result<()> {
        let busy = self.registry(BUSY)?;
        let jobs: Vec<_> = (0..jobs).map(job_of_busy).collect::<Result<_, _>>()?;
        for batch in jobs.chunks(BATCH) {
            busy.register_all(batch.to_vec()).await?;
        }
        for account in ["1003", "1006", "1009"] {
            let id = format!("posts:{account}").parse()?;
            // With few jobs there is no such one.
            let _ = busy.pause(&id).await;
        }
        let Behind { store, ledger } = &self.behind;
        desk::furnish(store, ledger, &Generator::from_os(), self.clock.now_ms()).await?;
        let quiet = self.registry(QUIET)?;
        for number in 0..FEW {
            let events: JobType = "events".parse()?;
            let mut job = Registration::new(events, format!("octo/{number}").parse()?);
            job.id = Some(format!("events/octo/{number}").parse()?);
            quiet.register(job).await?;
        }
        Ok(())
    }

    /// Runs everything until `stop` is cancelled.
    pub(crate) async fn run(
        self,
        listener: TcpListener,
        stop: CancellationToken,
    ) -> anyhow::Result<()> {
        let mut options = Options::default();
        options.listen = listener.local_addr()?;
        options.token = Some(Secret::new(OPERATOR));
        let reader = User::new(Role::Reader, Secret::new(READER));
        options.users.insert("rita".to_owned(), reader);
        let web = Web::builder(&self.scheduler, self.clock.clone())
            .options(options)
            .settings(Arc::new(Simulated::new(self.clock)))
            .recent(self.recent);
        let router = web.build().router();
        let mut workers = JoinSet::new();
        for worker in self.workers {
            workers.spawn(worker.run());
        }
        let server = tokio::spawn(scheduler_web::serve(listener, router, stop.clone()));
        self.scheduler.run(stop.cancelled_owned()).await;
        server.await?;
        Ok(())
    }

    fn registry(&self, channel: &str) -> anyhow::Result<Registry> {
        let id: ChannelId = channel.parse()?;
        self.scheduler
            .registry(&id)
            .context("the channel was just added")
    }
}

fn channel(
    name: &str,
    job_types: &[&str],
    fast: bool,
    clock: &SharedClock,
    behind: &Behind,
    workers: &mut Vec<Worker>,
) -> anyhow::Result<Channel> {
    let (limits, patience) = match fast {
        true => (Limits::of_seconds(), 2),
        false => (Limits::default(), 20),
    };
    let dead_letter = MemoryQueue::builder(format!("{name}-dead-letter"), clock.clone()).build();
    let queue = |of: &str| -> SharedQueue {
        MemoryQueue::builder(format!("{name}-{of}"), clock.clone())
            .visibility_timeout(Duration::from_secs(patience))
            .dead_letter(dead_letter.clone(), limits.max_receives)
            .build()
    };
    let completed = queue("completed");
    let mut builder =
        Channel::builder(name.parse()?, behind.store.clone()).ledger(behind.ledger.clone());
    for job_type in job_types {
        let work = queue(job_type);
        for _ in 0..WORKERS {
            workers.push(Worker {
                work: work.clone(),
                completed: completed.clone(),
                clock: clock.clone(),
                generator: Generator::from_os(),
            });
        }
        builder = builder.job_type(job_type.parse()?, rules(job_type, fast)?, work);
    }
    let channel = builder
        .completed(completed)
        .dead_letter(dead_letter)
        .default_level("free".parse()?)
        .limits(limits)
        .build()?;
    Ok(channel)
}

/// Gold is polled often, what is free once a day. With slots of a second all of it is sixty times as fast.
fn rules(job_type: &str, fast: bool) -> anyhow::Result<JobTypeRules> {
    let minutes = |minutes: u64| Duration::from_secs(if fast { minutes } else { minutes * 60 });
    let mut rules = JobTypeRules::every(minutes(1_380));
    for (level, every) in [("gold", 30), ("silver", 240), ("bronze", 780)] {
        let level_rules = LevelRules {
            interval: Some(minutes(every)),
            ..LevelRules::default()
        };
        rules.levels.insert(level.parse()?, level_rules);
    }
    let scopes = match job_type {
        "likes" => json!([
            {"scope": "app", "limit": {"calls": 60_000, "window": "1h"}, "cushion": "5%"},
            {"scope": "account:{account}", "limit": {"calls": 300, "window": "15m"}},
        ]),
        _ => json!([]),
    };
    rules.scopes = serde_json::from_value(scopes)?;
    Ok(rules)
}

/// Of twenty jobs one is gold, four are silver, seven bronze; the others are polled once a day.
fn job_of_busy(number: u32) -> anyhow::Result<Registration> {
    let job_type = ["posts", "posts", "likes", "replies"][number as usize % 4];
    let level = match number / 4 % 20 {
        0 => "gold",
        1..=4 => "silver",
        5..=11 => "bronze",
        _ => "free",
    };
    let mut job = Registration::new(job_type.parse()?, number.to_string().parse()?);
    job.level = Some(level.parse()?);
    let names = ["Ada", "Zoë", "<b>Bold</b>", "\u{202e}drawkcab"];
    let name = names[number as usize / 7 % names.len()];
    job.context.insert("name", name);
    Ok(job)
}
