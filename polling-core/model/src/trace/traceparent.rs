//! A context as it travels, by the W3C's Trace Context.

use std::{fmt, ops::Deref, str};

use super::{
    SpanId, TraceContext, TraceId,
    id::{read_hex, write_hex},
};

const LEN: usize = 55;

/// Chosen when it began.
const SAMPLED: u8 = 0b01;

/// The low 56 bits of the trace id are random.
const RANDOM: u8 = 0b10;

/// `00-{trace id}-{span id}-{flags}`: 55 characters, without an allocation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Traceparent([u8; LEN]);

/// A text that is no `traceparent` of a version that this crate knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a traceparent: expected version, trace id, span id and flags, such as 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
)]
pub struct TraceparentError;

impl TraceContext {
    /// The text that travels.
    #[must_use]
    pub fn to_traceparent(&self) -> Traceparent {
        let mut text = *b"00-00000000000000000000000000000000-0000000000000000-00";
        write_hex(&self.trace_id().to_bytes(), &mut text[3..35]);
        write_hex(&self.span_id().to_bytes(), &mut text[36..52]);
        let sampled = if self.is_sampled() { SAMPLED } else { 0 };
        write_hex(&[sampled | RANDOM], &mut text[53..]);
        Traceparent(text)
    }

    /// Reads what somebody wrote. Of a later version that part is read which version 00 has.
    ///
    /// # Errors
    ///
    /// [`TraceparentError`] on any other text.
    pub fn from_traceparent(text: &str) -> Result<Self, TraceparentError> {
        Self::read(text.as_bytes()).ok_or(TraceparentError)
    }

    fn read(text: &[u8]) -> Option<Self> {
        let (known, rest) = text.split_at_checked(LEN)?;
        let dashes = known[2] == b'-' && known[35] == b'-' && known[52] == b'-';
        let [version] = read_hex(&known[..2])?;
        // Version 00 ends here; of a later one more may follow.
        let ends = match version {
            0 => rest.is_empty(),
            0xff => false,
            _ => rest.is_empty() || rest[0] == b'-',
        };
        if !(dashes && ends) {
            return None;
        }
        let trace_id = TraceId::new(read_hex(&known[3..35])?)?;
        let span_id = SpanId::new(read_hex(&known[36..52])?)?;
        let [flags] = read_hex(&known[53..])?;
        Some(Self::new(trace_id, span_id, flags & SAMPLED != 0))
    }
}

impl Traceparent {
    /// The length of each, in bytes.
    pub const LEN: usize = LEN;

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).expect("digits and dashes are ASCII")
    }
}

impl Deref for Traceparent {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for Traceparent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl fmt::Debug for Traceparent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}
