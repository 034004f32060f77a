//! When a window ends, as servers write it.

use serde::{Deserialize, Serialize};

use super::{
    super::caps,
    instant::instant_ms,
    value::{Fault, ms, number},
};

/// What a channel's reset means. Declare it where the channel's documentation tells; by itself it
/// is told apart by its value, which is right for all but milliseconds left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ResetForm {
    /// Whatever the value looks like: an instant, a duration such as `6m0s`, or a number. A number
    /// below [`caps::MIN_UNIX_S`] counts the seconds left; a larger one is an instant, in
    /// seconds, milliseconds, microseconds or nanoseconds, whichever comes nearest to our time.
    #[default]
    Auto,
    /// Unix seconds, decimals allowed.
    UnixS,
    /// Unix milliseconds.
    UnixMs,
    /// Seconds left, decimals allowed.
    SecondsLeft,
    /// Milliseconds left.
    MillisLeft,
    /// An ISO 8601 instant or an HTTP date.
    Instant,
    /// A duration such as `1h30m`, `6m0s` or `250ms`.
    Duration,
}

/// When a window ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reset {
    /// At an instant by the channel's clock, UTC milliseconds.
    At(i64),
    /// So many milliseconds after the response was made.
    After(i64),
}

impl Reset {
    /// The instant, UTC milliseconds by the clock that reads `now_ms` as the response is made: not
    /// before, and at most [`caps::MAX_RESET_AHEAD_MS`] later.
    #[must_use]
    pub fn at_ms(self, now_ms: i64) -> i64 {
        let at_ms = match self {
            Self::At(at_ms) => at_ms,
            Self::After(after_ms) => now_ms.saturating_add(after_ms),
        };
        at_ms.clamp(now_ms, now_ms.saturating_add(caps::MAX_RESET_AHEAD_MS))
    }

    /// Whether it is ahead, and no further than [`caps::MAX_RESET_AHEAD_MS`], by the clock that
    /// reads `now_ms` as the response is made; without one, before [`caps::LATEST_RESET_MS`].
    pub(super) fn is_sane(self, now_ms: Option<i64>) -> bool {
        let ahead_ms = match (self, now_ms) {
            (Self::After(after_ms), _) => after_ms,
            (Self::At(at_ms), Some(now_ms)) => at_ms.saturating_sub(now_ms),
            (Self::At(at_ms), None) => return at_ms < caps::LATEST_RESET_MS,
        };
        (1..=caps::MAX_RESET_AHEAD_MS).contains(&ahead_ms)
    }
}

impl ResetForm {
    /// Reads a reset of this form.
    pub(super) fn read(self, text: &str) -> Result<Reset, Fault> {
        let at = |at_ms: Option<i64>| at_ms.map(Reset::At).ok_or("is no instant");
        match self {
            Self::Auto => told_apart(text),
            Self::UnixS => Ok(Reset::At(ms(number(text)?))),
            Self::UnixMs => Ok(Reset::At(number(text)?.round() as i64)),
            Self::SecondsLeft => Ok(Reset::After(ms(number(text)?))),
            Self::MillisLeft => Ok(Reset::After(number(text)?.round() as i64)),
            Self::Instant => at(instant_ms(text)),
            Self::Duration => duration_ms(text).map(Reset::After).ok_or("is no duration"),
        }
    }
}

fn told_apart(text: &str) -> Result<Reset, Fault> {
    if let Ok(number) = number(text) {
        return Ok(by_size(number));
    }
    let instant = instant_ms(text).map(Reset::At);
    instant
        .or_else(|| duration_ms(text).map(Reset::After))
        .ok_or("is neither a number nor an instant nor a duration")
}

/// A factor of a thousand lies between two units: within it, the instants from 1973 to 5138.
fn by_size(number: f64) -> Reset {
    match number {
        seconds if seconds < caps::MIN_UNIX_S => Reset::After(ms(seconds)),
        seconds if seconds < 1e11 => Reset::At(ms(seconds)),
        millis if millis < 1e14 => Reset::At(millis.round() as i64),
        micros if micros < 1e17 => Reset::At((micros / 1e3).round() as i64),
        nanos => Reset::At((nanos / 1e6).round() as i64),
    }
}

/// Numbers with their units, largest unit first or not: `1h30m`, `6m0s`, `1.5s`, `250ms`.
fn duration_ms(text: &str) -> Option<i64> {
    let mut rest = text.trim();
    let mut total_ms = 0.0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(digits);
        let letters = tail
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        total_ms += number.parse::<f64>().ok()? * unit_ms(unit)?;
        rest = tail.trim_start();
    }
    Some(total_ms.round() as i64)
}

fn unit_ms(unit: &str) -> Option<f64> {
    match unit {
        "ms" => Some(1.0),
        "s" | "sec" => Some(1e3),
        "m" | "min" => Some(60e3),
        "h" => Some(3600e3),
        "d" => Some(86_400e3),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_reset_is_told_apart_by_its_value() {
        let at = |ms| Ok(Reset::At(ms));
        let after = |ms| Ok(Reset::After(ms));
        for (text, expected) in [
            ("0", after(0)),
            ("585", after(585_000)),
            ("0.65", after(650)),
            ("-5", after(-5_000)),
            ("1613174304", at(1_613_174_304_000)),
            ("1613174304.5", at(1_613_174_304_500)),
            ("1613174304123", at(1_613_174_304_123)),
            ("1613174304123456", at(1_613_174_304_123)),
            ("1613174304123456789", at(1_613_174_304_123)),
            ("2021-02-12T23:58:24Z", at(1_613_174_304_000)),
            ("Fri, 12 Feb 2021 23:58:24 GMT", at(1_613_174_304_000)),
            ("6m0s", after(360_000)),
            ("1h 30m", after(5_400_000)),
            ("250ms", after(250)),
        ] {
            assert_eq!(ResetForm::Auto.read(text), expected, "{text}");
        }
        for bad in ["", "soon", "s", "5x", "5m3", "12..5s", "NaN"] {
            assert!(ResetForm::Auto.read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_declared_form_is_not_guessed() {
        assert_eq!(ResetForm::MillisLeft.read("1500"), Ok(Reset::After(1_500)));
        assert_eq!(ResetForm::UnixMs.read("7"), Ok(Reset::At(7)));
        assert!(ResetForm::Instant.read("1613174304").is_err());
        assert!(ResetForm::SecondsLeft.read("2021-02-12T23:58:24Z").is_err());
    }

    #[test]
    fn an_absurd_reset_is_neither_past_nor_beyond_the_bound() {
        let now_ms = 1_613_174_304_000;
        let latest = now_ms + caps::MAX_RESET_AHEAD_MS;
        for (text, expected) in [
            ("-99999", now_ms),
            ("1500000000", now_ms),
            ("999999999", latest),
            ("99999999999", latest),
            ("9999999999999999999999999", latest),
        ] {
            assert_eq!(
                ResetForm::Auto.read(text).unwrap().at_ms(now_ms),
                expected,
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn what_is_formatted_is_read_back(
            left_s in 0..caps::MAX_RESET_AHEAD_MS / 1000, at_s in 1_000_000_000..4_102_444_800i64,
        ) {
            let read = |form: ResetForm, text: String| form.read(&text).unwrap();
            for form in [ResetForm::Auto, ResetForm::SecondsLeft] {
                prop_assert_eq!(read(form, left_s.to_string()), Reset::After(left_s * 1000));
                prop_assert_eq!(read(form, format!("{left_s}.25")), Reset::After(left_s * 1000 + 250));
            }
            for form in [ResetForm::Auto, ResetForm::UnixS] {
                prop_assert_eq!(read(form, at_s.to_string()), Reset::At(at_s * 1000));
            }
            for form in [ResetForm::Auto, ResetForm::UnixMs] {
                prop_assert_eq!(read(form, (at_s * 1000 + 7).to_string()), Reset::At(at_s * 1000 + 7));
            }
            let (hours, minutes, seconds) = (left_s / 3600, left_s / 60 % 60, left_s % 60);
            for form in [ResetForm::Auto, ResetForm::Duration] {
                let text = format!("{hours}h{minutes}m{seconds}s");
                prop_assert_eq!(read(form, text), Reset::After(left_s * 1000));
            }
            prop_assert_eq!(read(ResetForm::MillisLeft, left_s.to_string()), Reset::After(left_s));
        }

        #[test]
        fn arbitrary_text_never_panics_and_stays_in_its_bounds(text: String, now_ms in 0..4_102_444_800_000i64) {
            if let Ok(reset) = ResetForm::Auto.read(&text) {
                let ahead_ms = reset.at_ms(now_ms) - now_ms;
                prop_assert!((0..=caps::MAX_RESET_AHEAD_MS).contains(&ahead_ms));
            }
        }
    }
}
