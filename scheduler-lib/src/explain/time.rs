//! Times as a person reads them.

use std::time::{Duration, SystemTime};

use crate::duration;

const DAY_MS: i64 = 24 * 3_600_000;

/// The last second of the year 9999.
const LATEST_MS: i64 = 253_402_300_799_000;

/// `12:05:00`, or with its date if that is another day's.
pub(super) fn clock(at_ms: i64, now_ms: i64) -> String {
    let (date, time) = date_and_time(at_ms);
    match at_ms.div_euclid(DAY_MS) == now_ms.div_euclid(DAY_MS) {
        true => time,
        false => format!("{date} {time}"),
    }
}

/// `2026-11-22 12:05:00 UTC`
pub(super) fn full(at_ms: i64) -> String {
    let (date, time) = date_and_time(at_ms);
    format!("{date} {time} UTC")
}

/// `12:05:00 (in 4m 10s)`
pub(super) fn both(at_ms: i64, now_ms: i64) -> String {
    format!("{} ({})", clock(at_ms, now_ms), relative(at_ms, now_ms))
}

/// A length of time, in its two largest units.
pub(super) fn length(ms: i64) -> String {
    let seconds = (ms.max(0) / 1000).unsigned_abs();
    let text = duration::text(Duration::from_secs(seconds));
    let units: Vec<_> = text.split(' ').take(2).collect();
    units.join(" ")
}

fn relative(at_ms: i64, now_ms: i64) -> String {
    let ahead_ms = at_ms.saturating_sub(now_ms);
    match ahead_ms {
        -999..1_000 => "now".to_owned(),
        1_000.. => format!("in {}", length(ahead_ms)),
        _ => format!("{} ago", length(ahead_ms.saturating_neg())),
    }
}

fn date_and_time(at_ms: i64) -> (String, String) {
    let since = Duration::from_millis(at_ms.clamp(0, LATEST_MS).unsigned_abs());
    let at = humantime::format_rfc3339_seconds(SystemTime::UNIX_EPOCH + since).to_string();
    let (date, time) = at.split_once('T').unwrap_or((&at, ""));
    (date.to_owned(), time.trim_end_matches('Z').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON_MS: i64 = 1_800_014_400_000;

    #[test]
    fn times_are_told_by_the_clock_and_from_now() {
        for (after_ms, told) in [
            (0, "12:00:00 (now)"),
            (250_400, "12:04:10 (in 4m 10s)"),
            (-3_000, "11:59:57 (3s ago)"),
            (90_061_000, "2027-01-16 13:01:01 (in 1d 1h)"),
        ] {
            assert_eq!(both(NOON_MS + after_ms, NOON_MS), told);
        }
        assert_eq!(full(NOON_MS), "2027-01-15 12:00:00 UTC");
    }

    #[test]
    fn no_time_is_too_far_to_be_told() {
        for at_ms in [i64::MIN, -1, i64::MAX] {
            assert!(!both(at_ms, 0).is_empty());
            assert!(!both(0, at_ms).is_empty());
        }
    }
}
