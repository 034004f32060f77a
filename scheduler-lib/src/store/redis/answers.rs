//! Arguments and answers of the steps that have an own form for them.

use std::collections::BTreeMap;

use polling_model::{JobType, Token};
use serde::{Deserialize, Serialize};

use super::{
    call::Call,
    record::{hold_letter, scopes_text, time},
};
use crate::store::{
    Edited, Hold, Next, Postponed, Registered, Settlement, StoreError, Strike, Undecodable,
    Verdict, reasons::bounded,
};

pub(super) fn edited(answer: i64) -> Result<Edited, StoreError> {
    Ok(match answer {
        1 => Edited::Done,
        0 => Edited::Unchanged,
        _ => Edited::Unknown,
    })
}

pub(super) fn registered(letter: char) -> Registered {
    match letter {
        'c' => Registered::Created,
        _ => Registered::Existing,
    }
}

/// Jobs by type, where of each slot all are counted and the types of some are known.
pub(super) fn by_type(sampled: &[(u64, Vec<String>)]) -> BTreeMap<JobType, u64> {
    let mut jobs: BTreeMap<JobType, f64> = BTreeMap::new();
    for (count, types) in sampled {
        let share = *count as f64 / types.len() as f64;
        for job_type in types
            .iter()
            .filter_map(|one| JobType::new(one.as_str()).ok())
        {
            *jobs.entry(job_type).or_default() += share;
        }
    }
    jobs.into_iter()
        .map(|(job_type, jobs)| (job_type, jobs.round() as u64))
        .collect()
}

pub(super) fn verdict(letter: char) -> Verdict {
    match letter {
        'a' => Verdict::Accepted,
        'e' => Verdict::Edited,
        's' => Verdict::Stale,
        'o' => Verdict::OtherIncarnation,
        _ => Verdict::Unknown,
    }
}

/// The arguments of one postponement, as many as `lua/postpone.lua` counts.
pub(super) fn postponed_args<'a>(call: Call<'a>, postponed: &Postponed) -> Call<'a> {
    token_args(call.arg(postponed.id.as_str()), postponed.token)
        .arg(time(postponed.due_ms))
        .arg(&*bounded(&postponed.reason))
}

fn token_args(call: Call<'_>, token: Token) -> Call<'_> {
    call.arg(token.incarnation.to_string())
        .arg(token.generation)
        .arg(token.nonce.to_string())
}

/// The arguments of one settlement, as many as `lua/settle.lua` counts.
pub(super) fn settlement_args<'a>(call: Call<'a>, settlement: &Settlement) -> Call<'a> {
    let (next, argument) = match settlement.next {
        Next::Due(due_ms) => ("d", time(due_ms).to_string()),
        Next::Now => ("n", String::new()),
        Next::Hold(hold) => ("h", hold_letter(hold).to_owned()),
        Next::Remove => ("r", String::new()),
    };
    let strike_limit = match settlement.strike {
        Strike::Clear => 0,
        // A limit of none would read as clearing; the first strike reaches either.
        Strike::Add { limit } => limit.max(1),
    };
    let context = settlement.context.as_ref();
    let scopes = settlement.scopes.as_ref();
    let activity = settlement.activity.as_ref();
    token_args(call.arg(settlement.id.as_str()), settlement.token)
        .arg(settlement.revision)
        .arg(if context.is_some() { "1" } else { "0" })
        .arg(context.map_or("", |context| context.as_str()))
        .arg(next)
        .arg(argument)
        .arg(settlement.attempts)
        .arg(strike_limit)
        .arg(hold_letter(Hold::Quarantined))
        .arg(&*bounded(&settlement.reason))
        .arg(scopes.map_or_else(String::new, |scopes| scopes_text(scopes)))
        .arg(activity.map_or_else(String::new, ToString::to_string))
}

/// An undecodable message as it is stored.
#[derive(Serialize, Deserialize)]
pub(super) struct Kept {
    message_id: String,
    kept_ms: i64,
    error: String,
    body: String,
}

impl Kept {
    pub(super) fn to_text(&self) -> String {
        serde_json::to_string(self).expect("texts and a number are JSON")
    }
}

impl From<Undecodable> for Kept {
    fn from(
        Undecodable {
            message_id,
            kept_ms,
            error,
            body,
        }: Undecodable,
    ) -> Self {
        Self {
            message_id,
            kept_ms,
            error,
            body,
        }
    }
}

impl From<Kept> for Undecodable {
    fn from(
        Kept {
            message_id,
            kept_ms,
            error,
            body,
        }: Kept,
    ) -> Self {
        Self {
            message_id,
            kept_ms,
            error,
            body,
        }
    }
}
