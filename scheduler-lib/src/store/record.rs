//! The record of a job: the authority on where it is and what it remembers.

use std::{fmt, sync::Arc};

use polling_model::{
    AccountId, EncodedContext, Incarnation, JobId, JobType, Nonce, ScopeKey, ServiceLevel, Token,
};
use serde::{Deserialize, Serialize};

use super::reasons::{Reason, noted};
use crate::{
    ledger::Cushion,
    policy::{Override, adaptive::Activity},
};

/// A registered job as the store holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct JobRecord {
    /// Unique within the channel.
    pub id: JobId,
    /// What the last poll left for the next.
    pub context: EncodedContext,
    /// All the rest.
    pub state: JobState,
}

/// A record without its context: what a decision of policy needs.
#[derive(Debug, Clone, PartialEq)]
pub struct JobState {
    /// The kind of job; names its rules and its work queue.
    pub job_type: JobType,
    /// Who is polled for.
    pub account: AccountId,
    /// Names its rules of frequency.
    pub level: ServiceLevel,
    /// The job's own cushion; `None` follows its level's or its job type's.
    pub cushion: Option<Cushion>,
    /// What a person decided about how often it is polled.
    pub pace: Option<Override>,
    /// This life of the record.
    pub incarnation: Incarnation,
    /// Drains so far.
    pub generation: u64,
    /// The nonce of the last drain while its completion can still be accepted.
    pub nonce: Option<Nonce>,
    /// Names the last edit by hand: random, below 2⁴⁶, and 0 before the first. A decision made on
    /// another revision is made again. Not a count, so that a decision made before a failover does
    /// not fit a record that was edited as often after it.
    pub revision: u64,
    /// The one place where the job is.
    pub place: Place,
    /// When it is, or was last, due; UTC milliseconds.
    pub due_ms: i64,
    /// Consecutive polls that failed.
    pub attempts: u32,
    /// Dead letters since the last completion.
    pub strikes: u32,
    /// A run was asked for while in flight: due at once when settled. The next drain fulfils it.
    pub run_now: bool,
    /// When the last completion was accepted, UTC milliseconds; 0 before the first.
    pub settled_ms: i64,
    /// The rate-limit scopes that its last completion with a report named, at most
    /// [`MAX_BOUND_SCOPES`](super::MAX_BOUND_SCOPES): its next call will count in them too.
    pub scopes: Vec<ScopeKey>,
    /// What it brought lately, where its policy asks for that.
    pub activity: Option<Activity>,
    /// Why it was placed where it is, and before that where it was: newest first, at most
    /// [`MAX_REASONS`](super::MAX_REASONS) of together at most
    /// [`MAX_HISTORY_SIZE_BYTES`](super::MAX_HISTORY_SIZE_BYTES). A drain adds none: in flight, it
    /// is why the job was due.
    pub reasons: Arc<[Reason]>,
}

impl JobState {
    /// The token whose completion would be accepted now.
    #[must_use]
    pub fn token(&self) -> Option<Token> {
        self.nonce.map(|nonce| self.token_of(nonce))
    }

    /// The token of the last drain, which had this nonce.
    pub(super) fn token_of(&self, nonce: Nonce) -> Token {
        Token {
            incarnation: self.incarnation,
            generation: self.generation,
            nonce,
        }
    }

    /// Why it was last placed, in words; empty if nobody said.
    #[must_use]
    pub fn reason(&self) -> &str {
        self.reasons.first().map_or("", |reason| &reason.text)
    }

    /// Notes why it is placed now.
    pub(super) fn because(&mut self, at_ms: Option<i64>, text: &str) {
        self.reasons = noted(&self.reasons, at_ms, text);
    }
}

/// Where a job is: in exactly one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the slot of its `due_ms`.
    Slot,
    /// Dispatched, and given up after `deadline_ms`.
    InFlight {
        /// UTC milliseconds.
        deadline_ms: i64,
    },
    /// Due beyond the ring of slots.
    Later,
    /// Out of the cycle until somebody resumes it.
    Held(Hold),
}

impl Place {
    /// The name used in stores, pages and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Slot => "slot",
            Self::InFlight { .. } => "in_flight",
            Self::Later => "later",
            Self::Held(hold) => hold.as_str(),
        }
    }
}

/// Why a job is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Hold {
    /// By hand, or by a rule that waits for a hand.
    Paused,
    /// By a rule: the account or the resource is gone.
    Parked,
    /// After too many dead letters.
    Quarantined,
    /// Its work queue refused its message for good.
    Refused,
}

impl Hold {
    /// Every hold, in order.
    pub const ALL: [Self; 4] = [Self::Paused, Self::Parked, Self::Quarantined, Self::Refused];

    /// The name used in stores, configuration and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Paused => "paused",
            Self::Parked => "parked",
            Self::Quarantined => "quarantined",
            Self::Refused => "refused",
        }
    }
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
