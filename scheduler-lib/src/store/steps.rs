//! What goes into a step of the protocol, and what comes out.

use std::collections::BTreeMap;

use polling_model::{
    AbsoluteSlot, AccountId, EncodedContext, Incarnation, JobId, JobType, Nonce, ScopeKey,
    ServiceLevel, Token,
};
use serde::{Deserialize, Serialize};

use super::record::{Hold, JobRecord};
use crate::{
    ledger::Cushion,
    policy::{Override, adaptive::Activity},
};

/// A job to register.
#[derive(Debug, Clone, PartialEq)]
pub struct NewJob {
    /// Unique within the channel.
    pub id: JobId,
    /// The kind of job.
    pub job_type: JobType,
    /// Who is polled for.
    pub account: AccountId,
    /// What the account's owner pays for.
    pub level: ServiceLevel,
    /// The job's own cushion; `None` follows its level's or its job type's.
    pub cushion: Option<Cushion>,
    /// For the first poll.
    pub context: EncodedContext,
    /// Random; names this life of the record.
    pub incarnation: Incarnation,
    /// Where to place it.
    pub due: Candidates,
}

/// Two times at which a job may be due, UTC milliseconds. The store takes the second where both are
/// within the ring and its slot holds fewer jobs, otherwise the first: two choices keep the slots
/// even.
pub type Candidates = [i64; 2];

/// How a registration ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registered {
    /// The job is new.
    Created,
    /// The job existed, and was left as it is.
    Existing,
}

/// What an edit by hand did. Each edit is atomic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edited {
    /// It took effect.
    Done,
    /// It had nothing to change: paused already, not held.
    Unchanged,
    /// No such job.
    Unknown,
}

/// Rules of a job to change; `None` leaves as it is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Update {
    /// The service level.
    pub level: Option<ServiceLevel>,
    /// The job's own cushion; `Some(None)` returns to its level's or its job type's.
    pub cushion: Option<Option<Cushion>>,
    /// What a person decides about how often it is polled; `Some(None)` leaves that to its rules.
    pub pace: Option<Option<Override>>,
    /// Where to place it if it waits in a slot or later, and not longer than it would have; in
    /// flight it is taken up at the next settle.
    pub due: Candidates,
}

/// Takes due jobs out of their slot.
#[derive(Debug, Clone)]
pub struct DrainRequest {
    /// UTC milliseconds. The cursor never passes it.
    pub now_ms: i64,
    /// Most jobs to take; at most [`MAX_CHUNK`](super::MAX_CHUNK).
    pub limit: usize,
    /// Over how long after its beginning a slot is drained, milliseconds: evenly, whoever asks; 0 is
    /// at once. What joins the drain that runs now is not held up.
    pub pace_ms: i64,
    /// Random; part of each job's new token, and the name of the chunk's note.
    pub nonce: Nonce,
    /// When somebody may claim the note and send its jobs again, UTC milliseconds.
    pub note_deadline_ms: i64,
    /// While as many notes are open, nothing is drained.
    pub max_open_notes: usize,
    /// Until when a job of each type is in flight, UTC milliseconds.
    pub deadlines_ms: BTreeMap<JobType, i64>,
    /// The same for types not named.
    pub default_deadline_ms: i64,
}

/// What a drain took.
#[derive(Debug, Clone, PartialEq)]
pub struct Drained {
    /// The jobs, each with its new token, and recorded as sending under the request's nonce.
    pub jobs: Vec<Dispatch>,
    /// The slot now being drained.
    pub cursor: AbsoluteSlot,
    /// When the first of them was to be taken by the pace; UTC milliseconds.
    pub due_ms: i64,
    /// Another drain at once may find more: the slot was not emptied although the pace allows it, or
    /// the cursor is behind.
    pub more: bool,
}

/// One job to send.
#[derive(Debug, Clone, PartialEq)]
pub struct Dispatch {
    /// The record as it stands in flight.
    pub record: JobRecord,
    /// Its token.
    pub token: Token,
}

/// Jobs whose sending is not known to have ended.
#[derive(Debug, Clone, PartialEq)]
pub struct ClaimedNote {
    /// Its name.
    pub nonce: Nonce,
    /// Those of its jobs that still hold the noted token.
    pub jobs: Vec<Dispatch>,
}

/// A drained job that will not be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Postponed {
    /// The job.
    pub id: JobId,
    /// The token that its drain gave it.
    pub token: Token,
    /// When it is due instead, UTC milliseconds: into its slot, or later.
    pub due_ms: i64,
    /// Why, in words; at most [`MAX_REASON_SIZE_BYTES`](super::MAX_REASON_SIZE_BYTES).
    pub reason: String,
}

/// The end of one dispatch.
#[derive(Debug, Clone, PartialEq)]
pub struct Settlement {
    /// The job.
    pub id: JobId,
    /// The token that the message brought back.
    pub token: Token,
    /// The revision on which `next` was decided.
    pub revision: u64,
    /// The new context; `None` keeps the old one: the poll brought nothing. Such a job enters its slot
    /// at either end, by chance: always among the same neighbours, a bound of the workers would turn
    /// the same ones away each time.
    pub context: Option<EncodedContext>,
    /// The rate-limit scopes that the completion named, of which the first
    /// [`MAX_BOUND_SCOPES`](super::MAX_BOUND_SCOPES) are kept; `None` keeps the old ones.
    pub scopes: Option<Vec<ScopeKey>>,
    /// What the job brought lately; `None` keeps what is known.
    pub activity: Option<Activity>,
    /// Where the job goes, unless it is held: then it stays so.
    pub next: Next,
    /// Consecutive polls that failed, this one included.
    pub attempts: u32,
    /// What this does to the job's strikes.
    pub strike: Strike,
    /// Why it goes there, in words; at most
    /// [`MAX_REASON_SIZE_BYTES`](super::MAX_REASON_SIZE_BYTES).
    pub reason: String,
}

/// What a settlement does to a job's strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strike {
    /// A completion: back to none.
    Clear,
    /// A dead letter: one more, also where its token is stale but of the current incarnation. At
    /// `limit` the job is quarantined.
    Add {
        /// From 1.
        limit: u32,
    },
}

/// Where a settled job goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Due at a time, UTC milliseconds: into its slot, or later.
    Due(i64),
    /// Into the drain that runs now.
    Now,
    /// Out of the cycle.
    Hold(Hold),
    /// Out of the registry.
    Remove,
}

/// How a settlement ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The token was valid; the record is changed, and the token spent.
    Accepted,
    /// The token is valid but the record was edited since: decide again.
    Edited,
    /// The token is spent, or another drain followed. Nothing changed but a strike.
    Stale,
    /// Of an earlier life of the record. Nothing changed.
    OtherIncarnation,
    /// No such job.
    Unknown,
}

impl Verdict {
    /// The name used in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Edited => "edited",
            Self::Stale => "stale",
            Self::OtherIncarnation => "other_incarnation",
            Self::Unknown => "unknown",
        }
    }
}

/// A page of records.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// Some of the registered jobs; a page may be empty and not the last.
    pub records: Vec<JobRecord>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<ListCursor>,
}

/// Where a page begins; its text is the store's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ListCursor(pub String);

/// A step of the sweep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Swept {
    /// Where the next step goes on; `None` when the sweep has seen all.
    pub next: Option<SweepCursor>,
    /// Jobs looked at.
    pub seen: usize,
    /// Places mended. 0 in a run without faults.
    pub repaired: usize,
}

/// Where a sweep stands; its text is the store's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SweepCursor(pub String);

/// How many jobs are in each slot.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Loads {
    /// The slot being drained.
    pub cursor: i64,
    /// From the cursor's slot on, one ring long. A store of shards whose cursors are apart reaches that much farther.
    pub jobs: Vec<u64>,
}

/// How many jobs are where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Registered jobs. In a consistent store the sum of the four below.
    pub registered: u64,
    /// In a slot.
    pub slots: u64,
    /// In flight.
    pub in_flight: u64,
    /// Due beyond the ring.
    pub later: u64,
    /// Held.
    pub held: u64,
    /// Chunks whose sending is not known to have ended.
    pub open_notes: u64,
    /// The slot being drained.
    pub cursor: i64,
}

/// A poll that found more than it could fetch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Burst {
    /// When it was settled, UTC milliseconds.
    pub at_ms: i64,
    /// The job.
    pub id: JobId,
    /// Who was polled for.
    pub account: AccountId,
    /// How many events the poll brought.
    pub events: u64,
    /// How long after the poll before it, milliseconds; `None` of a first poll.
    #[serde(default)]
    pub waited_ms: Option<i64>,
    /// When the job was to be polled next, UTC milliseconds; `None` if it was not placed.
    #[serde(default)]
    pub next_ms: Option<i64>,
}

/// A message that nobody could decode, kept for the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undecodable {
    /// The queue's id of the message.
    pub message_id: String,
    /// When it was kept, UTC milliseconds.
    pub kept_ms: i64,
    /// Why it could not be decoded.
    pub error: String,
    /// Its bytes.
    pub body: String,
}
