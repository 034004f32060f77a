//! Why a step on a store failed.

use polling_model::JobId;

/// A step that failed. Unless it says otherwise its outcome is unknown, and the step can be
/// repeated: every step is idempotent or leaves what the reaper and the notes bring back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The store did not answer within its deadline, cannot be reached, or broke off.
    #[error("{step} on the store at {address} failed; its outcome is unknown")]
    Unavailable {
        /// What was tried.
        step: &'static str,
        /// Where, without credentials.
        address: String,
        /// The client's own error.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The store refuses to write: out of memory, its disk is full, it is a replica or lacks
    /// replicas. Nothing changed.
    #[error(
        "{step}: the store at {address} refuses writes ({detail}): {}; the cycle then resumes by itself",
        advice(detail)
    )]
    ReadOnly {
        /// What was tried.
        step: &'static str,
        /// Where, without credentials.
        address: String,
        /// The store's own words.
        detail: String,
    },
    /// The store's user may not do what the step needs. The step may have been done in part, as if
    /// the store had failed.
    #[error(
        "{step}: the store at {address} forbids its user what it needs ({detail}): `ACL LOG` there names the command or the key"
    )]
    Forbidden {
        /// What was tried.
        step: &'static str,
        /// Where, without credentials.
        address: String,
        /// The store's own words.
        detail: String,
    },
    /// Our clock and the store's differ too much. Nothing changed.
    #[error(
        "this machine's clock differs from the store's by {skew_ms} ms, more than the {limit_ms} ms allowed: mend the clock (NTP)"
    )]
    ClockSkew {
        /// Ours less theirs, milliseconds.
        skew_ms: i64,
        /// The most allowed, milliseconds.
        limit_ms: i64,
    },
    /// The layout is one that this version cannot use. Nothing changed.
    #[error("{0}")]
    Layout(String),
    /// The store is empty where it was not: wiped, another database, an empty replica. Nothing
    /// changed.
    #[error(
        "the store at {address} has lost its layout key {key}: it was wiped, or is another database; restore it, or start anew on purpose"
    )]
    Wiped {
        /// Where, without credentials.
        address: String,
        /// The key that is missing.
        key: String,
    },
    /// The store may throw jobs away. Nothing changed.
    #[error(
        "the store at {address} has maxmemory-policy {policy}: when full it would throw jobs away; set it to noeviction, the cycle then resumes by itself"
    )]
    Evicts {
        /// Where, without credentials.
        address: String,
        /// What it is set to.
        policy: String,
    },
    /// A page was asked for that begins nowhere. Nothing changed.
    #[error(
        "no page of jobs begins at {0:?}: pass what the page before said, or nothing for the first"
    )]
    Cursor(String),
    /// A record that cannot be read.
    #[error("the record of job {id} cannot be read: {detail}")]
    Corrupt {
        /// Which job.
        id: JobId,
        /// What is wrong with it.
        detail: String,
    },
}

impl StoreError {
    /// The name of its kind, for metrics.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Unavailable { .. } => "unavailable",
            Self::ReadOnly { .. } => "read_only",
            Self::Forbidden { .. } => "forbidden",
            Self::ClockSkew { .. } => "clock_skew",
            Self::Layout(_) => "layout",
            Self::Wiped { .. } => "wiped",
            Self::Evicts { .. } => "evicts",
            Self::Cursor(_) => "cursor",
            Self::Corrupt { .. } => "corrupt",
        }
    }
}

/// What to do about a refusal, by the code it begins with.
fn advice(detail: &str) -> &'static str {
    match detail.split(' ').next() {
        Some("OOM") => "free memory, or raise its maxmemory",
        Some("MISCONF") => "see its log, mostly its disk is full",
        Some("READONLY") => "point the address at the primary",
        Some("NOREPLICAS") => "bring its replicas back",
        _ => "see its log",
    }
}
