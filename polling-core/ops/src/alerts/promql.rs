//! What an alert reckons, as Prometheus is asked for it.

use std::{fmt::Write as _, time::Duration};

use super::{
    series::{Part, Pick, Series, le},
    value::Expr,
};
use crate::objectives::Unit;

impl Expr {
    /// A query whose answer is one number without labels, or nothing.
    pub(super) fn promql(&self) -> String {
        match self {
            Self::Max(series) => format!("max({})", selector(series)),
            Self::Rise {
                series,
                window,
                ago,
            } => {
                let offset = match *ago {
                    Duration::ZERO => String::new(),
                    ago => format!(" offset {}", Unit(ago)),
                };
                format!(
                    "sum(increase({}[{}]{offset}))",
                    selector(series),
                    Unit(*window)
                )
            }
            Self::OrZero(of) => format!("({} or vector(0))", of.promql()),
            Self::AtLeast(of, least) => format!("({} >= {least})", of.promql()),
            Self::Plus(of, number) => format!("({} + {number})", of.promql()),
            Self::Times(of, factor) => format!("{} * {factor}", of.promql()),
            Self::Minus(one, other) => format!("({} - {})", one.promql(), other.promql()),
            Self::Over(one, other) => format!("{} / {}", one.promql(), other.promql()),
        }
    }
}

/// Such as `polling_tick_age_seconds{channel="mastodon"}`.
pub(super) fn selector(series: &Series) -> String {
    let mut matchers: Vec<String> = series
        .picks
        .iter()
        .map(|(label, pick)| match pick {
            Pick::Is(value) => format!("{label}={}", quoted(value)),
            Pick::Not(value) => format!("{label}!={}", quoted(value)),
            Pick::AnyOf(values) => {
                let values: Vec<_> = values.iter().map(|value| literal(value)).collect();
                format!("{label}=~{}", quoted(&values.join("|")))
            }
        })
        .collect();
    if let Part::UpTo(bound) = series.part {
        matchers.push(format!("le={}", quoted(&le(bound))));
    }
    match matchers.is_empty() {
        true => series.name(),
        false => format!("{}{{{}}}", series.name(), matchers.join(",")),
    }
}

/// A string as Prometheus reads it.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for char in text.chars() {
        match char {
            '"' | '\\' => quoted.extend(['\\', char]),
            char if char.is_control() => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(char));
            }
            char => quoted.push(char),
        }
    }
    quoted.push('"');
    quoted
}

/// A regular expression, of RE2, that fits this text alone.
fn literal(text: &str) -> String {
    let mut literal = String::with_capacity(text.len());
    for char in text.chars() {
        if matches!(
            char,
            '\\' | '.' | '+' | '*' | '?' | '(' | ')' | '|' | '[' | ']' | '{' | '}' | '^' | '$'
        ) {
            literal.push('\\');
        }
        literal.push(char);
    }
    literal
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::series::Metric;

    static METRIC: Metric = Metric::new("m", &["a"]);

    #[test]
    fn names_are_strings_whatever_they_hold() {
        let series = Series::of(&METRIC).with("a", "x\"y\\z\n");
        assert_eq!(selector(&series), "m{a=\"x\\\"y\\\\z\\u000a\"}");
    }

    #[test]
    fn one_of_several_names_is_no_pattern() {
        let names = vec!["a.b/c".to_owned(), "d|e".to_owned()];
        let series = Series::of(&METRIC).with_any("a", names);
        assert_eq!(selector(&series), "m{a=~\"a\\\\.b/c|d\\\\|e\"}");
    }
}
