//! A job as it travels to a worker.

use serde::{Deserialize, Serialize};

use crate::{AccountId, ChannelId, Context, JobId, JobType, ServiceLevel, Token};

/// One dispatch of a job. The scheduler's record is the authority; this is a hint that a worker
/// acts on and answers with a [`Completion`](crate::Completion).
///
/// `C` is the form of the context: decoded for a worker, [`EncodedContext`](crate::EncodedContext)
/// for the scheduler, which never looks inside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job<C = Context> {
    /// Unique within the channel.
    pub id: JobId,
    /// The channel to poll.
    pub channel: ChannelId,
    /// The kind of data wanted.
    #[serde(rename = "type")]
    pub job_type: JobType,
    /// The account to poll for.
    pub account: AccountId,
    /// What the account's owner pays for.
    pub level: ServiceLevel,
    /// To be returned unchanged.
    pub token: Token,
    /// When it was due, UTC milliseconds.
    pub due_ms: i64,
    /// From then on nobody waits for this dispatch, UTC milliseconds: drop it without polling when
    /// what is left is less than a poll needs.
    pub not_after_ms: i64,
    /// What the last poll left for this one.
    pub context: C,
}
