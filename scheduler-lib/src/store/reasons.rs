//! Why a job is where it is, and why it was where it was before.

use std::{borrow::Cow, fmt, str::FromStr};

use super::{MAX_HISTORY_SIZE_BYTES, MAX_REASON_SIZE_BYTES, MAX_REASONS};

/// Why a job was placed where it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// When, UTC milliseconds; `None` for an edit by hand, which is told no time.
    pub at_ms: Option<i64>,
    /// In words: one line of at most [`MAX_REASON_SIZE_BYTES`].
    pub text: String,
}

/// What stands for a time that is not known.
const NO_TIME: &str = "-";

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at_ms {
            Some(at_ms) => write!(f, "{at_ms} {}", self.text),
            None => write!(f, "{NO_TIME} {}", self.text),
        }
    }
}

impl FromStr for Reason {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let (at, text) = line.split_once(' ').ok_or("a line without words")?;
        let at_ms = match at {
            NO_TIME => None,
            at => Some(at.parse().map_err(|error| format!("its time: {error}"))?),
        };
        Ok(Self {
            at_ms,
            text: text.to_owned(),
        })
    }
}

/// A reason as a record keeps it: one line within its bound, cut at a character.
pub(super) fn bounded(text: &str) -> Cow<'_, str> {
    let text = &text[..text.floor_char_boundary(MAX_REASON_SIZE_BYTES)];
    match text.contains('\n') {
        true => Cow::Owned(text.replace('\n', " ")),
        false => Cow::Borrowed(text),
    }
}

/// Notes a reason before the others, of which the oldest make room.
pub(super) fn note(reasons: &mut Vec<Reason>, at_ms: Option<i64>, text: &str) {
    let text = bounded(text).into_owned();
    reasons.insert(0, Reason { at_ms, text });
    reasons.truncate(MAX_REASONS);
    let mut size_bytes = 0;
    let fits = |reason: &&Reason| {
        // Each but the first follows a line's end.
        size_bytes += reason.to_string().len() + usize::from(size_bytes > 0);
        size_bytes <= MAX_HISTORY_SIZE_BYTES
    };
    let kept = reasons.iter().take_while(fits).count();
    reasons.truncate(kept);
}
