//! Registrations: what a service that owns accounts calls.

mod bursts;
mod explaining;
mod messages;
mod moving;
mod operate;
mod steer;

use std::collections::BTreeMap;

use polling_model::{
    AccountId, ChannelId, Context, ContextError, EncodedContext, Generator, JobId, JobType,
    KillPoint, ServiceLevel, SharedClock,
};

use crate::{
    channel::Channel,
    ledger::Cushion,
    policy::{Override, RuleError, candidates, check_cushion},
    store::{
        Candidates, Counts, Edited, Hold, JobRecord, ListCursor, Listed, Loads, NewJob, Registered,
        StoreError, Update,
    },
};

pub use self::{
    bursts::Bursting,
    moving::HandedOver,
    operate::{QueueRole, QueueState, ScopeState},
};

/// The registrations of one channel. Cheap to clone; every call is one atomic step on the store,
/// idempotent, and safe at any time, whatever the cycle does meanwhile.
#[derive(Debug, Clone)]
pub struct Registry {
    channel: Channel,
    clock: SharedClock,
    generator: Generator,
}

/// A job to register.
#[derive(Debug, Clone, PartialEq)]
pub struct Registration {
    /// The job's id; `job_type:account` unless set.
    pub id: Option<JobId>,
    /// The kind of job; the channel must know it.
    pub job_type: JobType,
    /// Who is polled for.
    pub account: AccountId,
    /// The service level; the channel's default unless set.
    pub level: Option<ServiceLevel>,
    /// The job's own cushion; its level's or its job type's unless set.
    pub cushion: Option<Cushion>,
    /// For the first poll. An existing job keeps the context it has.
    pub context: Context,
}

impl Registration {
    /// A registration with defaults.
    #[must_use]
    pub fn new(job_type: JobType, account: AccountId) -> Self {
        Self {
            id: None,
            job_type,
            account,
            level: None,
            cushion: None,
            context: Context::new(),
        }
    }
}

/// Rules of a job to change; what is `None` stays.
///
/// A job that waits is placed by its new rules at once if that is sooner: within the new interval.
/// One that would come later stays where it is, and goes by the new rules from its next poll on.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Change {
    /// The service level.
    pub level: Option<ServiceLevel>,
    /// The job's own cushion; `Some(None)` returns to its level's or its job type's.
    pub cushion: Option<Option<Cushion>>,
    /// How often it is polled, by hand; `Some(None)` returns to its rules.
    pub pace: Option<Option<Override>>,
}

impl Registry {
    pub(crate) const fn new(channel: Channel, clock: SharedClock, generator: Generator) -> Self {
        Self {
            channel,
            clock,
            generator,
        }
    }

    /// The channel's name.
    #[must_use]
    pub const fn channel(&self) -> &ChannelId {
        self.channel.id()
    }

    /// Registers a job: from now on it is polled at its interval. Repeating it changes nothing.
    ///
    /// # Errors
    ///
    /// [`RegistryError`] when the job type is unknown, the context too large, or the store fails.
    pub async fn register(&self, job: Registration) -> Result<(JobId, Registered), RegistryError> {
        let mut answers = self.register_all(vec![job]).await?;
        answers.pop().expect("one answer for each job")
    }

    /// Registers many jobs, in as few calls of the store as it allows: tens of thousands a second.
    /// One answer each, in their order: one that is refused keeps no other from being registered.
    ///
    /// # Errors
    ///
    /// Of each job those of [`register`](Self::register). Of all together the store's: how each
    /// ended is not known then, and the whole may be repeated.
    pub async fn register_all(
        &self,
        jobs: Vec<Registration>,
    ) -> Result<Vec<Result<(JobId, Registered), RegistryError>>, RegistryError> {
        let now_ms = self.clock.now_ms();
        let mut new = Vec::with_capacity(jobs.len());
        let mut checked = |job| {
            let job = self.new_job(job, now_ms)?;
            let id = job.id.clone();
            new.push(job);
            Ok(id)
        };
        let ids: Vec<_> = jobs.into_iter().map(&mut checked).collect();
        let registered = self.channel.store.register(new, now_ms).await?;
        KillPoint::RegistryRegistered.hit();
        let mut registered = registered.into_iter();
        let mut answer = |id| (id, registered.next().expect("one answer for each job"));
        Ok(ids.into_iter().map(|id| id.map(&mut answer)).collect())
    }

    /// A job as the store takes it, once it is checked.
    fn new_job(&self, job: Registration, now_ms: i64) -> Result<NewJob, RegistryError> {
        let level = job
            .level
            .unwrap_or_else(|| self.channel.default_level.clone());
        let id = job
            .id
            .unwrap_or_else(|| JobId::of(&job.job_type, &job.account));
        let due = self.due_within_interval(&id, &job.job_type, &level, None)?;
        check(job.cushion, None, now_ms)?;
        Ok(NewJob {
            id,
            job_type: job.job_type,
            account: job.account,
            level,
            cushion: job.cushion,
            context: encoded(&job.context)?,
            incarnation: self.generator.nonce(),
            due,
        })
    }

    /// Removes a job. What of it is in flight comes back to nothing.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Unknown`], or the store's.
    pub async fn remove(&self, id: &JobId) -> Result<(), RegistryError> {
        let removed = self.channel.store.remove(id).await?;
        KillPoint::RegistryRemoved.hit();
        known(id, removed).map(drop)
    }

    /// Changes a job's rules: at once if it waits, at its next settle if it is in flight.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Unknown`], [`RegistryError::Rule`] when a value is out of its bounds, or
    /// the store's.
    pub async fn update(&self, id: &JobId, change: Change) -> Result<(), RegistryError> {
        let record = self.get(id).await?;
        let level = change.level.as_ref().unwrap_or(&record.state.level);
        let (cushion, pace) = (change.cushion.flatten(), change.pace.flatten());
        check(cushion, pace, self.clock.now_ms())?;
        let pace = change.pace.unwrap_or(record.state.pace);
        let due = self.due_within_interval(id, &record.state.job_type, level, pace)?;
        let update = Update {
            level: change.level,
            cushion: change.cushion,
            pace: change.pace,
            due,
        };
        let updated = self.channel.store.update(id, update).await?;
        KillPoint::RegistryUpdated.hit();
        known(id, updated).map(drop)
    }

    /// Replaces a job's context by hand and polls it within an interval. A poll in flight no
    /// longer counts.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Unknown`], that the context is too large, or the store's.
    pub async fn replace_context(
        &self,
        id: &JobId,
        context: &Context,
    ) -> Result<(), RegistryError> {
        let context = encoded(context)?;
        let JobRecord { state, .. } = self.get(id).await?;
        let due = self.due_within_interval(id, &state.job_type, &state.level, state.pace)?;
        let incarnation = self.generator.nonce();
        let store = &self.channel.store;
        let replaced = store.replace_context(id, context, incarnation, due).await?;
        KillPoint::RegistryContextReplaced.hit();
        known(id, replaced).map(drop)
    }

    /// Holds a job, at once. Whether it was running.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Unknown`], or the store's.
    pub async fn pause(&self, id: &JobId) -> Result<bool, RegistryError> {
        let store = &self.channel.store;
        let held = store.hold(id, Hold::Paused, "paused by hand").await?;
        KillPoint::RegistryPaused.hit();
        known(id, held)
    }

    /// Returns a held job to the cycle, due at once. Whether it was held.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Unknown`], or the store's.
    pub async fn resume(&self, id: &JobId) -> Result<bool, RegistryError> {
        let due = [self.clock.now_ms(); 2];
        let resumed = self.channel.store.resume(id, due).await?;
        KillPoint::RegistryResumed.hit();
        known(id, resumed)
    }

    /// Polls a job at once, held or not; in flight, once more as soon as it is settled.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Unknown`], or the store's.
    pub async fn run_now(&self, id: &JobId) -> Result<(), RegistryError> {
        let asked = self.channel.store.run_now(id).await?;
        KillPoint::RegistryRunNow.hit();
        known(id, asked).map(drop)
    }

    /// A job's record.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Unknown`], or the store's.
    pub async fn get(&self, id: &JobId) -> Result<JobRecord, RegistryError> {
        let found = self.channel.store.get(id).await?;
        found.ok_or_else(|| RegistryError::Unknown { id: id.clone() })
    }

    /// A page of records, in an order of the store's own, from where `from` says; some `limit`,
    /// bounded by [`MAX_PAGE`](crate::store::MAX_PAGE). Page after page tells each job that is
    /// registered all the while, seldom one of them twice.
    ///
    /// # Errors
    ///
    /// The store's, and that `from` is not what a page said.
    pub async fn list(
        &self,
        from: Option<&ListCursor>,
        limit: usize,
    ) -> Result<Listed, RegistryError> {
        Ok(self.channel.store.list(from, limit).await?)
    }

    /// A page of the jobs that are held, by whatever hold; as [`list`](Self::list), with cursors of its own.
    ///
    /// # Errors
    ///
    /// As of [`list`](Self::list).
    pub async fn held(
        &self,
        from: Option<&ListCursor>,
        limit: usize,
    ) -> Result<Listed, RegistryError> {
        Ok(self.channel.store.held(from, limit).await?)
    }

    /// How many jobs are where.
    ///
    /// # Errors
    ///
    /// The store's.
    pub async fn counts(&self) -> Result<Counts, RegistryError> {
        Ok(self.channel.store.counts().await?)
    }

    /// How many jobs of each type are polled within the next `slots` slots (minutes, unless slots
    /// are of another width): what workers have to be ready for. An estimate where there are many.
    ///
    /// # Errors
    ///
    /// The store's.
    pub async fn due_within(&self, slots: usize) -> Result<BTreeMap<JobType, u64>, RegistryError> {
        Ok(self.channel.store.due_within(slots).await?)
    }

    /// How many jobs are in each slot, from the one that is being drained on.
    ///
    /// # Errors
    ///
    /// The store's.
    pub async fn loads(&self) -> Result<Loads, RegistryError> {
        Ok(self.channel.store.loads().await?)
    }

    /// Whether the store can be read and written, and keeps what it has.
    ///
    /// # Errors
    ///
    /// The store's, that says what is wrong with it.
    pub async fn check(&self) -> Result<(), RegistryError> {
        Ok(self.channel.store.check().await?)
    }

    fn unknown_type(&self, job_type: &JobType) -> RegistryError {
        RegistryError::UnknownJobType {
            job_type: job_type.clone(),
            known: self.channel.kinds.keys().cloned().collect(),
        }
    }

    fn due_within_interval(
        &self,
        id: &JobId,
        job_type: &JobType,
        level: &ServiceLevel,
        pace: Option<Override>,
    ) -> Result<Candidates, RegistryError> {
        let policy = self
            .channel
            .policy(job_type)
            .ok_or_else(|| self.unknown_type(job_type))?;
        let pin_ms = pace.and_then(Override::pin_ms);
        let interval_ms = pin_ms.unwrap_or_else(|| policy.rules.interval_ms(level));
        Ok(candidates(
            id,
            interval_ms,
            self.clock.now_ms(),
            self.channel.store.ring(),
        ))
    }
}

fn check(
    cushion: Option<Cushion>,
    pace: Option<Override>,
    now_ms: i64,
) -> Result<(), RegistryError> {
    check_cushion("cushion", cushion.unwrap_or_default())?;
    Ok(pace.map_or(Ok(()), |pace| pace.validate(now_ms))?)
}

fn encoded(context: &Context) -> Result<EncodedContext, RegistryError> {
    context.encode().map_err(RegistryError::Context)
}

/// Whether an edit changed anything, once the job is known.
fn known(id: &JobId, edited: Edited) -> Result<bool, RegistryError> {
    match edited {
        Edited::Done => Ok(true),
        Edited::Unchanged => Ok(false),
        Edited::Unknown => Err(RegistryError::Unknown { id: id.clone() }),
    }
}

/// Why a call to the registry failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// No such job.
    #[error("job {id} is not registered")]
    Unknown {
        /// Which.
        id: JobId,
    },
    /// The channel has no such job type. Nothing changed.
    #[error(
        "job type {job_type} is unknown to this channel: known are {}",
        names(known)
    )]
    UnknownJobType {
        /// Which.
        job_type: JobType,
        /// What the channel has.
        known: Vec<JobType>,
    },
    /// A value is out of its bounds. Nothing changed.
    #[error("bad rules")]
    Rule(#[from] RuleError),
    /// The context cannot be stored. Nothing changed.
    #[error("bad context")]
    Context(#[source] ContextError),
    /// No such message is kept.
    #[error("no message {id} is kept")]
    UnknownMessage {
        /// Which.
        id: String,
    },
    /// A queue did not take a message; it is kept.
    #[error("queue {queue} did not take the message: {why}")]
    Queue {
        /// Its name.
        queue: String,
        /// What was seen.
        why: String,
    },
    /// Nobody knows how the rate limits stand.
    #[error("the ledger of rate limits cannot be read: {why}")]
    Limits {
        /// What was seen.
        why: String,
    },
    /// The store failed; the outcome is unknown and the call can be repeated.
    #[error("the registry's store failed")]
    Store(#[from] StoreError),
}

fn names(known: &[JobType]) -> String {
    known
        .iter()
        .map(JobType::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}
