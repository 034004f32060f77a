//! Series that give a value.

use std::{collections::BTreeSet, time::Duration};

use crate::alerts::{
    alert::Alert,
    promql::selector,
    series::{Part, Pick, Series},
    value::Value,
};

/// Between two looks at the rules, minutes.
pub(super) const STEP_MIN: u64 = 15;

/// Events a minute, where more than shares of them counts for nothing.
const PER_MIN: f64 = 1_000.0;

/// Series with a value each minute, and the minute at which an alert on them would have fired.
pub(super) struct Inputs {
    pub(super) series: Vec<(String, String)>,
    pub(super) until_min: u64,
}

impl Inputs {
    pub(super) fn names(&self) -> BTreeSet<String> {
        self.series.iter().map(|(name, _)| name.clone()).collect()
    }
}

impl Alert {
    /// Series on which its value is `target`, for long enough.
    pub(super) fn inputs(&self, target: f64) -> Option<Inputs> {
        let thresholds = &self.thresholds;
        let watched_min = steps(thresholds.window) + steps(thresholds.hold) + 2 * STEP_MIN;
        let window_min = thresholds.window.as_secs_f64() / 60.0;
        let mut until_min = watched_min;
        // Enough for the floor below which nothing is told.
        let per_min = PER_MIN.max(2.0 * thresholds.least / window_min);
        let grows =
            |series: &Series, per_min: f64| (named(series), growth(&[(per_min, watched_min)]));
        let stays = |series: &Series, value: f64| (named(series), level(value, watched_min));
        let series = match &self.value {
            Value::Largest(series) => vec![stays(series, target)],
            Value::Lack { wanted, there } => {
                vec![stays(wanted, 100.0 + target), stays(there, 100.0)]
            }
            Value::Rise(series) => vec![grows(series, target / window_min)],
            Value::Share { part, whole } if part.name() == whole.name() => vec![
                grows(part, per_min * target),
                (
                    healthy(part),
                    growth(&[(per_min * (1.0 - target), watched_min)]),
                ),
            ],
            Value::Share { part, whole } => {
                vec![grows(part, per_min * target), grows(whole, per_min)]
            }
            Value::Beyond(histogram) => vec![
                grows(&histogram.part(Part::Count), per_min),
                grows(
                    &histogram.part(Part::UpTo(thresholds.within)),
                    per_min * (1.0 - target),
                ),
            ],
            Value::UntilEmpty { waiting, done } => {
                vec![stays(waiting, target), grows(done, 60.0)]
            }
            Value::Activity(series) => {
                let before_min = minutes(thresholds.before);
                if before_min < watched_min {
                    return None;
                }
                until_min += before_min.next_multiple_of(STEP_MIN);
                let phases = [
                    (per_min, watched_min),
                    (per_min * target, until_min - watched_min),
                ];
                vec![(named(series), growth(&phases))]
            }
            Value::Burn { .. } => return None,
        };
        Some(Inputs { series, until_min })
    }
}

fn minutes(duration: Duration) -> u64 {
    duration.as_secs().div_ceil(60)
}

fn steps(duration: Duration) -> u64 {
    minutes(duration).next_multiple_of(STEP_MIN)
}

/// One series of those that are meant.
fn named(series: &Series) -> String {
    with_labels(series, |value| format!("{value}x"))
}

/// One series of those that are not meant by what a label must not be.
fn healthy(series: &Series) -> String {
    with_labels(series, str::to_owned)
}

fn with_labels(series: &Series, instead_of: impl Fn(&str) -> String) -> String {
    let mut one = series.clone();
    for (_, pick) in &mut one.picks {
        let value = match &*pick {
            Pick::Is(value) => value.clone(),
            Pick::Not(value) => instead_of(value),
            Pick::AnyOf(values) => values.first().cloned().unwrap_or_default(),
        };
        *pick = Pick::Is(value);
    }
    selector(&one)
}

/// A gauge that stays as it is.
fn level(value: f64, minutes: u64) -> String {
    format!("{value}x{minutes}")
}

/// A counter that grows by so much each minute, for so many minutes; then by the next.
fn growth(phases: &[(f64, u64)]) -> String {
    let mut at = 0.0;
    let phases = phases.iter().map(|(per_min, minutes)| {
        let phase = format!("{at}+{per_min}x{minutes}");
        at += per_min * (*minutes + 1) as f64;
        phase
    });
    phases.collect::<Vec<_>>().join(" ")
}
