//! From a token to the trace of its cycle.

use sha2::{Digest, Sha256};

use super::{SpanId, TraceId};
use crate::{JobId, Token};

/// Says what is hashed, so that no other hash of a token is ever the same.
const DOMAIN: &[u8] = b"polling/trace/1\0";

/// Which trace, which span of it is the parent of what follows, and whether it was chosen to be
/// kept when it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceContext {
    trace_id: TraceId,
    span_id: SpanId,
    sampled: bool,
}

impl TraceContext {
    /// The trace of one cycle and its root, not chosen yet.
    ///
    /// A token lets anybody complete the job, while trace ids go to logs, to consumers of events
    /// and to tracing services. So the way from one to the other leads through SHA-256: no number
    /// of trace ids tells a token.
    #[must_use]
    pub fn of(id: &JobId, token: &Token) -> Self {
        let mut hash = Sha256::new();
        hash.update(DOMAIN);
        hash.update(token.incarnation.0.to_be_bytes());
        hash.update(token.generation.to_be_bytes());
        hash.update(token.nonce.0.to_be_bytes());
        hash.update(id.as_str());
        let digest: [u8; 32] = hash.finalize().into();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        // All zero once in 2¹²⁸: then any other will do.
        let trace_id = TraceId::new(bytes).unwrap_or_else(|| {
            bytes[15] = 1;
            TraceId::new(bytes).expect("one byte is not zero")
        });
        Self::root_of(trace_id)
    }

    /// The root of the trace with this id, not chosen.
    #[must_use]
    pub fn root_of(trace_id: TraceId) -> Self {
        Self::new(trace_id, trace_id.root(), false)
    }

    /// Any context, as a tracing library has it.
    #[must_use]
    pub const fn new(trace_id: TraceId, span_id: SpanId, sampled: bool) -> Self {
        Self {
            trace_id,
            span_id,
            sampled,
        }
    }

    /// The trace.
    #[must_use]
    pub const fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    /// The parent of what follows.
    #[must_use]
    pub const fn span_id(&self) -> SpanId {
        self.span_id
    }

    /// Whether it was chosen to be kept when it began.
    #[must_use]
    pub const fn is_sampled(&self) -> bool {
        self.sampled
    }

    /// The same, chosen or not.
    #[must_use]
    pub const fn with_sampled(self, sampled: bool) -> Self {
        Self { sampled, ..self }
    }
}
