//! The steps, each over all jobs.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use anyhow::{Context as _, ensure};
use futures_util::future::try_join_all;
use polling_model::{Generator, ManualClock, Nonce, SharedClock};
use polling_transport::memory::MemoryQueue;
use scheduler_lib::{
    Channel, Registry, Scheduler, SharedStore,
    policy::JobTypeRules,
    store::{Dispatch, DrainRequest, MAX_CHUNK, Next, Settlement, Strike, Verdict},
};

use crate::{jobs, policy::Decision};

/// After which a chunk that is not known to be sent may be found again.
const NOTE_DEADLINE_MS: i64 = 30_000;

/// Jobs that were drained together, under the name of their note.
type Chunk = (Nonce, Vec<Dispatch>);

/// What is done, and how much of it at once.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Jobs in the store.
    pub jobs: usize,
    /// Jobs that are drained and settled.
    pub cycled: usize,
    /// Every job's interval: the slots of so long are filled evenly.
    pub interval: Duration,
    /// Chunks under way at once.
    pub tasks: usize,
    /// When jobs are registered, UTC milliseconds.
    pub start_ms: i64,
}

impl Plan {
    /// All of `jobs` jobs, each due every 5 minutes.
    #[must_use]
    pub const fn all(jobs: usize, tasks: usize, start_ms: i64) -> Self {
        Self {
            jobs,
            cycled: jobs,
            interval: Duration::from_secs(300),
            tasks,
            start_ms,
        }
    }
}

/// Jobs on their way through a store.
#[derive(Debug)]
pub struct Phases {
    plan: Plan,
    store: SharedStore,
    generator: Generator,
    /// Chunks that were drained, and are to be settled.
    drained: Mutex<Arc<Vec<Chunk>>>,
}

impl Phases {
    /// Nothing is done yet. What is drawn by chance follows from `seed`.
    #[must_use]
    pub fn new(plan: Plan, store: SharedStore, seed: u64) -> Self {
        Self {
            plan,
            store,
            generator: Generator::from_seed(seed),
            drained: Mutex::default(),
        }
    }

    /// From now on so many chunks are under way at once.
    pub const fn set_tasks(&mut self, tasks: usize) {
        self.plan.tasks = tasks;
    }

    /// Registers all jobs, as a service does that owns the accounts.
    ///
    /// # Errors
    ///
    /// That one cannot be registered.
    pub async fn register(&self) -> anyhow::Result<()> {
        jobs::register(&self.registry()?, self.plan.jobs).await
    }

    fn registry(&self) -> anyhow::Result<Registry> {
        let clock: SharedClock = Arc::new(ManualClock::at(self.plan.start_ms));
        let queue = || MemoryQueue::builder("unused", Arc::clone(&clock)).build();
        let channel = Channel::builder(jobs::channel(), Arc::clone(&self.store))
            .job_type(
                jobs::job_type(),
                JobTypeRules::every(self.plan.interval),
                queue(),
            )
            .completed(queue())
            .dead_letter(queue())
            .build()?;
        let scheduler = Scheduler::builder()
            .channel(channel)
            .clock(clock)
            .generator(self.generator.clone())
            .build();
        let registry = scheduler.registry(&jobs::channel());
        registry.context("the scheduler has the channel")
    }

    /// When all jobs are due for the `round`th time, from 1.
    fn due_ms(&self, round: i64) -> i64 {
        let ring = self.store.ring();
        self.plan.start_ms + round * (self.plan.interval.as_millis() as i64 + 2 * ring.width_ms())
    }

    /// Drains as many jobs as are to be cycled.
    ///
    /// # Errors
    ///
    /// The store's, and that not all jobs were due.
    pub async fn drain(&self, round: i64) -> anyhow::Result<()> {
        let now_ms = self.due_ms(round);
        let count = AtomicUsize::new(0);
        let tasks = (0..self.plan.tasks).map(|_| self.drain_all(now_ms, &count));
        try_join_all(tasks).await?;
        let count = count.into_inner();
        ensure!(count >= self.plan.cycled, "{count} jobs were due");
        Ok(())
    }

    async fn drain_all(&self, now_ms: i64, count: &AtomicUsize) -> anyhow::Result<()> {
        while count.load(Relaxed) < self.plan.cycled {
            let nonce = self.generator.nonce();
            let request = DrainRequest {
                pace_ms: 0,
                now_ms,
                limit: MAX_CHUNK,
                nonce,
                note_deadline_ms: now_ms + NOTE_DEADLINE_MS,
                // They are struck off afterwards.
                max_open_notes: usize::MAX,
                deadlines_ms: BTreeMap::new(),
                default_deadline_ms: now_ms + 600_000,
            };
            let drained = self.store.drain(request).await?;
            if drained.jobs.is_empty() && !drained.more {
                return Ok(());
            }
            count.fetch_add(drained.jobs.len(), Relaxed);
            Arc::make_mut(&mut self.chunks()).push((nonce, drained.jobs));
        }
        Ok(())
    }

    /// Finds again what somebody has drained, by its notes.
    ///
    /// # Errors
    ///
    /// The store's, and that not all jobs were drained.
    pub async fn find_drained(&self, round: i64) -> anyhow::Result<()> {
        let after_ms = self.due_ms(round) + NOTE_DEADLINE_MS;
        let mut chunks = Vec::new();
        while let Some(note) = self.store.claim_note(after_ms, after_ms + 1).await? {
            chunks.push((note.nonce, note.jobs));
        }
        let count: usize = chunks.iter().map(|(_, jobs)| jobs.len()).sum();
        ensure!(count == self.plan.jobs, "{count} jobs were drained");
        *self.chunks() = Arc::new(chunks);
        Ok(())
    }

    /// How many chunks are drained.
    #[must_use]
    pub fn chunk_count(&self) -> usize {
        self.chunks().len()
    }

    /// Strikes all that was drained off its notes.
    ///
    /// # Errors
    ///
    /// The store's.
    pub async fn sent(&self) -> anyhow::Result<()> {
        self.each_chunk(async |nonce, jobs| {
            let ids: Vec<_> = jobs.iter().map(|job| job.record.id.clone()).collect();
            Ok(self.store.sent(nonce, &ids).await?)
        })
        .await
    }

    /// Loads what a scheduler decides on, of all that was drained.
    ///
    /// # Errors
    ///
    /// The store's, and that a job is unknown.
    pub async fn load(&self) -> anyhow::Result<()> {
        self.each_chunk(async |_, jobs| {
            let ids: Vec<_> = jobs.iter().map(|job| job.record.id.clone()).collect();
            let states = self.store.load(&ids).await?;
            ensure!(states.iter().all(Option::is_some), "a job is unknown");
            Ok(())
        })
        .await
    }

    /// Settles all that was drained.
    ///
    /// # Errors
    ///
    /// The store's, and that a job was not accepted.
    pub async fn settle(&self, round: i64) -> anyhow::Result<()> {
        let now_ms = self.due_ms(round);
        let next_ms = now_ms + self.plan.interval.as_millis() as i64;
        let reason = Decision::new()?.decide().reason;
        self.each_chunk(async |_, jobs| {
            let settlements = jobs.iter().map(|job| settlement(job, next_ms, &reason));
            let verdicts = self.store.settle(settlements.collect(), now_ms).await?;
            let accepted = |verdict| verdict == Verdict::Accepted;
            ensure!(verdicts.into_iter().all(accepted), "a job was not accepted");
            Ok(())
        })
        .await?;
        *self.chunks() = Arc::default();
        Ok(())
    }

    /// Some chunks at once, until all had their turn.
    async fn each_chunk(
        &self,
        step: impl AsyncFn(Nonce, &[Dispatch]) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let chunks = self.chunks().clone();
        let next = AtomicUsize::new(0);
        let tasks = (0..self.plan.tasks).map(|_| async {
            while let Some((nonce, jobs)) = chunks.get(next.fetch_add(1, Relaxed)) {
                step(*nonce, jobs).await?;
            }
            anyhow::Ok(())
        });
        try_join_all(tasks).await.map(drop)
    }

    fn chunks(&self) -> MutexGuard<'_, Arc<Vec<Chunk>>> {
        // A chunk is put in or taken out as a whole.
        self.drained.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a scheduler makes of a poll that brought a context.
fn settlement(job: &Dispatch, due_ms: i64, reason: &str) -> Settlement {
    Settlement {
        id: job.record.id.clone(),
        token: job.token,
        revision: job.record.state.revision,
        context: Some(job.record.context.clone()),
        scopes: None,
        activity: None,
        next: Next::Due(due_ms),
        attempts: 0,
        strike: Strike::Clear,
        reason: reason.to_owned(),
    }
}
