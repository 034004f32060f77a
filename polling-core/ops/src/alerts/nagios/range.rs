//! Thresholds as Nagios writes them.

use std::{fmt, str::FromStr};

/// A range of values that are as they should be, as the guidelines for Nagios plugins have it: `10` is 0 to 10, `10:` is
/// 10 and more, `~:10` is 10 and less, `5:10` is 5 to 10, and `@5:10` is all but these.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    from: f64,
    to: f64,
    /// Whether it is what is within that is wrong.
    inside: bool,
}

/// A text that is no range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no range: write 10, 10:, ~:10, 5:10 or @5:10")]
pub struct RangeError(String);

impl Range {
    /// Up to a value, below 0 too.
    #[must_use]
    pub const fn at_most(to: f64) -> Self {
        Self {
            from: f64::NEG_INFINITY,
            to,
            inside: false,
        }
    }

    /// From a value on.
    #[must_use]
    pub const fn at_least(from: f64) -> Self {
        Self {
            from,
            to: f64::INFINITY,
            inside: false,
        }
    }

    /// Whether it is to be told that a value is wrong.
    #[must_use]
    pub fn alerts(&self, value: f64) -> bool {
        (value >= self.from && value <= self.to) == self.inside
    }
}

impl FromStr for Range {
    type Err = RangeError;

    fn from_str(text: &str) -> Result<Self, RangeError> {
        let wrong = || RangeError(text.to_owned());
        let (inside, range) = match text.strip_prefix('@') {
            Some(range) => (true, range),
            None => (false, text),
        };
        let number = |text: &str| {
            let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
            number.ok_or_else(wrong)
        };
        let (from, to) = match range.split_once(':') {
            None => (0.0, number(range)?),
            Some(("~", "")) => (f64::NEG_INFINITY, f64::INFINITY),
            Some(("~", to)) => (f64::NEG_INFINITY, number(to)?),
            Some((from, "")) => (number(from)?, f64::INFINITY),
            Some((from, to)) => (number(from)?, number(to)?),
        };
        match from <= to {
            true => Ok(Self { from, to, inside }),
            false => Err(wrong()),
        }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.inside {
            f.write_str("@")?;
        }
        match self.from {
            f64::NEG_INFINITY => f.write_str("~")?,
            from => write!(f, "{from}")?,
        }
        f.write_str(":")?;
        match self.to {
            f64::INFINITY => Ok(()),
            to => write!(f, "{to}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_what_the_guidelines_say() {
        for (text, fine, wrong) in [
            ("10", 10.0, -1.0),
            ("10:", 11.0, 9.0),
            ("~:10", -5.0, 10.5),
            ("5:10", 5.0, 4.0),
            ("@5:10", 11.0, 7.0),
        ] {
            let range: Range = text.parse().unwrap();
            assert!(!range.alerts(fine), "{text}");
            assert!(range.alerts(wrong), "{text}");
            assert_eq!(range.to_string().parse(), Ok(range), "{text}");
        }
        assert!("10".parse::<Range>().unwrap().alerts(f64::INFINITY));
    }

    #[test]
    fn what_is_no_range_is_told() {
        for text in ["", "a", "10:5", "1:2:3", "NaN", "~", ":"] {
            assert!(text.parse::<Range>().is_err(), "{text}");
        }
    }
}
