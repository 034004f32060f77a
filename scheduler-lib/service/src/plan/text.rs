//! Numbers and times as people read them, and colours for terminals.

use std::time::Duration;

use scheduler_lib::duration;

/// Whoever is polled less than once in two years is not polled.
const NEVER: f64 = 2.0 * 365.0 * 1440.0;

/// Minutes, to three figures or so: `42s`, `2m 13s`, `1h 5m`, `3d 4h`; `never` without end.
pub(super) fn span(minutes: f64) -> String {
    if !minutes.is_finite() || minutes > NEVER {
        return "never".to_owned();
    }
    let seconds = minutes * 60.0;
    let to = match seconds {
        ..3_600.0 => 1.0,
        ..86_400.0 => 60.0,
        _ => 3_600.0,
    };
    let rounded = ((seconds / to).round() * to) as u64;
    match rounded {
        0 if seconds > 0.0 => "< 1s".to_owned(),
        rounded => duration::text(Duration::from_secs(rounded)),
    }
}

/// With commas; with places behind the point where there are few.
pub(super) fn number(value: f64) -> String {
    if !value.is_finite() {
        return "-".to_owned();
    }
    if value < 10.0 && value.fract().abs() > 1e-6 {
        return format!("{value:.2}");
    }
    let digits = format!("{value:.0}");
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

pub(super) fn percent(share: f64) -> String {
    match share * 100.0 {
        0.0 => "-".to_owned(),
        percent if percent < 0.005 => "0 %".to_owned(),
        percent if percent < 1.0 => format!("{percent:.2} %"),
        percent => format!("{percent:.0} %"),
    }
}

/// A factor: `x1.67`.
pub(super) fn times(factor: f64) -> String {
    match factor {
        ..0.01 => format!("x{factor:.4}"),
        ..10.0 => format!("x{factor:.2}"),
        _ => format!("x{}", number(factor)),
    }
}

/// Colours on a terminal, and plain text elsewhere.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paint {
    on: bool,
}

impl Paint {
    pub(super) const fn new(on: bool) -> Self {
        Self { on }
    }

    pub(super) fn heading(self, text: &str) -> String {
        self.with("1", text)
    }

    pub(super) fn alarm(self, text: &str) -> String {
        self.with("1;31", text)
    }

    pub(super) fn warning(self, text: &str) -> String {
        self.with("33", text)
    }

    pub(super) fn quiet(self, text: &str) -> String {
        self.with("2", text)
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.on {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_as_exactly_as_anybody_reads_them() {
        for (minutes, text) in [
            (0.0, "0s"),
            (0.001, "< 1s"),
            (0.7, "42s"),
            (2.217, "2m 13s"),
            (65.4, "1h 5m"),
            (4_560.3, "3d 4h"),
            (f64::INFINITY, "never"),
        ] {
            assert_eq!(span(minutes), text);
        }
    }

    #[test]
    fn numbers_have_commas_and_small_ones_places() {
        for (value, text) in [
            (0.0, "0"),
            (0.256, "0.26"),
            (9.0, "9"),
            (999.6, "1,000"),
            (1_234_567.0, "1,234,567"),
            (f64::INFINITY, "-"),
        ] {
            assert_eq!(number(value), text);
        }
        assert_eq!(times(5.0 / 3.0), "x1.67");
        assert_eq!(percent(0.0), "-");
        assert_eq!(percent(0.005), "0.50 %");
    }

    #[test]
    fn colours_are_for_terminals() {
        assert_eq!(Paint::new(false).alarm("no"), "no");
        assert_eq!(Paint::new(true).alarm("no"), "\x1b[1;31mno\x1b[0m");
    }
}
