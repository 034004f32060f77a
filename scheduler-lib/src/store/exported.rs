//! Jobs as they leave a store, and come into another.

use std::{fmt::Display, str::FromStr};

use polling_model::{
    AccountId, EncodedContext, Incarnation, JobId, JobType, ScopeKey, ServiceLevel,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{Hold, JobRecord, MAX_BOUND_SCOPES, MAX_REASONS, Place, Reason, reasons::noted};
use crate::{
    ledger::Cushion,
    policy::{Override, adaptive::Activity},
};

/// A job outside of any store: what another store needs to go on with it. As JSON it is one line;
/// what a later version adds is ignored.
///
/// ```
/// use scheduler_lib::store::ExportedJob;
///
/// let line = r#"{"v":1,"id":"posts:42","job_type":"posts","account":"42","level":"gold","context":{},"due_ms":1700000000000}"#;
/// let job: ExportedJob = serde_json::from_str(line)?;
/// assert_eq!(serde_json::to_string(&job)?, line);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExportedJob {
    /// The form of this line.
    #[serde(rename = "v")]
    pub version: ExportVersion,
    /// Unique within the channel.
    pub id: JobId,
    /// The kind of job.
    pub job_type: JobType,
    /// Who is polled for.
    pub account: AccountId,
    /// Names its rules of frequency.
    pub level: ServiceLevel,
    /// The job's own cushion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cushion: Option<Cushion>,
    /// What a person decided about how often it is polled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pace: Option<Override>,
    /// What the last poll left for the next.
    pub context: EncodedContext,
    /// When it is due, UTC milliseconds. Of a job that was in flight the end of that: by then its
    /// poll is over, and nobody in the other store knows what came of it.
    pub due_ms: i64,
    /// Why it is held, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<Hold>,
    /// Consecutive polls that failed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub attempts: u32,
    /// Dead letters since the last completion.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub strikes: u32,
    /// When the last completion was accepted, UTC milliseconds; 0 before the first.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub settled_ms: i64,
    /// The rate-limit scopes that it is bound to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<ScopeKey>,
    /// What it brought lately, where its policy asks for that.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "optional_text"
    )]
    pub activity: Option<Activity>,
    /// Why it was placed where it is and was, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "texts")]
    pub reasons: Vec<Reason>,
}

/// The form of an exported line: there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ExportVersion;

impl ExportVersion {
    const NUMBER: u32 = 1;
}

/// An exported job on its way into a store.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedJob {
    /// As it was.
    pub job: ExportedJob,
    /// Random; names its life in this store. Completions of the one before are fenced by it.
    pub incarnation: Incarnation,
}

impl From<JobRecord> for ExportedJob {
    fn from(JobRecord { id, context, state }: JobRecord) -> Self {
        let (due_ms, hold) = match state.place {
            Place::Slot | Place::Later => (state.due_ms, None),
            Place::InFlight { deadline_ms } => (deadline_ms, None),
            Place::Held(hold) => (state.due_ms, Some(hold)),
        };
        Self {
            version: ExportVersion,
            id,
            job_type: state.job_type,
            account: state.account,
            level: state.level,
            cushion: state.cushion,
            pace: state.pace,
            context,
            due_ms,
            hold,
            attempts: state.attempts,
            strikes: state.strikes,
            settled_ms: state.settled_ms,
            scopes: state.scopes,
            activity: state.activity,
            reasons: state.reasons.to_vec(),
        }
    }
}

impl ExportedJob {
    /// Within the bounds that every store keeps, whoever wrote it.
    #[must_use]
    pub(super) fn within_bounds(mut self) -> Self {
        self.scopes.truncate(MAX_BOUND_SCOPES);
        let reasons: Vec<_> = self.reasons.drain(..).take(MAX_REASONS).collect();
        for Reason { at_ms, text } in reasons.into_iter().rev() {
            self.reasons = noted(&self.reasons, at_ms, &text).to_vec();
        }
        self
    }
}

fn is_zero<T: Default + PartialEq>(number: &T) -> bool {
    *number == T::default()
}

impl Serialize for ExportVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(Self::NUMBER)
    }
}

impl<'de> Deserialize<'de> for ExportVersion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u32::deserialize(deserializer)? {
            Self::NUMBER => Ok(Self),
            found => Err(de::Error::custom(format_args!(
                "version {found} of an exported job, this program knows {}",
                Self::NUMBER
            ))),
        }
    }
}

fn parsed<T: FromStr<Err: Display>, E: de::Error>(text: &str) -> Result<T, E> {
    text.parse().map_err(E::custom)
}

mod optional_text {
    use super::*;

    pub(super) fn serialize<S: Serializer>(
        value: &Option<Activity>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value.map(|value| value.to_string()).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Activity>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| parsed(&text)).transpose()
    }
}

mod texts {
    use super::*;

    pub(super) fn serialize<S: Serializer>(
        values: &[Reason],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(values.iter().map(ToString::to_string))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<Reason>, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        texts.iter().map(|text| parsed(text)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MAX_REASON_SIZE_BYTES;

    const LINE: &str = r#"{"v":1,"id":"a","job_type":"posts","account":"42","level":"gold","context":{},"due_ms":5}"#;

    #[test]
    fn a_line_of_another_version_is_refused() {
        let other = LINE.replace(r#""v":1"#, r#""v":2"#);
        let error = serde_json::from_str::<ExportedJob>(&other).unwrap_err();
        assert!(error.to_string().contains("version 2"), "{error}");
    }

    #[test]
    fn what_somebody_else_wrote_is_brought_within_bounds() {
        let longest = |number: u8| format!("12 {number}{}", "x".repeat(MAX_REASON_SIZE_BYTES));
        let mut line: serde_json::Value = serde_json::from_str(LINE).unwrap();
        line["scopes"] = vec!["app"; 9].into();
        let long = (0..5).map(longest);
        let reasons = ["12 one\nline".to_owned()].into_iter().chain(long);
        line["reasons"] = reasons.collect::<Vec<_>>().into();
        let job: ExportedJob = serde_json::from_value(line).unwrap();
        let job = job.within_bounds();
        assert_eq!((job.reasons.len(), job.scopes.len()), (4, MAX_BOUND_SCOPES));
        assert_eq!(job.reasons[0].to_string(), "12 one line");
    }
}
