//! The time, as the machine has it. The program judges others by it and has no use for another.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// UTC milliseconds.
#[expect(
    clippy::disallowed_methods,
    reason = "the only clock of this program, which shares none with what it judges"
)]
#[must_use]
pub fn now_ms() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
    since_epoch.map_or(0, |passed| passed.as_millis() as i64)
}

/// Whole milliseconds.
#[must_use]
pub const fn ms(duration: Duration) -> i64 {
    duration.as_millis() as i64
}
