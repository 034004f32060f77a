//! What callers see of jobs and channels. Tokens, which only workers may know, are left out.

use polling_model::EncodedContext;
use scheduler_lib::{
    ChannelStatus,
    ledger::Cushion,
    policy::Override,
    store::{Counts, JobRecord, Place, Reason, Undecodable},
};
use schemars::JsonSchema;
use serde::Serialize;

/// A job.
#[derive(Serialize, JsonSchema)]
pub(super) struct JobView {
    id: String,
    job_type: String,
    account: String,
    level: String,
    #[schemars(with = "Option<super::schema::Cushion>")]
    cushion: Option<Cushion>,
    #[schemars(with = "Option<super::schema::Pace>")]
    pace: Option<Override>,
    place: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    deadline_ms: Option<i64>,
    due_ms: i64,
    reason: String,
    reasons: Vec<ReasonView>,
    attempts: u32,
    strikes: u32,
    generation: u64,
    revision: u64,
    run_now: bool,
    settled_ms: i64,
    context_size_bytes: usize,
    /// Left out of lists, whose size it would make unbounded.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<super::schema::Context>")]
    context: Option<EncodedContext>,
}

impl JobView {
    /// With its context.
    pub(super) fn whole(record: JobRecord) -> Self {
        let context = record.context.clone();
        Self {
            context: Some(context),
            ..Self::brief(record)
        }
    }

    /// Without its context.
    pub(super) fn brief(JobRecord { id, context, state }: JobRecord) -> Self {
        Self {
            id: id.to_string(),
            job_type: state.job_type.to_string(),
            account: state.account.to_string(),
            level: state.level.to_string(),
            cushion: state.cushion,
            pace: state.pace,
            place: state.place.as_str(),
            deadline_ms: match state.place {
                Place::InFlight { deadline_ms } => Some(deadline_ms),
                _ => None,
            },
            due_ms: state.due_ms,
            reason: state.reason().to_owned(),
            reasons: state.reasons.iter().map(ReasonView::from).collect(),
            attempts: state.attempts,
            strikes: state.strikes,
            generation: state.generation,
            revision: state.revision,
            run_now: state.run_now,
            settled_ms: state.settled_ms,
            context_size_bytes: context.size_bytes(),
            context: None,
        }
    }
}

/// Why a job was placed where it is, or was: the newest first.
#[derive(Serialize, JsonSchema)]
struct ReasonView {
    at_ms: Option<i64>,
    text: String,
}

impl From<&Reason> for ReasonView {
    fn from(reason: &Reason) -> Self {
        Self {
            at_ms: reason.at_ms,
            text: reason.text.to_string(),
        }
    }
}

/// What this process has done for a channel.
#[derive(Serialize, JsonSchema)]
pub(super) struct StatusView {
    last_tick_ms: i64,
    dispatched: u64,
    accepted: u64,
    stale: u64,
    reaped: u64,
    repaired: u64,
    resent: u64,
    dead_letters: u64,
    undecodable: u64,
}

impl From<ChannelStatus> for StatusView {
    fn from(status: ChannelStatus) -> Self {
        Self {
            last_tick_ms: status.last_tick_ms,
            dispatched: status.dispatched,
            accepted: status.accepted,
            stale: status.stale,
            reaped: status.reaped,
            repaired: status.repaired,
            resent: status.resent,
            dead_letters: status.dead_letters,
            undecodable: status.undecodable,
        }
    }
}

/// How many jobs are where.
#[derive(Serialize, JsonSchema)]
pub(super) struct CountsView {
    registered: u64,
    slots: u64,
    in_flight: u64,
    later: u64,
    held: u64,
    open_notes: u64,
    cursor: i64,
}

impl From<Counts> for CountsView {
    fn from(counts: Counts) -> Self {
        Self {
            registered: counts.registered,
            slots: counts.slots,
            in_flight: counts.in_flight,
            later: counts.later,
            held: counts.held,
            open_notes: counts.open_notes,
            cursor: counts.cursor,
        }
    }
}

/// A message that nobody could decode.
#[derive(Serialize, JsonSchema)]
pub(super) struct UndecodableView {
    message_id: String,
    kept_ms: i64,
    error: String,
    body: String,
}

impl From<Undecodable> for UndecodableView {
    fn from(message: Undecodable) -> Self {
        let Undecodable {
            message_id,
            kept_ms,
            error,
            body,
        } = message;
        Self {
            message_id,
            kept_ms,
            error,
            body,
        }
    }
}
