//! Which traces are chosen when they begin.

use super::TraceId;

/// How many of all traces are kept, whatever becomes of them; decided by the trace's id alone, as
/// OpenTelemetry's consistent probability sampling does. So all processes with one ratio choose
/// the same ones, and of two ratios the higher chooses all that the lower does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceRatio {
    /// Ids whose low 56 bits are below it are not chosen.
    threshold: u64,
}

/// As many ids as the low 56 bits tell apart.
const ALL: u64 = 1 << 56;

/// A number that is no ratio.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("a ratio of traces is a number from 0 (none) to 1 (all), not {found}")]
pub struct RatioError {
    /// What was given.
    pub found: f64,
}

impl TraceRatio {
    /// None of them.
    pub const NONE: Self = Self { threshold: ALL };

    /// A ratio from 0, none, to 1, all.
    ///
    /// # Errors
    ///
    /// [`RatioError`] for any other number.
    pub fn new(ratio: f64) -> Result<Self, RatioError> {
        if !(0.0..=1.0).contains(&ratio) {
            return Err(RatioError { found: ratio });
        }
        let threshold = ((1.0 - ratio) * ALL as f64).round() as u64;
        Ok(Self { threshold })
    }

    /// Whether the trace with this id is chosen.
    #[must_use]
    pub fn keeps(self, trace_id: TraceId) -> bool {
        trace_id.randomness() >= self.threshold
    }
}
