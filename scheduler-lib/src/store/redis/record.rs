//! Records as Redis holds them: a text whose words are told in `lua/prelude.lua`.

#[cfg(test)]
mod fuzz;

use std::{fmt::Display, str::FromStr};

use polling_model::{AccountId, EncodedContext, Incarnation, JobId, JobType, ScopeKey};

use crate::{
    ledger::Cushion,
    policy::{Override, adaptive::Activity},
    store::{
        ExportedJob, Hold, JobRecord, JobState, MAX_BOUND_SCOPES, MAX_REASONS, NewJob, Place,
        Reason, StoreError, reasons::REGISTERED,
    },
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

/// Stands for an account that is in the job's id: `job_type:account`, as ids are unless told
/// otherwise.
const AS_IN_ID: &str = "=";

/// Stands before what few records have.
const RARE: &str = "+";

/// What a job has of that if it has nothing.
const NOTHING_RARE: &str = "0 0 0 0 - - - -";

/// The head of a new job's record after its place and time, which the script finds.
pub(super) fn new_record(job: &NewJob, now_ms: i64) -> String {
    let NewJob {
        incarnation,
        job_type,
        level,
        ..
    } = job;
    let account = account_word(&job.id, job_type, &job.account);
    let rare = match job.cushion {
        None => NONE.to_owned(),
        cushion => format!("{RARE} 0 0 0 0 {} {NONE} {NONE} {NONE}", word(cushion)),
    };
    format!("0 0 {NONE} {incarnation} 0 {job_type} {account} {level} {rare} {now_ms} {REGISTERED}")
}

fn account_word<'a>(id: &JobId, job_type: &JobType, account: &'a AccountId) -> &'a str {
    match account_in(id, job_type) == Some(account.as_str()) {
        true => AS_IN_ID,
        false => account.as_str(),
    }
}

fn account_in<'a>(id: &'a JobId, job_type: &JobType) -> Option<&'a str> {
    id.as_str()
        .strip_prefix(job_type.as_str())?
        .strip_prefix(':')
}

/// The same of a job that comes from another store.
pub(super) fn imported_record(job: &ExportedJob, incarnation: Incarnation) -> String {
    let ExportedJob {
        job_type,
        level,
        attempts,
        strikes,
        settled_ms,
        ..
    } = job;
    let account = account_word(&job.id, job_type, &job.account);
    let (cushion, pace) = (word(job.cushion), word(job.pace));
    let (scopes, activity) = (scopes_text(&job.scopes), word(job.activity));
    let rare = format!("0 {strikes} {attempts} 0 {cushion} {pace} {scopes} {activity}");
    let rare = match rare == NOTHING_RARE {
        true => NONE.to_owned(),
        false => format!("{RARE} {rare}"),
    };
    let reasons: Vec<_> = job.reasons.iter().map(ToString::to_string).collect();
    let reasons = reasons.join("\n");
    format!("0 0 {NONE} {incarnation} {settled_ms} {job_type} {account} {level} {rare} {reasons}")
}

/// A record and its context.
pub(super) fn record(id: &JobId, text: &[u8]) -> Result<JobRecord, StoreError> {
    let (head, context) = head_and_context(id, text)?;
    let context = EncodedContext::new(context).map_err(|error| corrupt(id, &error))?;
    Ok(JobRecord {
        id: id.clone(),
        context,
        state: state_of(id, head)?,
    })
}

/// A record without its context, if there is one.
pub(super) fn state(id: &JobId, text: &[u8]) -> Result<JobState, StoreError> {
    let (head, _) = head_and_context(id, text)?;
    state_of(id, head)
}

fn head_and_context<'a>(id: &JobId, text: &'a [u8]) -> Result<(&'a str, &'a str), StoreError> {
    let text = str::from_utf8(text).map_err(|error| corrupt(id, &error))?;
    let sized = text.split_once(' ').and_then(|(size, rest)| {
        let size_bytes: usize = size.parse().ok()?;
        rest.split_at_checked(size_bytes)
    });
    sized.ok_or_else(|| corrupt(id, &"it does not begin with the size of its head"))
}

fn state_of(id: &JobId, head: &str) -> Result<JobState, StoreError> {
    let mut words = Words { id, rest: head };
    let (place, due_ms, deadline_ms) = (
        words.next("place")?,
        words.parse("due")?,
        words.parse("deadline")?,
    );
    let place = place_of(place, deadline_ms);
    let place = place.ok_or_else(|| corrupt(id, &"its place is none that is known"))?;
    // The order of the words is that of the scripts.
    let generation = words.parse("generation")?;
    let nonce = words.parse_optional("nonce")?;
    let incarnation = words.parse("incarnation")?;
    let settled_ms = words.parse("settled")?;
    let job_type: JobType = words.parse("job type")?;
    let account = words.read("account", |word| account_of(word, id, &job_type))?;
    let level = words.parse("level")?;
    let rare = words.rare()?;
    Ok(JobState {
        place,
        due_ms,
        generation,
        nonce,
        revision: rare.revision,
        incarnation,
        strikes: rare.strikes,
        attempts: rare.attempts,
        settled_ms,
        run_now: rare.run_now,
        job_type,
        account,
        level,
        cushion: rare.cushion,
        pace: rare.pace,
        scopes: rare.scopes,
        activity: rare.activity,
        reasons: reasons_of(words.rest)
            .map_err(|error| corrupt(id, &format!("reasons: {error}")))?
            .into(),
    })
}

fn account_of(word: &str, id: &JobId, job_type: &JobType) -> Result<AccountId, String> {
    let account = match word {
        AS_IN_ID => account_in(id, job_type).ok_or("the job's id does not tell it")?,
        account => account,
    };
    AccountId::new(account).map_err(|error| error.to_string())
}

/// What few records have.
#[derive(Default)]
struct Rare {
    revision: u64,
    strikes: u32,
    attempts: u32,
    run_now: bool,
    cushion: Option<Cushion>,
    pace: Option<Override>,
    scopes: Vec<ScopeKey>,
    activity: Option<Activity>,
}

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

/// The words of a head that were not read yet, each with a space behind it.
struct Words<'a> {
    id: &'a JobId,
    rest: &'a str,
}

impl<'a> Words<'a> {
    fn next(&mut self, name: &str) -> Result<&'a str, StoreError> {
        let (word, rest) = self
            .rest
            .split_once(' ')
            .ok_or_else(|| corrupt(self.id, &format!("{name}: missing")))?;
        self.rest = rest;
        Ok(word)
    }

    fn rare(&mut self) -> Result<Rare, StoreError> {
        match self.next("more")? {
            NONE => Ok(Rare::default()),
            RARE => Ok(Rare {
                revision: self.parse("revision")?,
                strikes: self.parse("strikes")?,
                attempts: self.parse("attempts")?,
                run_now: self.next("run now")? == "1",
                cushion: self.parse_optional("cushion")?,
                pace: self.parse_optional("pace")?,
                scopes: self.read("scopes", scopes_of)?,
                activity: self.parse_optional("activity")?,
            }),
            _ => Err(corrupt(self.id, &"more: neither told nor left out")),
        }
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
