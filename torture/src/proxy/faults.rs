//! What a proxy is to break.

use std::{num::NonZeroUsize, ops::RangeInclusive};

/// What a proxy breaks; by default nothing. Probabilities are from 0 to 1 and are drawn per
/// request, one fault per request: a reset comes before a dropped action, that before a replay,
/// that before failed entries, and those before a cut reply.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Faults {
    /// Each request, and each reply, is held for a time drawn from this range, in milliseconds.
    /// Order is kept, and those behind it do not wait longer for it.
    pub latency_ms: Option<RangeInclusive<u64>>,
    /// Connections are accepted and what is sent is swallowed, in both directions, without a
    /// word. A connection that lost something in this way stays dead when this ends, as does one
    /// that was made meanwhile: its client has to notice by itself.
    pub black_hole: bool,
    /// Nobody listens. Open connections go on; [`Proxy::reset_open`](super::Proxy::reset_open)
    /// ends those.
    pub refuse: bool,
    /// How likely the connection is reset instead of a request being delivered.
    pub reset: f64,
    /// How likely a request is delivered, and the connection closed somewhere within its reply,
    /// once the whole reply has come from the server: it has done what it was asked to do.
    pub cut_reply: f64,
    /// Requests and replies are passed on in pieces of so many bytes.
    pub slice_bytes: Option<NonZeroUsize>,
    /// SQS: how likely a ReceiveMessage is answered with the messages of an earlier one, which are
    /// then given twice within their visibility timeout, or after they were deleted.
    pub replay_receive: f64,
    /// Requests of these names never reach the server.
    pub drop_actions: Vec<DropAction>,
    /// SQS: entries of a batch that fail under HTTP 200.
    pub fail_entries: Option<FailEntries>,
}

/// Requests that never reach the server.
#[derive(Debug, Clone, PartialEq)]
pub struct DropAction {
    /// An action of SQS, with its batch variant, such as `DeleteMessage`; a command of Redis in
    /// capitals; or a request of Kafka such as `Produce`.
    pub action: String,
    /// How likely each of them is dropped.
    pub probability: f64,
    /// What the client sees.
    pub answer: Dropped,
}

/// What the client of a dropped request sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dropped {
    /// Nothing, until its patience ends. The connection is dead from then on.
    Silence,
    /// HTTP: status 500 with an error of SQS. Silence with other protocols.
    Error500,
}

/// Entries of SendMessageBatch, DeleteMessageBatch and ChangeMessageVisibilityBatch that fail under
/// HTTP 200.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FailEntries {
    /// How likely each entry fails.
    pub probability: f64,
    /// What becomes of it.
    pub entry: FailedEntry,
}

/// What becomes of an entry that is reported as failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailedEntry {
    /// It never reaches the server.
    NotDelivered,
    /// It reaches the server, which does as it is told.
    Delivered,
}
