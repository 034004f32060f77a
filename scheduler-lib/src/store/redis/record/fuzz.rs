//! A record's text, fuzzed: what scripts of another version, or a hand, may have written.

use polling_fuzz::{Taken, allocating_at_most};
use polling_model::JobId;

use super::{NONE, hold_letter, scopes_text, state, word};
use crate::store::{JobState, Place, Reason};

polling_fuzz::fuzz! {
    fuzz_record in "tests/corpus/record" => |bytes| record(bytes)
}

/// Beyond the text itself, which is copied into the reasons or the error.
const COST_BYTES: usize = 4 * 1024;

fn record(bytes: &[u8]) -> Taken {
    let id = JobId::new("posts:42").expect("a valid id");
    let decoded = allocating_at_most(bytes.len() * 4 + COST_BYTES, || state(&id, bytes));
    match &decoded {
        Ok(read) => {
            let head = head(read);
            let text = format!("{} {head}{{}}", head.len());
            let again = state(&id, text.as_bytes()).expect("what was read can be written");
            assert_eq!(&again, read);
        }
        Err(error) => {
            let error = polling_model::chain(error);
            assert!(error.contains("posts:42"), "{error}");
            assert!(error.len() < 400, "{} bytes of error", error.len());
        }
    }
    Taken::if_ok(&decoded)
}

/// The head of a record, as the scripts write it.
fn head(state: &JobState) -> String {
    let (place, deadline_ms) = match state.place {
        Place::Slot => ("s", 0),
        Place::InFlight { deadline_ms } => ("f", deadline_ms),
        Place::Later => ("l", 0),
        Place::Held(hold) => (hold_letter(hold), 0),
    };
    let nonce = state
        .nonce
        .map_or_else(|| NONE.to_owned(), |nonce| nonce.to_string());
    let run_now = if state.run_now { "1" } else { "0" };
    let JobState {
        due_ms,
        generation,
        revision,
        incarnation,
        strikes,
        attempts,
        ..
    } = state;
    let JobState {
        settled_ms,
        job_type,
        account,
        level,
        ..
    } = state;
    let (cushion, pace) = (word(state.cushion), word(state.pace));
    let scopes = scopes_text(&state.scopes);
    let activity = state
        .activity
        .map_or_else(|| NONE.to_owned(), |activity| activity.to_string());
    let reasons: Vec<_> = state.reasons.iter().map(Reason::to_string).collect();
    let reasons = reasons.join("\n");
    format!(
        "{place} {due_ms} {deadline_ms} {generation} {nonce} {incarnation} {settled_ms} {job_type} \
         {account} {level} + {revision} {strikes} {attempts} {run_now} {cushion} {pace} {scopes} \
         {activity} {reasons}"
    )
}
