//! What a check tells Nagios.

use std::{fmt, str::FromStr};

use super::Range;

/// The states of a service, by the exit code that tells each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be.
    Ok = 0,
    /// Outside of the range for warnings.
    Warning = 1,
    /// Outside of the range for what is critical.
    Critical = 2,
    /// Not to be told.
    Unknown = 3,
}

/// What it means that there is no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Silent {
    /// Nothing happened that could be counted.
    Ok,
    /// Who should tell it is gone.
    Critical,
    /// It cannot be told.
    Unknown,
}

impl Verdict {
    /// What the program ends with.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        self as u8
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ok => "OK",
            Self::Warning => "WARNING",
            Self::Critical => "CRITICAL",
            Self::Unknown => "UNKNOWN",
        })
    }
}

impl Silent {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Critical => "critical",
            Self::Unknown => "unknown",
        }
    }
}

impl FromStr for Silent {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = [Self::Ok, Self::Critical, Self::Unknown];
        let found = all.into_iter().find(|silent| silent.as_str() == text);
        found.ok_or_else(|| format!("{text:?} is not ok, critical or unknown"))
    }
}

/// The state for a value, and the line that tells it, with its figures for graphs.
#[must_use]
pub fn verdict(
    name: &str,
    value: Option<f64>,
    warning: Range,
    critical: Range,
    silent: Silent,
) -> (Verdict, String) {
    // Nothing over nothing is no number.
    let Some(value) = value.filter(|value| !value.is_nan()) else {
        let verdict = match silent {
            Silent::Ok => Verdict::Ok,
            Silent::Critical => Verdict::Critical,
            Silent::Unknown => Verdict::Unknown,
        };
        return (verdict, format!("{verdict}: {name} has no value"));
    };
    let (verdict, range) = if critical.alerts(value) {
        (Verdict::Critical, Some(critical))
    } else if warning.alerts(value) {
        (Verdict::Warning, Some(warning))
    } else {
        (Verdict::Ok, None)
    };
    let beyond = range.map_or_else(String::new, |range| format!(", which is not in {range}"));
    // A label in quotes; the line ends at a bar, and what follows are figures.
    let label = name.replace(['\'', '=', '|'], "_");
    let figures = match value.is_finite() {
        true => format!("|'{label}'={value};{warning};{critical}"),
        false => String::new(),
    };
    (
        verdict,
        format!("{verdict}: {label} is {value}{beyond}{figures}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: Option<f64>, silent: Silent) -> (Verdict, String) {
        verdict(
            "errors",
            value,
            Range::at_most(1.0),
            Range::at_most(5.0),
            silent,
        )
    }

    #[test]
    fn a_value_is_held_against_both_ranges() {
        let (ok, line) = of(Some(0.5), Silent::Ok);
        assert_eq!(
            (ok.exit_code(), &*line),
            (0, "OK: errors is 0.5|'errors'=0.5;~:1;~:5")
        );
        let (warning, line) = of(Some(2.0), Silent::Ok);
        assert_eq!(warning.exit_code(), 1);
        assert_eq!(
            line,
            "WARNING: errors is 2, which is not in ~:1|'errors'=2;~:1;~:5"
        );
        assert_eq!(of(Some(6.0), Silent::Ok).0.exit_code(), 2);
        assert_eq!(of(Some(f64::INFINITY), Silent::Ok).0, Verdict::Critical);
    }

    #[test]
    fn silence_means_what_it_is_said_to_mean() {
        for (text, code) in [("ok", 0), ("critical", 2), ("unknown", 3)] {
            let silent = text.parse().unwrap();
            assert_eq!(of(None, silent).0.exit_code(), code);
            assert_eq!(of(Some(f64::NAN), silent).0.exit_code(), code);
        }
    }
}
