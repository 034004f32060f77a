//! A channel as the scheduler serves it: its rules, its store and its queues.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use polling_model::{ChannelId, JobType, ServiceLevel};
use polling_transport::SharedQueue;

use crate::{
    ledger::{MemoryLedger, SharedLedger},
    levels::ServiceLevels,
    limits::Limits,
    live::Live,
    policy::{FixedIntervals, Frequency, JobTypeRules, RuleError, adaptive::AdaptiveFrequency},
    store::SharedStore,
};

/// One channel, whole and checked.
#[derive(Debug, Clone)]
pub struct Channel {
    pub(crate) id: ChannelId,
    pub(crate) store: SharedStore,
    pub(crate) kinds: BTreeMap<JobType, Kind>,
    pub(crate) completed: SharedQueue,
    pub(crate) dead_letter: SharedQueue,
    pub(crate) default_level: ServiceLevel,
    pub(crate) levels: Arc<dyn ServiceLevels>,
    pub(crate) ledger: SharedLedger,
    limits: Live<Limits>,
}

/// A job type with its policy and its work queue.
#[derive(Debug, Clone)]
pub(crate) struct Kind {
    policy: Live<Policy>,
    pub(crate) work: SharedQueue,
}

/// The rules of a job type, and what they say of how often its jobs are polled.
#[derive(Debug)]
pub(crate) struct Policy {
    pub(crate) rules: JobTypeRules,
    pub(crate) frequency: Arc<dyn Frequency>,
    /// Whether the frequency is one of the embedding program's own, which no rules replace.
    own_frequency: bool,
}

impl Policy {
    fn by_rules(rules: JobTypeRules) -> Self {
        let frequency: Arc<dyn Frequency> = match rules.adaptive {
            Some(adaptive) => Arc::new(AdaptiveFrequency::new(adaptive)),
            None => Arc::new(FixedIntervals),
        };
        Self {
            rules,
            frequency,
            own_frequency: false,
        }
    }

    /// The same with other rules.
    fn with_rules(&self, rules: JobTypeRules) -> Self {
        if !self.own_frequency {
            return Self::by_rules(rules);
        }
        Self {
            rules,
            frequency: Arc::clone(&self.frequency),
            own_frequency: true,
        }
    }
}

impl Kind {
    /// As it is at present: whoever decides takes it once.
    pub(crate) fn policy(&self) -> Arc<Policy> {
        self.policy.get()
    }

    /// How long after its dispatch a message may be polled.
    pub(crate) fn message_life(&self, limits: &Limits) -> Duration {
        limits.message_life(self.work.visibility_timeout())
    }
}

impl Channel {
    /// Starts with the channel's name and its store; job types and the two other queues follow.
    #[must_use]
    pub fn builder(id: ChannelId, store: SharedStore) -> ChannelBuilder {
        ChannelBuilder {
            id,
            store,
            kinds: BTreeMap::new(),
            completed: None,
            dead_letter: None,
            default_level: None,
            levels: Arc::new(()),
            ledger: Arc::new(MemoryLedger::new()),
            limits: Limits::default(),
        }
    }

    /// The channel's name.
    #[must_use]
    pub const fn id(&self) -> &ChannelId {
        &self.id
    }

    /// The policy of a job type, as it is at present.
    pub(crate) fn policy(&self, job_type: &JobType) -> Option<Arc<Policy>> {
        self.kinds.get(job_type).map(Kind::policy)
    }

    /// The bounds of the cycle, as they are at present.
    pub(crate) fn limits(&self) -> Arc<Limits> {
        self.limits.get()
    }

    /// Replaces the rules of a job type; whether there is one.
    pub(crate) fn set_rules(&self, job_type: &JobType, rules: JobTypeRules) -> bool {
        let kind = self.kinds.get(job_type);
        if let Some(kind) = kind {
            kind.policy.set(kind.policy().with_rules(rules));
        }
        kind.is_some()
    }

    pub(crate) fn set_limits(&self, limits: Limits) {
        self.limits.set(limits);
    }
}

/// Gathers a [`Channel`].
#[derive(Debug)]
pub struct ChannelBuilder {
    id: ChannelId,
    store: SharedStore,
    kinds: BTreeMap<JobType, Kind>,
    completed: Option<SharedQueue>,
    dead_letter: Option<SharedQueue>,
    default_level: Option<ServiceLevel>,
    levels: Arc<dyn ServiceLevels>,
    ledger: SharedLedger,
    limits: Limits,
}

impl ChannelBuilder {
    /// Adds a job type with its rules and its work queue. Its jobs are polled at fixed intervals,
    /// or as the rules' [`adaptive`](JobTypeRules::adaptive) says.
    #[must_use]
    pub fn job_type(mut self, job_type: JobType, rules: JobTypeRules, work: SharedQueue) -> Self {
        let policy = Live::new(Policy::by_rules(rules));
        self.kinds.insert(job_type, Kind { policy, work });
        self
    }

    /// Adds a job type that is polled by a policy of one's own. Its rules still tell levels,
    /// limits and what follows an error.
    #[must_use]
    pub fn job_type_by(
        mut self,
        job_type: JobType,
        rules: JobTypeRules,
        frequency: Arc<dyn Frequency>,
        work: SharedQueue,
    ) -> Self {
        let policy = Live::new(Policy {
            rules,
            frequency,
            own_frequency: true,
        });
        self.kinds.insert(job_type, Kind { policy, work });
        self
    }

    /// The queue on which workers store completions.
    #[must_use]
    pub fn completed(mut self, queue: SharedQueue) -> Self {
        self.completed = Some(queue);
        self
    }

    /// The queue to which the others move what is received too often.
    #[must_use]
    pub fn dead_letter(mut self, queue: SharedQueue) -> Self {
        self.dead_letter = Some(queue);
        self
    }

    /// The level of jobs registered without one; `default` unless set.
    #[must_use]
    pub fn default_level(mut self, level: ServiceLevel) -> Self {
        self.default_level = Some(level);
        self
    }

    /// Where the levels of accounts come from; unless set, jobs keep the level they were
    /// registered with.
    #[must_use]
    pub fn levels(mut self, levels: Arc<dyn ServiceLevels>) -> Self {
        self.levels = levels;
        self
    }

    /// What is left of the channel's rate limits, shared by all schedulers of the channel; unless
    /// set, one in memory, for a single process.
    #[must_use]
    pub fn ledger(mut self, ledger: SharedLedger) -> Self {
        self.ledger = ledger;
        self
    }

    /// The bounds of the cycle.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Checks all that was gathered.
    ///
    /// # Errors
    ///
    /// [`ChannelError`] that names the field and its bound.
    pub fn build(self) -> Result<Channel, ChannelError> {
        let missing = |what| ChannelError::Missing {
            channel: self.id.clone(),
            what,
        };
        let completed = self
            .completed
            .clone()
            .ok_or_else(|| missing("a completed queue"))?;
        let dead_letter = self
            .dead_letter
            .clone()
            .ok_or_else(|| missing("a dead-letter queue"))?;
        if self.kinds.is_empty() {
            return Err(missing("a job type"));
        }
        let bad = |field: String, source| ChannelError::Rule {
            channel: self.id.clone(),
            field,
            source: Box::new(source),
        };
        self.limits
            .validate()
            .map_err(|source| bad("limits".to_owned(), source))?;
        for (job_type, kind) in &self.kinds {
            kind.policy()
                .rules
                .validate()
                .map_err(|source| bad(format!("job type {job_type}"), source))?;
        }
        let default_level = self
            .default_level
            .unwrap_or_else(|| ServiceLevel::new("default").expect("the name is a valid label"));
        Ok(Channel {
            id: self.id,
            store: self.store,
            kinds: self.kinds,
            completed,
            dead_letter,
            default_level,
            levels: self.levels,
            ledger: self.ledger,
            limits: Live::new(self.limits),
        })
    }
}

/// What is wrong with a channel.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChannelError {
    /// A part is missing.
    #[error("channel {channel} lacks {what}")]
    Missing {
        /// Which channel.
        channel: ChannelId,
        /// What it lacks.
        what: &'static str,
    },
    /// A rule or limit is outside its bounds.
    #[error("channel {channel}: bad {field}")]
    Rule {
        /// Which channel.
        channel: ChannelId,
        /// The job type, or the limits.
        field: String,
        /// The field and the bound.
        source: Box<RuleError>,
    },
}
