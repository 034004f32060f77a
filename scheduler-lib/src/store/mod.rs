//! The port that holds registrations and slots, and the steps of the protocol on it.
//!
//! Each method is one atomic step (a batch is atomic per job). Between two steps any process may
//! die: at every instant each registered job is in exactly one place, so none is lost, and a
//! completion is accepted at most once, so none forks.
//!
//! ```text
//!            register                    drain (new token)
//!   ─────────────────────►  slot  ─────────────────────────►  in flight
//!                           ▲  ▲ ▲                               │  │
//!              promote      │  │ └─────── reap (deadline) ───────┘  │
//!     later ────────────────┘  │                                    │
//!       ▲                      └── settle, postpone (token equal) ──┤
//!       └───────────────────────────────────────────────────────────┤
//!     held ◄── pause, park, quarantine, refuse ─────────────────────┘
//!       └────── resume ──────► slot
//! ```

#[cfg(feature = "conformance")]
pub mod conformance;
mod error;
mod exported;
pub mod memory;
mod metered;
mod reasons;
mod record;
#[cfg(feature = "redis")]
pub(crate) mod redis;
mod sharded;
mod steps;

use std::{collections::BTreeMap, fmt, sync::Arc};

use async_trait::async_trait;
use polling_model::{EncodedContext, Generator, Incarnation, JobId, JobType, Nonce, SlotRing};

pub use self::{
    error::StoreError,
    exported::{ExportVersion, ExportedJob, ImportedJob},
    memory::MemoryStore,
    reasons::Reason,
    record::{Hold, JobRecord, JobState, Place},
    sharded::{MAX_SHARDS, ShardedStore, shard_of},
    steps::{
        Burst, Candidates, ClaimedNote, Counts, Dispatch, DrainRequest, Drained, Edited,
        ListCursor, Listed, Loads, NewJob, Next, Postponed, Registered, Settlement, Strike,
        SweepCursor, Swept, Undecodable, Update, Verdict,
    },
};

#[cfg(feature = "redis")]
pub use polling_transport::redis::link::LinkOptions;

#[cfg(feature = "redis")]
pub use self::redis::{RedisShardsBuilder, RedisStore, RedisStoreBuilder};

/// Most jobs of one step. A script over more would block the store for too long: over twice as many
/// some need 14 ms of a busy processor, and the jobs are through no sooner.
pub const MAX_CHUNK: usize = 100;

/// Most jobs of one page of a list.
pub const MAX_PAGE: usize = 1_000;

/// Longest reason kept with a job, in bytes.
pub const MAX_REASON_SIZE_BYTES: usize = 240;

/// Most reasons kept with a job.
pub const MAX_REASONS: usize = 5;

/// Most bytes of all reasons of a job, each with its time on a line of its own. Three of the
/// longest fit.
pub const MAX_HISTORY_SIZE_BYTES: usize = 800;

/// Jobs of which a look ahead reads the type: some 3 % of error in a type's share.
pub const MAX_LOOKED_AT: usize = 400;

/// Most rate-limit scopes that a job is bound to.
pub const MAX_BOUND_SCOPES: usize = 4;

/// Undecodable messages kept for the operator; older ones make room.
pub const MAX_UNDECODABLE: usize = 1_000;

/// Bursts kept for the operator; older ones make room.
pub const MAX_BURSTS: usize = 5_000;

/// One more than the highest revision: few digits in a record, which a script's numbers, of 14
/// digits, and any reader's tell exactly.
const REVISIONS: u64 = 1 << 46;

/// What the record is called after an edit; never 0, which is the record before any.
fn new_revision(generator: &Generator) -> u64 {
    1 + generator.below(REVISIONS - 1)
}

/// Whether a job is held, by whatever hold.
const fn is_held(record: &JobRecord) -> bool {
    matches!(record.state.place, Place::Held(_))
}

/// A store that many tasks share.
pub type SharedStore = Arc<dyn SlotStore>;

/// Registrations and slots of one channel.
///
/// Times are UTC milliseconds and come from the caller's clock. Every placement lies within
/// `[cursor + 1, cursor + 1439]`, the cursor being the slot that is drained; what is due later
/// waits outside of the ring, and [`Next::Now`] and [`run_now`](Self::run_now) go into the cursor's
/// own slot.
#[async_trait]
pub trait SlotStore: Send + Sync + fmt::Debug {
    /// The ring's arithmetic.
    fn ring(&self) -> SlotRing;

    /// Which part of the store has the job. Parts fail one by one: a step on jobs of one part fails
    /// with that part only. A store of one part has number 0.
    fn shard_of(&self, _id: &JobId) -> usize {
        0
    }

    /// Creates records and places the jobs, in chunks of [`MAX_CHUNK`]; one answer each, in their
    /// order. An existing job keeps its context and its cycle.
    async fn register(&self, jobs: Vec<NewJob>, now_ms: i64)
    -> Result<Vec<Registered>, StoreError>;

    /// Creates records as they were in another store, in chunks of [`MAX_CHUNK`]; one answer each,
    /// in their order. An existing job is left as it is. A job that was held is held, any other is
    /// placed by when it is due; each begins a new life.
    async fn import(
        &self,
        jobs: Vec<ImportedJob>,
        now_ms: i64,
    ) -> Result<Vec<Registered>, StoreError>;

    /// Removes the record. What comes back later finds none.
    async fn remove(&self, id: &JobId) -> Result<Edited, StoreError>;

    /// Changes a job's rules. A job that waits may come sooner by that, never later.
    async fn update(&self, id: &JobId, update: Update) -> Result<Edited, StoreError>;

    /// Replaces the context by hand and places the job anew, held ones excepted; one that waits
    /// comes no later than it would have. A completion in flight is fenced by the new
    /// `incarnation`.
    async fn replace_context(
        &self,
        id: &JobId,
        context: EncodedContext,
        incarnation: Incarnation,
        due: Candidates,
    ) -> Result<Edited, StoreError>;

    /// Holds the job at once, wherever it is. Its token stays valid: a completion that arrives
    /// still updates the context.
    async fn hold(&self, id: &JobId, hold: Hold, reason: &str) -> Result<Edited, StoreError>;

    /// Holds each job that still has its token: its message was refused for good.
    async fn refuse(&self, jobs: &[(JobId, Nonce)], reason: &str) -> Result<(), StoreError>;

    /// Places a held job anew, and clears its strikes.
    async fn resume(&self, id: &JobId, due: Candidates) -> Result<Edited, StoreError>;

    /// Puts a job into the drain that runs now; a held one also loses its strikes. In flight, it is
    /// due at once when settled.
    async fn run_now(&self, id: &JobId) -> Result<Edited, StoreError>;

    /// Places a job that waits, in a slot or later, at another time; sooner or later than it was to
    /// come. One in flight or held is left as it is.
    async fn move_to(&self, id: &JobId, due_ms: i64, reason: &str) -> Result<Edited, StoreError>;

    /// Stops the channel, for `reason`, or with `None` lets it go on: while it is stopped nothing is
    /// drained, and the cursor stands still. All other steps go on.
    async fn stop(&self, reason: Option<&str>) -> Result<(), StoreError>;

    /// Why the channel is stopped, if it is.
    async fn stopped(&self) -> Result<Option<String>, StoreError>;

    /// The record.
    async fn get(&self, id: &JobId) -> Result<Option<JobRecord>, StoreError>;

    /// A page of records, in an order of the store's own, from where `from` says; some `limit`,
    /// bounded by [`MAX_PAGE`]. Whoever asks for page after page is told each job that is registered
    /// all the while, seldom one of them twice.
    ///
    /// # Errors
    ///
    /// [`StoreError::Cursor`] when `from` is not what a page of this store said.
    async fn list(&self, from: Option<&ListCursor>, limit: usize) -> Result<Listed, StoreError>;

    /// A page of the jobs that are held, as [`list`](Self::list) tells pages of all: with cursors of its own. A store
    /// that knows them apart need not look at the others.
    ///
    /// # Errors
    ///
    /// As of [`list`](Self::list).
    async fn held(&self, from: Option<&ListCursor>, limit: usize) -> Result<Listed, StoreError> {
        let mut page = self.list(from, limit).await?;
        page.records.retain(is_held);
        Ok(page)
    }

    /// Moves due jobs of the cursor's slot to in flight, each with a new token, and notes the chunk
    /// as sending. While nothing due is left there, moves the cursor on, never past now, and
    /// brings jobs from later into the ring as it comes within reach. Of a stopped channel it takes
    /// nothing, and moves no cursor.
    async fn drain(&self, request: DrainRequest) -> Result<Drained, StoreError>;

    /// Strikes jobs off a note, since their queue accepted or refused them; an empty note is gone.
    async fn sent(&self, note: Nonce, jobs: &[JobId]) -> Result<(), StoreError>;

    /// Claims one note past its deadline by moving the deadline, so that one scheduler sends it
    /// again.
    async fn claim_note(
        &self,
        now_ms: i64,
        new_deadline_ms: i64,
    ) -> Result<Option<ClaimedNote>, StoreError>;

    /// Places drained jobs that will not be sent anew, in chunks of [`MAX_CHUNK`]; returns how many.
    /// Only a job in flight under the token given is placed, and that token is spent. A run asked
    /// for meanwhile makes it due in the drain that runs instead. Attempts, strikes and context
    /// stay. The note is not touched: strike the jobs off with [`sent`](Self::sent) afterwards; a
    /// claim before that sends none of them.
    async fn postpone(&self, jobs: Vec<Postponed>, now_ms: i64) -> Result<usize, StoreError>;

    /// What decisions need, in the order of `ids`; in chunks of [`MAX_CHUNK`].
    async fn load(&self, ids: &[JobId]) -> Result<Vec<Option<JobState>>, StoreError>;

    /// Settles dispatches, in chunks of [`MAX_CHUNK`]; one verdict each, in their order.
    async fn settle(
        &self,
        settlements: Vec<Settlement>,
        now_ms: i64,
    ) -> Result<Vec<Verdict>, StoreError>;

    /// Places jobs whose in-flight deadline is at or before `deadline_ms` into the next slot, at
    /// most `limit`; returns how many. Their tokens stay valid.
    async fn reap(&self, deadline_ms: i64, limit: usize, now_ms: i64) -> Result<usize, StoreError>;

    /// Checks some `limit` jobs and index entries, and mends what is not in exactly one place.
    async fn sweep(&self, from: Option<SweepCursor>, limit: usize) -> Result<Swept, StoreError>;

    /// How many jobs of each type are to be drained until so many slots after the cursor's are
    /// through, those that are left in the cursor's included; at most a ring's. What is due
    /// again after its next poll is not counted twice. Cheap: where there are more than [`MAX_LOOKED_AT`], the shares of the types are
    /// those of a sample of so many, while all types together are counted.
    async fn due_within(&self, slots: usize) -> Result<BTreeMap<JobType, u64>, StoreError>;

    /// How many jobs are in each slot, from the cursor's own on.
    async fn loads(&self) -> Result<Loads, StoreError>;

    /// How many jobs are where.
    async fn counts(&self) -> Result<Counts, StoreError>;

    /// Whether the store can be read and written and keeps what it has; the error says what is
    /// wrong.
    async fn check(&self) -> Result<(), StoreError> {
        self.counts().await.map(drop)
    }

    /// Keeps a message that nobody could decode, in a list of [`MAX_UNDECODABLE`]. Keeping the
    /// same message again changes nothing.
    async fn keep_undecodable(&self, message: Undecodable) -> Result<(), StoreError>;

    /// The undecodable messages, newest first, at most `limit`.
    async fn undecodable(&self, limit: usize) -> Result<Vec<Undecodable>, StoreError>;

    /// One of them, if it is still kept.
    async fn undecodable_message(
        &self,
        message_id: &str,
    ) -> Result<Option<Undecodable>, StoreError>;

    /// Keeps one of them no longer; whether it was kept.
    async fn forget_undecodable(&self, message_id: &str) -> Result<bool, StoreError>;

    /// Notes polls that found more than they could fetch, oldest first, in a list of
    /// [`MAX_BURSTS`]. Repeating it notes them again.
    async fn note_bursts(&self, bursts: Vec<Burst>) -> Result<(), StoreError>;

    /// The bursts, newest first, at most `limit`.
    async fn bursts(&self, limit: usize) -> Result<Vec<Burst>, StoreError>;
}
