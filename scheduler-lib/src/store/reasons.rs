//! Why a job is where it is, and why it was where it was before.

use std::{borrow::Cow, fmt, iter, str::FromStr, sync::Arc};

use super::{MAX_HISTORY_SIZE_BYTES, MAX_REASON_SIZE_BYTES, MAX_REASONS};

/// Why a job was placed where it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// When, UTC milliseconds; `None` for an edit by hand, which is told no time.
    pub at_ms: Option<i64>,
    /// In words: one line of at most [`MAX_REASON_SIZE_BYTES`].
    pub text: Arc<str>,
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
            text: text.into(),
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

/// Why a new job is where it is. Whatever follows takes its place.
pub(super) const REGISTERED: &str = "registered";

/// The reasons with one more before them, of which the oldest make room. The same reason again
/// only moves its time.
pub(super) fn noted(reasons: &[Reason], at_ms: Option<i64>, text: &str) -> Arc<[Reason]> {
    let text = bounded(text);
    let (text, reasons) = match reasons.split_first() {
        Some((last, before)) if *last.text == *text => (Arc::clone(&last.text), before),
        Some((last, before)) if *last.text == *REGISTERED => (text.into(), before),
        _ => (text.into(), reasons),
    };
    let newest = Reason { at_ms, text };
    let mut size_bytes = 0;
    let fits = |reason: &&Reason| {
        // Each but the first follows a line's end.
        size_bytes += reason.size_bytes() + usize::from(size_bytes > 0);
        size_bytes <= MAX_HISTORY_SIZE_BYTES
    };
    let all = iter::once(&newest).chain(reasons).take(MAX_REASONS);
    let kept = all.clone().take_while(fits).count();
    all.take(kept).cloned().collect()
}

impl Reason {
    /// Of its line, in bytes.
    fn size_bytes(&self) -> usize {
        let time = self.at_ms.map_or(NO_TIME.len(), |at_ms| {
            let digits = at_ms.unsigned_abs().checked_ilog10().unwrap_or(0) as usize + 1;
            digits + usize::from(at_ms < 0)
        });
        time + 1 + self.text.len()
    }
}
