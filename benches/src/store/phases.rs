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
use futures_util::{TryStreamExt, stream};
use polling_model::{Generator, JobId, ManualClock, Nonce, SharedClock};
use polling_transport::memory::MemoryQueue;
use scheduler_lib::{
    Channel, Registry, Scheduler, SharedStore,
    policy::JobTypeRules,
    store::{Dispatch, DrainRequest, MAX_CHUNK, Next, Settlement, Strike, Verdict},
};
use tokio::task::JoinSet;

use crate::{jobs, policy::Decision};

/// After which a chunk that is not known to be sent may be found again.
const NOTE_DEADLINE_MS: i64 = 30_000;

/// Jobs that were drained together, under the name of their note.
type Chunk = Arc<(Nonce, Vec<Dispatch>)>;

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

/// Jobs on their way through a store; clones are one.
#[derive(Debug, Clone)]
pub struct Phases {
    plan: Plan,
    store: SharedStore,
    generator: Generator,
    /// Chunks that were drained, and are to be settled.
    drained: Arc<Mutex<Vec<Chunk>>>,
}

impl Phases {
    /// Nothing is done yet. What is drawn by chance follows from `seed`.
    #[must_use]
    pub fn new(plan: Plan, store: SharedStore, seed: u64) -> Self {
        Self {
            plan,
            store,
            generator: Generator::from_seed(seed),
            drained: Arc::default(),
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
        let count = Arc::new(AtomicUsize::new(0));
        self.in_tasks(|| self.clone().drain_all(now_ms, Arc::clone(&count)))
            .await?;
        let count = count.load(Relaxed);
        ensure!(count >= self.plan.cycled, "{count} jobs were due");
        Ok(())
    }

    async fn drain_all(self, now_ms: i64, count: Arc<AtomicUsize>) -> anyhow::Result<()> {
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
            self.chunks().push(Arc::new((nonce, drained.jobs)));
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
            chunks.push(Arc::new((note.nonce, note.jobs)));
        }
        let count: usize = chunks.iter().map(|chunk| chunk.1.len()).sum();
        ensure!(count == self.plan.jobs, "{count} jobs were drained");
        *self.chunks() = chunks;
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
        self.each_chunk(|phases, chunk| async move {
            Ok(phases.store.sent(chunk.0, &ids(&chunk)).await?)
        })
        .await
    }

    /// Reads every job once, drained or not.
    ///
    /// # Errors
    ///
    /// The store's, and that a job is unknown.
    pub async fn read_all(&self) -> anyhow::Result<()> {
        let firsts = (0..self.plan.jobs).step_by(MAX_CHUNK).map(Ok);
        stream::iter(firsts)
            .try_for_each_concurrent(self.plan.tasks, |first| async move {
                let numbers = first..self.plan.jobs.min(first + MAX_CHUNK);
                let ids: Vec<_> = numbers.map(jobs::id).collect::<anyhow::Result<_>>()?;
                let states = self.store.load(&ids).await?;
                ensure!(states.iter().all(Option::is_some), "a job is unknown");
                Ok(())
            })
            .await
    }

    /// Loads what a scheduler decides on, of all that was drained.
    ///
    /// # Errors
    ///
    /// The store's, and that a job is unknown.
    pub async fn load(&self) -> anyhow::Result<()> {
        self.each_chunk(|phases, chunk| async move {
            let states = phases.store.load(&ids(&chunk)).await?;
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
        self.settle_chunks(round, false).await
    }

    /// Loads and settles all that was drained, chunk by chunk, as a scheduler does.
    ///
    /// # Errors
    ///
    /// The store's, and that a job is unknown or was not accepted.
    pub async fn complete(&self, round: i64) -> anyhow::Result<()> {
        self.settle_chunks(round, true).await
    }

    async fn settle_chunks(&self, round: i64, loads: bool) -> anyhow::Result<()> {
        let now_ms = self.due_ms(round);
        let next_ms = now_ms + self.plan.interval.as_millis() as i64;
        let reason: Arc<str> = Decision::new()?.decide().reason.into();
        self.each_chunk(move |phases, chunk| {
            let reason = Arc::clone(&reason);
            async move {
                if loads {
                    let states = phases.store.load(&ids(&chunk)).await?;
                    ensure!(states.iter().all(Option::is_some), "a job is unknown");
                }
                let settlements = chunk.1.iter();
                let settlements = settlements.map(|job| settlement(job, next_ms, &reason));
                let verdicts = phases.store.settle(settlements.collect(), now_ms).await?;
                let accepted = |verdict| verdict == Verdict::Accepted;
                ensure!(verdicts.into_iter().all(accepted), "a job was not accepted");
                Ok(())
            }
        })
        .await?;
        self.chunks().clear();
        Ok(())
    }

    /// Some chunks at once, until all had their turn.
    async fn each_chunk<F>(
        &self,
        step: impl Fn(Self, Chunk) -> F + Clone + Send + 'static,
    ) -> anyhow::Result<()>
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let chunks = Arc::new(self.chunks().clone());
        let next = Arc::new(AtomicUsize::new(0));
        self.in_tasks(|| {
            let (phases, step) = (self.clone(), step.clone());
            let (chunks, next) = (Arc::clone(&chunks), Arc::clone(&next));
            async move {
                while let Some(chunk) = chunks.get(next.fetch_add(1, Relaxed)) {
                    step(phases.clone(), Arc::clone(chunk)).await?;
                }
                Ok(())
            }
        })
        .await
    }

    /// On tasks of their own, as schedulers are. The first that fails ends all.
    async fn in_tasks<F>(&self, task: impl Fn() -> F) -> anyhow::Result<()>
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let mut tasks: JoinSet<_> = (0..self.plan.tasks).map(|_| task()).collect();
        while let Some(ended) = tasks.join_next().await {
            ended??;
        }
        Ok(())
    }

    fn chunks(&self) -> MutexGuard<'_, Vec<Chunk>> {
        // A chunk is put in or taken out as a whole.
        self.drained.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn ids(chunk: &Chunk) -> Vec<JobId> {
    chunk.1.iter().map(|job| job.record.id.clone()).collect()
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
