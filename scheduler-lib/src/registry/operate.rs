//! What an operator asks of a channel beyond its single jobs.

use std::{collections::BTreeMap, fmt, time::Duration};

use futures_util::future::join_all;
use polling_model::{JobId, JobType, KillPoint, ScopeKey, SlotRing, chain};
use polling_transport::{QueueStats, SharedQueue};
use tokio::time::timeout;

use super::{Registry, RegistryError, known};
use crate::{
    ledger::{Claim, Cushion, Limit, Standing},
    limits::STATS_DEADLINE,
    store::{Hold, JobRecord, Place},
};

/// So far ahead a held job is placed while one hold takes another's place, milliseconds: nobody polls
/// it in between. A day.
const AHEAD_MS: i64 = 24 * 3_600_000;

/// What a queue of a channel is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum QueueRole {
    /// Jobs of a type.
    Work(JobType),
    /// Completions.
    Completed,
    /// What was received too often.
    DeadLetter,
}

impl fmt::Display for QueueRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Work(job_type) => write!(f, "work {job_type}"),
            Self::Completed => f.write_str("completed"),
            Self::DeadLetter => f.write_str("dead letter"),
        }
    }
}

/// A queue of a channel, and how much is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueState {
    /// What it is for.
    pub role: QueueRole,
    /// Its name.
    pub name: String,
    /// How long a received message stays invisible unless extended.
    pub visibility_timeout: Duration,
    /// How much is in it, or why nobody knows.
    pub stats: Result<QueueStats, String>,
}

/// A rate-limit scope, and how it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct ScopeState {
    /// Which.
    pub scope: ScopeKey,
    /// The limit that the rules give it, though the channel may not tell of it.
    pub limit: Option<Limit>,
    /// What jobs leave of it to others; of several that differ, the first one's.
    pub cushion: Cushion,
    /// What is known of it; no windows if nothing was heard yet.
    pub standing: Standing,
}

impl Registry {
    /// The channel's job types, in order.
    pub fn job_types(&self) -> impl Iterator<Item = &JobType> {
        self.channel.kinds.keys()
    }

    /// The ring of slots.
    #[must_use]
    pub fn ring(&self) -> SlotRing {
        self.channel.store.ring()
    }

    /// Returns a held job to the cycle, due within its interval rather than at once: many that are
    /// resumed together stay spread. Whether it was held.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Unknown`], or the store's.
    pub async fn resume_spread(&self, id: &JobId) -> Result<bool, RegistryError> {
        let state = self.get(id).await?.state;
        let due = self.due_within_interval(id, &state.job_type, &state.level, state.pace);
        // A job of a type that is not configured waits in its queue's place, as with `resume`.
        let due = due.unwrap_or_else(|_| [self.clock.now_ms(); 2]);
        let resumed = self.channel.store.resume(id, due).await?;
        KillPoint::RegistryResumed.hit();
        known(id, resumed)
    }

    /// Holds a job as parked: somebody has looked at it, and it is to be left out. One that is held
    /// otherwise, such as quarantined, is parked instead, and loses its strikes. Whether it was not
    /// parked before.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Unknown`], or the store's; it may be placed a day ahead by then, and parked by
    /// another call.
    pub async fn park(&self, id: &JobId) -> Result<bool, RegistryError> {
        let store = &self.channel.store;
        let parked = async || {
            let held = store.hold(id, Hold::Parked, "parked by hand").await?;
            KillPoint::RegistryPaused.hit();
            known(id, held)
        };
        if parked().await? {
            return Ok(true);
        }
        if self.get(id).await?.state.place == Place::Held(Hold::Parked) {
            return Ok(false);
        }
        let later_ms = self.clock.now_ms().saturating_add(AHEAD_MS);
        known(id, store.resume(id, [later_ms; 2]).await?)?;
        KillPoint::RegistryResumed.hit();
        parked().await
    }

    /// The channel's queues and how much is in each: the work queues by job type, completed, dead
    /// letter. They are asked at once, each for 2 s at most.
    pub async fn queues(&self) -> Vec<QueueState> {
        let work = self.channel.kinds.iter();
        let work = work.map(|(job_type, kind)| (QueueRole::Work(job_type.clone()), &kind.work));
        let all = work.chain([
            (QueueRole::Completed, &self.channel.completed),
            (QueueRole::DeadLetter, &self.channel.dead_letter),
        ]);
        join_all(all.map(|(role, queue)| state_of(role, queue))).await
    }

    /// The rate-limit scopes in which calls of these jobs count, by name, and how each stands.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Limits`] when the ledger cannot be read.
    pub async fn scopes_of(&self, jobs: &[JobRecord]) -> Result<Vec<ScopeState>, RegistryError> {
        let mut claims: BTreeMap<ScopeKey, Claim> = BTreeMap::new();
        for JobRecord { state, .. } in jobs {
            let policy = self.channel.policy(&state.job_type);
            for claim in policy.map_or_else(Vec::new, |policy| policy.rules.claims(state)) {
                claims.entry(claim.scope.clone()).or_insert(claim);
            }
        }
        self.stand(claims).await
    }

    /// The rate-limit scopes of the rules that all accounts share, by name, and how each stands.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Limits`] when the ledger cannot be read.
    pub async fn shared_scopes(&self) -> Result<Vec<ScopeState>, RegistryError> {
        let mut claims: BTreeMap<ScopeKey, Claim> = BTreeMap::new();
        for (job_type, kind) in &self.channel.kinds {
            let rules = &kind.policy().rules;
            let levels = rules.levels.keys();
            for level in levels.chain([&self.channel.default_level]) {
                for rule in &rules.scopes {
                    if let Some(scope) = rule.scope.shared(job_type, level) {
                        let claim = Claim {
                            scope: scope.clone(),
                            cushion: rule.cushion.unwrap_or(rules.cushion),
                            limit: rule.limit.map(Limit::from),
                        };
                        claims.entry(scope).or_insert(claim);
                    }
                }
            }
        }
        self.stand(claims).await
    }

    async fn stand(
        &self,
        claims: BTreeMap<ScopeKey, Claim>,
    ) -> Result<Vec<ScopeState>, RegistryError> {
        let standing = self.standing(claims.into_values().collect()).await;
        let standing = standing.map_err(|why| RegistryError::Limits { why })?;
        let view = |(claim, standing): (Claim, Standing)| ScopeState {
            scope: claim.scope,
            limit: claim.limit,
            cushion: claim.cushion,
            standing,
        };
        Ok(standing.into_iter().map(view).collect())
    }
}

async fn state_of(role: QueueRole, queue: &SharedQueue) -> QueueState {
    let stats = match timeout(STATS_DEADLINE, queue.stats()).await {
        Ok(Ok(stats)) => Ok(stats),
        Ok(Err(error)) => Err(chain(&error)),
        Err(_) => Err("no answer in time".to_owned()),
    };
    QueueState {
        role,
        name: queue.name().to_owned(),
        visibility_timeout: queue.visibility_timeout(),
        stats,
    }
}
