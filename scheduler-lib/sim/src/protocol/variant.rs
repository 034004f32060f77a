//! The protocol as it is, and as it is often built.

use std::fmt;

/// What must hold in every state, or at every step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Property {
    /// Each registered job is in exactly one place, and only registered jobs are in one.
    NeverLost,
    /// In one history of the store no token is accepted twice, accepted generations strictly
    /// increase within an incarnation, and only what this history dispatched is accepted.
    NeverForked,
    /// A message whose completion could still be accepted is deleted only after its events are
    /// delivered and its completion is stored.
    NeverEarlyAcked,
    /// No decision made before an edit by hand is stored after it, and no completion ends a pause.
    EditsKept,
}

impl Property {
    /// Its name on pages and in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NeverLost => "never lost",
            Self::NeverForked => "never forked",
            Self::NeverEarlyAcked => "never early acked",
            Self::EditsKept => "edits kept",
        }
    }
}

impl fmt::Display for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A protocol to search: the right one, or one with a known mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Variant {
    /// As built.
    Right,
    /// The due job is popped from its slot, then sent: no place in flight, no reaper.
    PopThenSend,
    /// There is a lease with a reaper, but settle does not ask which dispatch ended.
    LeaseWithoutToken,
    /// Settle compares the generation, but there is no nonce.
    GenerationOnly,
    /// Settle puts back the job as the message describes it, where the token is not known to be
    /// another.
    RescheduleFromMessage,
    /// Settle compares the token, but not the revision on which the next place was decided.
    WithoutRevision,
    /// The worker deletes the message, then polls.
    AckFirst,
}

impl Variant {
    /// All of them, the right one first.
    pub const ALL: [Self; 7] = [
        Self::Right,
        Self::PopThenSend,
        Self::LeaseWithoutToken,
        Self::GenerationOnly,
        Self::RescheduleFromMessage,
        Self::WithoutRevision,
        Self::AckFirst,
    ];

    /// Its name on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::PopThenSend => "pop-then-send",
            Self::LeaseWithoutToken => "lease-without-token",
            Self::GenerationOnly => "generation-only",
            Self::RescheduleFromMessage => "reschedule-from-message",
            Self::WithoutRevision => "without-revision",
            Self::AckFirst => "ack-first",
        }
    }

    /// What it breaks.
    #[must_use]
    pub const fn breaks(self) -> &'static [Property] {
        match self {
            Self::Right => &[],
            Self::PopThenSend => &[Property::NeverLost, Property::NeverForked],
            Self::LeaseWithoutToken | Self::GenerationOnly => &[Property::NeverForked],
            Self::RescheduleFromMessage => &[Property::NeverLost, Property::EditsKept],
            Self::WithoutRevision => &[Property::EditsKept],
            Self::AckFirst => &[Property::NeverEarlyAcked],
        }
    }

    /// What it does otherwise, in words.
    #[must_use]
    pub const fn summary(self) -> &'static str {
        match self {
            Self::Right => "the protocol as built",
            Self::PopThenSend => "the due job is popped from its slot, then sent",
            Self::LeaseWithoutToken => {
                "a job in flight has a lease, but settle does not ask which dispatch ended"
            }
            Self::GenerationOnly => "settle compares the generation, but there is no nonce",
            Self::RescheduleFromMessage => {
                "settle puts the job back as its message describes it, not as its record does"
            }
            Self::WithoutRevision => {
                "settle does not compare the revision on which the next place was decided"
            }
            Self::AckFirst => "the worker deletes the message, then polls",
        }
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
