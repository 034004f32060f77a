//! How often each fault was injected.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};

/// The kinds of fault that are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Connections that lost what was sent on them.
    BlackHole,
    /// Replies cut after their request was delivered.
    CutReply,
    /// Requests that did not reach the server.
    DropAction,
    /// Entries of a batch reported as failed.
    FailEntry,
    /// Requests and replies held.
    Latency,
    /// Times that nobody listened; who was refused cannot be seen from here.
    Refuse,
    /// Messages given again.
    ReplayReceive,
    /// Connections reset.
    Reset,
    /// Requests and replies passed on in pieces.
    Slice,
}

impl Fault {
    /// All of them, in the order of their names.
    pub const ALL: [Self; 9] = [
        Self::BlackHole,
        Self::CutReply,
        Self::DropAction,
        Self::FailEntry,
        Self::Latency,
        Self::Refuse,
        Self::ReplayReceive,
        Self::Reset,
        Self::Slice,
    ];

    /// The name in counts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BlackHole => "black-hole",
            Self::CutReply => "cut-reply",
            Self::DropAction => "drop-action",
            Self::FailEntry => "fail-entry",
            Self::Latency => "latency",
            Self::Refuse => "refuse",
            Self::ReplayReceive => "replay-receive",
            Self::Reset => "reset",
            Self::Slice => "slice",
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Counts([AtomicU64; Fault::ALL.len()]);

impl Counts {
    pub(super) fn add(&self, fault: Fault, count: usize) {
        self.0[fault as usize].fetch_add(count as u64, Ordering::Relaxed);
    }

    pub(super) fn by_name(&self) -> BTreeMap<&'static str, u64> {
        let count = |fault: Fault| self.0[fault as usize].load(Ordering::Relaxed);
        let named = |fault: Fault| (fault.as_str(), count(fault));
        Fault::ALL.into_iter().map(named).collect()
    }
}
