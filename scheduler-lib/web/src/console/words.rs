//! Times, numbers and addresses as pages show them.

use std::{borrow::Cow, time::Duration};

use maud::{Markup, html};
use scheduler_lib::duration;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// A moment: how far away, with the time itself for whoever points at it. The script keeps it true.
pub(super) fn moment(at_ms: i64, now_ms: i64) -> Markup {
    let utc = utc(at_ms);
    html! { time datetime=(utc) title=(utc) data-ms=(at_ms) { (away(at_ms - now_ms)) } }
}

/// `in 5m`, `3s ago`.
fn away(ms: i64) -> String {
    let text = short(Duration::from_millis(ms.unsigned_abs()));
    match ms {
        0 => "now".to_owned(),
        ..0 => format!("{text} ago"),
        _ => format!("in {text}"),
    }
}

/// A duration with two units at most.
pub(super) fn short(length: Duration) -> String {
    let length = match length.as_secs() {
        0 => length,
        _ => Duration::from_secs(length.as_secs()),
    };
    let text = duration::text(length);
    text.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

/// A time in milliseconds; none if it is negative.
pub(super) fn of_ms(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}

/// The time of day of a moment: `12:40`, in UTC; with the day if it is another than now's.
pub(super) fn time_of_day(at_ms: i64, now_ms: i64) -> String {
    const DAY_MS: i64 = 24 * 3_600_000;
    let utc = utc(at_ms);
    let (day, rest) = utc.split_once('T').unwrap_or((&utc, ""));
    let minutes = rest.get(..5).unwrap_or_default();
    if at_ms.div_euclid(DAY_MS) == now_ms.div_euclid(DAY_MS) {
        minutes.to_owned()
    } else {
        format!("{day} {minutes}")
    }
}

/// A moment as RFC 3339 has it, to the second.
pub(super) fn utc(at_ms: i64) -> String {
    let at = OffsetDateTime::from_unix_timestamp(at_ms.div_euclid(1000)).ok();
    let text = at.and_then(|at| at.format(&Rfc3339).ok());
    text.unwrap_or_else(|| at_ms.to_string())
}

/// The time of day, UTC: to the second where slots are that short, and the day where they are so long.
pub(super) fn clock(at_ms: i64, slot_ms: i64) -> String {
    let Ok(at) = OffsetDateTime::from_unix_timestamp(at_ms.div_euclid(1000)) else {
        return at_ms.to_string();
    };
    let (hour, minute) = (at.hour(), at.minute());
    match slot_ms {
        ..60_000 => format!("{hour:02}:{minute:02}:{:02}", at.second()),
        60_000..3_600_000 => format!("{hour:02}:{minute:02}"),
        _ => format!("{:02}-{:02} {hour:02}h", u8::from(at.month()), at.day()),
    }
}

/// Text of others, in which what turns the direction of writing is written out: it would change what stands beside it.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    let turns = |found: char| matches!(found, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if !text.contains(turns) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len() + 8);
    for found in text.chars() {
        match turns(found) {
            true => plain.push_str(&format!("\\u{:04x}", u32::from(found))),
            false => plain.push(found),
        }
    }
    Cow::Owned(plain)
}

/// A number with its thousands apart: `1 234 567`, the gaps narrow and unbreakable.
pub(super) fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 2);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// A part of a path or of a query, with everything else than letters, digits and `-_.~` encoded.
pub(super) fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_thousands_apart() {
        let plain = |n| number(n).replace('\u{202f}', " ");
        assert_eq!(plain(7), "7");
        assert_eq!(plain(1_234), "1 234");
        assert_eq!(plain(123_456), "123 456");
        assert_eq!(plain(1_234_567), "1 234 567");
    }

    #[test]
    fn moments_are_told_by_how_far_they_are() {
        assert_eq!(away(0), "now");
        assert_eq!(away(90_500), "in 1m 30s");
        assert_eq!(away(-400), "400ms ago");
        assert_eq!(away(-90_000_000), "1d 1h ago");
        assert_eq!(utc(1_800_000_000_123), "2027-01-15T08:00:00Z");
        assert_eq!(time_of_day(1_800_000_000_123, 1_800_000_000_000), "08:00");
        assert_eq!(time_of_day(1_800_000_000_123, 0), "2027-01-15 08:00");
    }

    #[test]
    fn what_turns_the_writing_is_written_out() {
        assert_eq!(plain("Zoë"), "Zoë");
        assert_eq!(plain("a\u{202e}b\u{2066}"), "a\\u202eb\\u2066");
    }

    #[test]
    fn what_means_something_in_an_address_is_encoded() {
        assert_eq!(encoded("a/b?c=ü&<"), "a%2Fb%3Fc%3D%C3%BC%26%3C");
    }
}
