//! Records as Redis holds them: short names and plain text, so that a hash stays compact.

use std::{collections::BTreeMap, fmt::Display, str::FromStr};

use polling_model::{EncodedContext, JobId, Nonce};

use crate::store::{Hold, JobRecord, JobState, NewJob, Place, StoreError};

/// Latest time that the store keeps, in UTC milliseconds, about the year 5138: up to here a script's
/// floating-point numbers tell each millisecond.
pub(super) const MAX_TIME_MS: i64 = 99_999_999_999_999;

/// A reason is cut into parts of this size; the scripts know it as `REASON_PART`.
const REASON_PART_SIZE_BYTES: usize = 64;

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

pub(super) fn cushion_text(cushion: Option<u64>) -> String {
    cushion.map_or_else(String::new, |calls| calls.to_string())
}

/// The fields of a new job's record; the script adds its place.
pub(super) fn new_fields(job: &NewJob) -> Vec<(&'static str, String)> {
    vec![
        ("a", job.account.to_string()),
        ("t", job.job_type.to_string()),
        ("l", job.level.to_string()),
        ("u", cushion_text(job.cushion)),
        ("i", job.incarnation.to_string()),
        ("g", "0".to_owned()),
        ("n", String::new()),
        ("r", "0".to_owned()),
        ("c", "0".to_owned()),
        ("k", "0".to_owned()),
        ("s", "0".to_owned()),
        ("y", "registered".to_owned()),
    ]
}

/// The fields of a record by name. Of two values the later is valid.
pub(super) struct Fields<'a> {
    id: &'a JobId,
    values: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(id: &'a JobId, flat: impl IntoIterator<Item = Option<Vec<u8>>>) -> Self {
        let mut flat = flat.into_iter().map(Option::unwrap_or_default);
        let pairs = std::iter::from_fn(|| Some((flat.next()?, flat.next()?)));
        Self {
            id,
            values: pairs.collect(),
        }
    }

    pub(super) fn into_record(self, context: Option<Vec<u8>>) -> Result<JobRecord, StoreError> {
        let Some(context) = context else {
            return Err(self.corrupt("its context is missing"));
        };
        let context = str::from_utf8(&context).map_err(|error| self.corrupt(error))?;
        let context = EncodedContext::new(context).map_err(|error| self.corrupt(error))?;
        Ok(JobRecord {
            id: self.id.clone(),
            context,
            state: self.into_state()?,
        })
    }

    pub(super) fn into_state(self) -> Result<JobState, StoreError> {
        Ok(JobState {
            job_type: self.parse("t")?,
            account: self.parse("a")?,
            level: self.parse("l")?,
            cushion: self.parse_optional("u")?,
            incarnation: self.parse("i")?,
            generation: self.parse("g")?,
            nonce: self.parse_optional::<Nonce>("n")?,
            revision: self.parse("r")?,
            place: self.place()?,
            due_ms: self.parse("d")?,
            attempts: self.parse("c")?,
            strikes: self.parse("k")?,
            run_now: self.bytes("w") == b"1",
            settled_ms: self.parse("s")?,
            reason: self.reason(),
        })
    }

    fn place(&self) -> Result<Place, StoreError> {
        match self.bytes("p") {
            b"s" => Ok(Place::Slot),
            b"f" => Ok(Place::InFlight {
                deadline_ms: self.parse("e")?,
            }),
            b"l" => Ok(Place::Later),
            letter => Hold::ALL
                .into_iter()
                .find(|hold| hold_letter(*hold).as_bytes() == letter)
                .map(Place::Held)
                .ok_or_else(|| self.corrupt("its place is none that is known")),
        }
    }

    /// The parts may have been cut within a character.
    fn reason(&self) -> String {
        let mut reason = Vec::new();
        for name in ["y", "y1", "y2", "y3"] {
            let part = self.bytes(name);
            reason.extend_from_slice(part);
            if part.len() < REASON_PART_SIZE_BYTES {
                break;
            }
        }
        String::from_utf8_lossy(&reason).into_owned()
    }

    fn bytes(&self, name: &str) -> &[u8] {
        self.values.get(name.as_bytes()).map_or(b"", Vec::as_slice)
    }

    fn parse<T: FromStr<Err: Display>>(&self, name: &str) -> Result<T, StoreError> {
        let at_field = |error: &dyn Display| self.corrupt(format!("field {name}: {error}"));
        let text = str::from_utf8(self.bytes(name)).map_err(|error| at_field(&error))?;
        text.parse().map_err(|error: T::Err| at_field(&error))
    }

    fn parse_optional<T: FromStr<Err: Display>>(
        &self,
        name: &str,
    ) -> Result<Option<T>, StoreError> {
        match self.bytes(name) {
            b"" => Ok(None),
            _ => self.parse(name).map(Some),
        }
    }

    fn corrupt(&self, detail: impl Display) -> StoreError {
        StoreError::Corrupt {
            id: self.id.clone(),
            detail: detail.to_string(),
        }
    }
}
