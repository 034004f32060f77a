//! Every bound of a channel's cycle, by name.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    policy::{RuleError, check_duration},
    store::MAX_CHUNK,
};

/// The bounds of one channel's cycle. Durations are written as `"90s"`, `"5m"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Longest time that a message may wait in its work queue and still be polled.
    #[serde(with = "crate::duration")]
    pub queue_wait: Duration,
    /// Receives of a work message before it is a dead letter, as in the queue's redrive policy.
    /// From 3 on, a payload that kills its worker takes no neighbour along: see `polling-core`'s
    /// `caps::SUSPECT_RECEIVES`.
    pub max_receives: u32,
    /// The worker's deadlines for poll, publish and complete together.
    #[serde(with = "crate::duration")]
    pub work: Duration,
    /// How much longer than its message a job is in flight.
    #[serde(with = "crate::duration")]
    pub in_flight_margin: Duration,
    /// Time between two looks at the slots, the notes and the leases.
    #[serde(with = "crate::duration")]
    pub tick: Duration,
    /// Whether the jobs of a slot are dispatched evenly over the first three quarters of its width, so
    /// that a minute does not begin with a burst, in an order in which each keeps its time within the
    /// minute; otherwise at once, from any of them on. Lateness counts from the time so paced. Polls that take longer than the last quarter of a
    /// slot may miss an interval of one slot; then dispatch at once. Where calls count in rate-limit
    /// scopes a slot is drained at once in any case: who gets a call is decided among all that are
    /// due, and the calls are paced by the ledger and the workers.
    pub paced: bool,
    /// Most jobs dispatched a second; after a downtime this bounds the catch-up.
    pub dispatch_per_s: u32,
    /// Most jobs reaped a second.
    pub reap_per_s: u32,
    /// Most jobs and index entries swept a second.
    pub sweep_per_s: u32,
    /// Chunks whose sending is not known to have ended; beyond them nothing is drained.
    pub max_open_notes: usize,
    /// After this time a chunk that is not known to be sent is sent again.
    #[serde(with = "crate::duration")]
    pub note_deadline: Duration,
    /// Tasks that receive and settle completions.
    pub settlers: usize,
    /// Longest wait for a first completion. An idle scheduler takes as long to end.
    #[serde(with = "crate::duration")]
    pub receive_wait: Duration,
    /// After this time in flight beyond its deadline a job is reaped even though completions are
    /// still unread.
    #[serde(with = "crate::duration")]
    pub reap_grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            queue_wait: Duration::from_secs(300),
            max_receives: 3,
            work: Duration::from_secs(120),
            in_flight_margin: Duration::from_secs(60),
            tick: Duration::from_millis(200),
            paced: true,
            dispatch_per_s: 5_000,
            reap_per_s: 1_000,
            sweep_per_s: 200,
            max_open_notes: 64,
            note_deadline: Duration::from_secs(30),
            settlers: 2,
            receive_wait: Duration::from_secs(5),
            reap_grace: Duration::from_secs(120),
        }
    }
}

impl Limits {
    /// Bounds for one-second slots, for demos and tests: what takes minutes takes seconds.
    #[must_use]
    pub fn of_seconds() -> Self {
        Self {
            queue_wait: Duration::from_secs(10),
            work: Duration::from_secs(20),
            in_flight_margin: Duration::from_secs(5),
            tick: Duration::from_millis(50),
            note_deadline: Duration::from_secs(5),
            receive_wait: Duration::from_secs(1),
            reap_grace: Duration::from_secs(10),
            ..Self::default()
        }
    }

    /// From dispatch to the end of a message's use: the longest wait in the queue, every receive
    /// before it is a dead letter, and the work of the last one.
    #[must_use]
    pub fn message_life(&self, visibility_timeout: Duration) -> Duration {
        self.queue_wait + visibility_timeout * self.max_receives + self.work
    }

    /// Checks every bound.
    ///
    /// # Errors
    ///
    /// [`RuleError`] that names the first field outside its bounds.
    pub fn validate(&self) -> Result<(), RuleError> {
        const MS: Duration = Duration::from_millis(1);
        const HOUR: Duration = Duration::from_secs(3600);
        const DAY: Duration = Duration::from_secs(24 * 3600);
        for (field, found, min, max) in [
            ("queue_wait", self.queue_wait, MS * 1000, DAY),
            ("work", self.work, MS * 100, HOUR),
            ("in_flight_margin", self.in_flight_margin, MS * 100, DAY),
            ("tick", self.tick, MS * 10, MS * 10_000),
            ("note_deadline", self.note_deadline, MS * 1000, HOUR),
            (
                "receive_wait",
                self.receive_wait,
                Duration::ZERO,
                MS * 20_000,
            ),
            ("reap_grace", self.reap_grace, Duration::ZERO, DAY),
        ] {
            check_duration(field, found, min, max)?;
        }
        for (field, found) in [
            ("max_receives", self.max_receives as usize),
            ("dispatch_per_s", self.dispatch_per_s as usize),
            ("reap_per_s", self.reap_per_s as usize),
            ("sweep_per_s", self.sweep_per_s as usize),
            ("max_open_notes", self.max_open_notes),
            ("settlers", self.settlers),
        ] {
            if found == 0 {
                return Err(RuleError::Zero {
                    field: field.to_owned(),
                });
            }
        }
        Ok(())
    }
}

/// Completions received, decided and settled at once.
pub(crate) const SETTLE_BATCH: usize = MAX_CHUNK;

/// Chunks that one scheduler sends at the same time.
pub(crate) const SENDING_CHUNKS: usize = 8;

/// How often a settlement whose record was edited meanwhile is decided again before its message
/// is left to redelivery.
pub(crate) const MAX_DECISIONS: usize = 5;

/// Longest pause of a loop whose store or queue does not answer.
pub(crate) const MAX_PAUSE: Duration = Duration::from_secs(5);

/// How long a stopping scheduler waits for the steps under way: more than the longest receive.
pub(crate) const STOP_GRACE: Duration = Duration::from_secs(25);

/// Longest question for service levels; after it every job keeps its level.
pub(crate) const LEVELS_DEADLINE: Duration = Duration::from_secs(2);

/// Longest that a call to the ledger of rate limits may take.
pub(crate) const LEDGER_DEADLINE: Duration = Duration::from_secs(5);

/// Longest that a call to a queue may take, a receive's own wait aside: for adapters that have no
/// deadline of their own.
pub(crate) const QUEUE_DEADLINE: Duration = Duration::from_secs(30);

/// Most by which a lease is longer than usual while nobody works on the job's queue.
pub(crate) const MAX_LONGER_LEASE: Duration = Duration::from_secs(3600);

/// Longest question for how much waits in a work queue; then it counts as empty.
pub(crate) const STATS_DEADLINE: Duration = Duration::from_secs(2);

/// Time between two such questions.
pub(crate) const STATS_EVERY: Duration = Duration::from_secs(10);
