//! Thresholds: texts by key, read with care.

use std::{collections::BTreeMap, time::Duration};

use super::kind::{Kind, Unit, When};
use crate::{alerts::series::le, config::MAX_VALUE_LEN, objectives};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = MINUTE.saturating_mul(24 * 60);

/// From where on an alert fires.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Thresholds {
    pub(super) warning: Option<f64>,
    pub(super) critical: Option<f64>,
    /// How long it must hold.
    pub(super) hold: Duration,
    /// Over which counters are watched.
    pub(super) window: Duration,
    /// With which time it is compared.
    pub(super) before: Duration,
    /// Where less was counted, nothing is told.
    pub(super) least: f64,
    /// A bound of a histogram.
    pub(super) within: f64,
}

/// A threshold that was not taken up: its default stands.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refused {
    /// Of which alert and threshold.
    pub key: String,
    /// What was wanted.
    pub text: String,
    /// Why it cannot be.
    pub reason: String,
}

/// By name: `warning` and the like.
pub(super) type Texts = BTreeMap<&'static str, String>;

impl Thresholds {
    /// Of texts of which each is right.
    pub(super) fn of(kind: &Kind, texts: &Texts) -> Result<Self, String> {
        let mut thresholds = Self {
            warning: None,
            critical: None,
            hold: Duration::ZERO,
            window: MINUTE,
            before: DAY,
            least: 0.0,
            within: 0.0,
        };
        for (name, text) in texts {
            thresholds
                .set(kind, name, text)
                .map_err(|reason| format!("{name}: {reason}"))?;
        }
        thresholds.check(kind)?;
        Ok(thresholds)
    }

    /// Reads one of them.
    pub(super) fn set(&mut self, kind: &Kind, name: &str, text: &str) -> Result<(), String> {
        if text.len() > MAX_VALUE_LEN {
            return Err(format!("it has more than {MAX_VALUE_LEN} bytes"));
        }
        let text = text.trim();
        match name {
            "warning" => self.warning = level(kind.unit, text)?,
            "critical" => self.critical = level(kind.unit, text)?,
            "for" => self.hold = duration(text, Duration::ZERO, DAY)?,
            "window" => self.window = duration(text, MINUTE, DAY)?,
            "before" => self.before = duration(text, MINUTE, DAY * 35)?,
            "least" => self.least = number(text)?,
            "within" => self.within = bound(kind.bounds, text)?,
            _ => return Err("this alert has no such threshold".to_owned()),
        }
        Ok(())
    }

    /// What holds between them.
    pub(super) fn check(&self, kind: &Kind) -> Result<(), String> {
        if let (Some(warning), Some(critical)) = (self.warning, self.critical) {
            let (beyond, word) = match kind.when {
                When::Above => (critical >= warning, "less"),
                When::Below => (critical <= warning, "more"),
            };
            if !beyond {
                return Err(format!("critical is {word} than warning"));
            }
        }
        Ok(())
    }
}

fn level(unit: Unit, text: &str) -> Result<Option<f64>, String> {
    if text == "off" {
        return Ok(None);
    }
    let value = match unit {
        Unit::Share => share(text),
        Unit::Count => number(text),
        Unit::Seconds => seconds(text),
    };
    value.map(Some).map_err(|what| format!("{what}, or off"))
}

fn share(text: &str) -> Result<f64, String> {
    let (text, of) = match text.strip_suffix('%') {
        Some(text) => (text, 100.0),
        None => (text, 1.0),
    };
    let share = number(text.trim_end()).map_err(|_| "it needs a share, such as 5%".to_owned())?;
    Ok(share / of)
}

fn number(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok();
    let number = number.filter(|number| number.is_finite() && *number >= 0.0);
    number.ok_or_else(|| "it needs a number that is not negative".to_owned())
}

fn seconds(text: &str) -> Result<f64, String> {
    let duration = humantime::parse_duration(text).map(|duration| duration.as_secs_f64());
    duration.map_err(|_| "it needs a duration, such as 90s or 5m".to_owned())
}

fn duration(text: &str, least: Duration, most: Duration) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text).ok();
    // Less than a second, neither Prometheus nor Nagios could tell.
    let whole = duration.filter(|duration| duration.subsec_nanos() == 0);
    let within = whole.filter(|duration| (least..=most).contains(duration));
    within.ok_or_else(|| {
        let [least, most] = [least, most].map(objectives::Unit);
        format!("it needs a duration of {least} to {most}, in whole seconds")
    })
}

fn bound(bounds: &[f64], text: &str) -> Result<f64, String> {
    let seconds = seconds(text).ok();
    let found = bounds.iter().find(|bound| Some(**bound) == seconds);
    found.copied().ok_or_else(|| {
        let bounds: Vec<_> = bounds.iter().map(|bound| le(*bound)).collect();
        let bounds = bounds.join(", ");
        format!("it needs a duration that is a bound of the histogram, of these seconds: {bounds}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    static KIND: Kind =
        Kind::above("latency", "Slow", Unit::Share, &[], "").within(&[0.5, 1.0, 10.0]);

    fn read(name: &'static str, text: &str) -> Result<Thresholds, String> {
        Thresholds::of(&KIND, &Texts::from([(name, text.to_owned())]))
    }

    #[test]
    fn thresholds_are_shares_numbers_and_durations() {
        assert_eq!(read("warning", "2.5%").unwrap().warning, Some(0.025));
        assert_eq!(read("critical", "0.5").unwrap().critical, Some(0.5));
        assert_eq!(read("critical", "off").unwrap().critical, None);
        assert_eq!(read("for", "90s").unwrap().hold, Duration::from_secs(90));
        assert_eq!(read("within", "500ms").unwrap().within, 0.5);
        assert_eq!(level(Unit::Seconds, "5m"), Ok(Some(300.0)));
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_what_would() {
        for (name, text, reason) in [
            (
                "warning",
                "many",
                "warning: it needs a share, such as 5%, or off",
            ),
            (
                "warning",
                "NaN",
                "warning: it needs a share, such as 5%, or off",
            ),
            (
                "least",
                "-1",
                "least: it needs a number that is not negative",
            ),
            (
                "for",
                "1500ms",
                "for: it needs a duration of 0d to 1d, in whole seconds",
            ),
            (
                "window",
                "1s",
                "window: it needs a duration of 1m to 1d, in whole seconds",
            ),
            (
                "within",
                "3s",
                "within: it needs a duration that is a bound of the histogram, of these seconds: 0.5, 1.0, 10.0",
            ),
            ("colour", "red", "colour: this alert has no such threshold"),
        ] {
            assert_eq!(read(name, text).unwrap_err(), reason, "{text}");
        }
    }

    #[test]
    fn critical_is_beyond_warning() {
        let both = |warning: &str, critical: &str| {
            let texts = [("warning", warning), ("critical", critical)];
            Thresholds::of(
                &KIND,
                &texts.map(|(name, text)| (name, text.to_owned())).into(),
            )
        };
        assert!(both("5%", "5%").is_ok());
        assert_eq!(
            both("6%", "5%").unwrap_err(),
            "critical is less than warning"
        );
    }
}
