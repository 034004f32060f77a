//! Records as Redis holds them: a text whose words are told in `lua/prelude.lua`.

#[cfg(test)]
mod fuzz;

use std::{fmt::Display, str::FromStr};

use polling_model::{EncodedContext, JobId, ScopeKey};

use crate::store::{
    Hold, JobRecord, JobState, MAX_BOUND_SCOPES, MAX_REASONS, NewJob, Place, Reason, StoreError,
};

/// Latest time that the store keeps, in UTC milliseconds, about the year 5138: up to here a
/// script's floating-point numbers tell each millisecond.
pub(super) const MAX_TIME_MS: i64 = 99_999_999_999_999;

/// A time as the scripts can count with it.
pub(super) fn time(at_ms: i64) -> i64 {
    at_ms.clamp(0, MAX_TIME_MS)
}

pub(super) fn hold_letter(hold: Hold) -> &'static str {
    match hold {
        Hold::Paused => "p",
        Hold::Parked => "k",
        Hold::Quarantined => "q",
        Hold::Refused => "x",
    }
}

/// What stands for a value that is not there.
const NONE: &str = "-";

/// A value that a record may do without.
pub(super) fn word<T: Display>(value: Option<T>) -> String {
    value.map_or_else(|| NONE.to_owned(), |value| value.to_string())
}

/// Comes before each scope; no scope has it.
const SCOPE: &str = ",";

pub(super) fn scopes_text(scopes: &[ScopeKey]) -> String {
    if scopes.is_empty() {
        return NONE.to_owned();
    }
    let scopes = scopes.iter().take(MAX_BOUND_SCOPES);
    scopes.flat_map(|scope| [SCOPE, scope.as_str()]).collect()
}

fn scopes_of(word: &str) -> Result<Vec<ScopeKey>, String> {
    if word == NONE {
        return Ok(Vec::new());
    }
    let scopes = word
        .strip_prefix(SCOPE)
        .ok_or("they do not begin with a comma")?;
    let parsed = scopes.splitn(MAX_BOUND_SCOPES, SCOPE).map(ScopeKey::new);
    parsed
        .collect::<Result<_, _>>()
        .map_err(|error| error.to_string())
}

/// The record of a new job after its place and time, which the script finds.
pub(super) fn new_record(job: &NewJob, now_ms: i64) -> String {
    let NewJob {
        incarnation,
        job_type,
        account,
        level,
        ..
    } = job;
    let cushion = word(job.cushion);
    format!(
        "0 0 {NONE} 0 {incarnation} 0 0 0 0 {job_type} {account} {level} {cushion} {NONE} {NONE} {NONE} \
         {now_ms} registered"
    )
}

/// A record and its context.
pub(super) fn record(
    id: &JobId,
    text: &[u8],
    context: Option<&[u8]>,
) -> Result<JobRecord, StoreError> {
    let corrupt = |detail: &dyn Display| corrupt(id, detail);
    let context = context.ok_or_else(|| corrupt(&"its context is missing"))?;
    let context = str::from_utf8(context).map_err(|error| corrupt(&error))?;
    let context = EncodedContext::new(context).map_err(|error| corrupt(&error))?;
    Ok(JobRecord {
        id: id.clone(),
        context,
        state: state(id, text)?,
    })
}

/// A record without its context.
pub(super) fn state(id: &JobId, text: &[u8]) -> Result<JobState, StoreError> {
    let text = str::from_utf8(text).map_err(|error| corrupt(id, &error))?;
    let mut words = Words {
        id,
        rest: text.splitn(WORDS, ' '),
    };
    let (place, due_ms, deadline_ms) = (
        words.next("place")?,
        words.parse("due")?,
        words.parse("deadline")?,
    );
    // The order of the fields is that of the words.
    Ok(JobState {
        place: place_of(place, deadline_ms)
            .ok_or_else(|| corrupt(id, &"its place is none that is known"))?,
        due_ms,
        generation: words.parse("generation")?,
        nonce: words.parse_optional("nonce")?,
        revision: words.parse("revision")?,
        incarnation: words.parse("incarnation")?,
        strikes: words.parse("strikes")?,
        attempts: words.parse("attempts")?,
        settled_ms: words.parse("settled")?,
        run_now: words.next("run now")? == "1",
        job_type: words.parse("job type")?,
        account: words.parse("account")?,
        level: words.parse("level")?,
        cushion: words.parse_optional("cushion")?,
        pace: words.parse_optional("pace")?,
        scopes: words.read("scopes", scopes_of)?,
        activity: words.parse_optional("activity")?,
        reasons: words.read("reasons", reasons_of)?.into(),
    })
}

/// How many words a record has; the last, the reasons, may have spaces.
const WORDS: usize = 19;

fn reasons_of(lines: &str) -> Result<Vec<Reason>, String> {
    if lines.is_empty() {
        return Ok(Vec::new());
    }
    let lines = lines.split('\n').take(MAX_REASONS);
    lines.map(str::parse).collect()
}

fn place_of(letter: &str, deadline_ms: i64) -> Option<Place> {
    match letter {
        "s" => Some(Place::Slot),
        "f" => Some(Place::InFlight { deadline_ms }),
        "l" => Some(Place::Later),
        letter => Hold::ALL
            .into_iter()
            .find(|hold| hold_letter(*hold) == letter)
            .map(Place::Held),
    }
}

fn corrupt(id: &JobId, detail: &dyn Display) -> StoreError {
    StoreError::Corrupt {
        id: id.clone(),
        detail: detail.to_string(),
    }
}

struct Words<'a> {
    id: &'a JobId,
    rest: std::str::SplitN<'a, char>,
}

impl<'a> Words<'a> {
    fn next(&mut self, name: &str) -> Result<&'a str, StoreError> {
        self.rest
            .next()
            .ok_or_else(|| corrupt(self.id, &format!("{name}: missing")))
    }

    fn parse<T: FromStr<Err: Display>>(&mut self, name: &str) -> Result<T, StoreError> {
        self.read(name, str::parse)
    }

    fn read<T, E: Display>(
        &mut self,
        name: &str,
        read: impl FnOnce(&'a str) -> Result<T, E>,
    ) -> Result<T, StoreError> {
        let word = self.next(name)?;
        read(word).map_err(|error| corrupt(self.id, &format!("{name}: {error}")))
    }

    fn parse_optional<T: FromStr<Err: Display>>(
        &mut self,
        name: &str,
    ) -> Result<Option<T>, StoreError> {
        self.read(name, |word| match word {
            NONE => Ok(None),
            word => word.parse().map(Some),
        })
    }
}
