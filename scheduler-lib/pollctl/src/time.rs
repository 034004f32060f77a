//! Times and figures as people read them.

use std::time::{Duration, SystemTime};

/// The last second of the year 9999.
const LATEST_MS: i64 = 253_402_300_799_000;

/// `2027-01-15 08:00:00`
pub(crate) fn at(at_ms: i64) -> String {
    let since = Duration::from_millis(at_ms.clamp(0, LATEST_MS).unsigned_abs());
    let text = humantime::format_rfc3339_seconds(SystemTime::UNIX_EPOCH + since).to_string();
    text.trim_end_matches('Z').replace('T', " ")
}

/// `in 4m 10s`, `3s ago`
pub(crate) fn relative(at_ms: i64, now_ms: i64) -> String {
    let ahead_ms = at_ms.saturating_sub(now_ms);
    match ahead_ms {
        -999..1_000 => "now".to_owned(),
        1_000.. => format!("in {}", length(ahead_ms)),
        _ => format!("{} ago", length(ahead_ms.saturating_neg())),
    }
}

/// A length of time, in its two largest units.
pub(crate) fn length(ms: i64) -> String {
    let mut rest = ms.max(0);
    if rest < 1_000 {
        return format!("{rest}ms");
    }
    let mut parts = Vec::with_capacity(2);
    for (unit, unit_ms) in [
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1_000),
    ] {
        if rest >= unit_ms && parts.len() < 2 {
            parts.push(format!("{}{unit}", rest / unit_ms));
            rest %= unit_ms;
        }
    }
    parts.join(" ")
}

/// `1,234,567`
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_from_now() {
        for (after_ms, told) in [
            (0, "now"),
            (250_400, "in 4m 10s"),
            (-3_000, "3s ago"),
            (90_061_000, "in 1d 1h"),
        ] {
            assert_eq!(
                relative(1_800_000_000_000 + after_ms, 1_800_000_000_000),
                told
            );
        }
        assert_eq!(at(1_800_000_000_000), "2027-01-15 08:00:00");
        for at_ms in [i64::MIN, i64::MAX] {
            assert!(!at(at_ms).is_empty() && !relative(at_ms, 0).is_empty());
        }
    }

    #[test]
    fn large_counts_are_grouped() {
        for (number, told) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (12_345_678, "12,345,678"),
        ] {
            assert_eq!(count(number), told);
        }
    }
}
