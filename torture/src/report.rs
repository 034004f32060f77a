//! How a scenario went.

use std::{collections::BTreeMap, path::PathBuf};

use serde::Serialize;

/// A scenario's result.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// The scenario.
    pub scenario: String,
    /// Repeats the same faults at the same times; what the machine makes of them differs.
    pub seed: u64,
    /// Whether every check holds.
    pub passed: bool,
    /// From the start of the stage to its end.
    pub took_s: f64,
    /// Faults injected, by kind.
    pub faults: BTreeMap<String, u64>,
    /// What was checked.
    pub checks: Vec<Check>,
    /// What was measured.
    pub figures: Vec<Figure>,
    /// Logs of everything.
    pub folder: PathBuf,
}

/// One thing that must hold.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    /// What must hold.
    pub name: String,
    /// Whether it does.
    pub holds: bool,
    /// What was found.
    pub found: String,
}

/// A measurement, with its bound if it has one.
#[derive(Debug, Clone, Serialize)]
pub struct Figure {
    /// What was measured.
    pub name: String,
    /// How much.
    pub value: f64,
    /// Of what.
    pub unit: String,
    /// The most it may be.
    pub at_most: Option<f64>,
}

impl Report {
    /// Adds a check.
    pub fn check(&mut self, name: &str, holds: bool, found: impl Into<String>) {
        self.checks.push(Check {
            name: name.to_owned(),
            holds,
            found: found.into(),
        });
    }

    /// Adds a measurement that proves nothing by itself.
    pub fn figure(&mut self, name: &str, value: f64, unit: &str) {
        self.measured(name, value, unit, None);
    }

    /// Adds a measurement, and the check that it is within its bound.
    pub fn bounded(&mut self, name: &str, value: f64, unit: &str, at_most: f64) {
        self.measured(name, value, unit, Some(at_most));
        let found = format!("{value:.2} {unit}, at most {at_most:.2}");
        self.check(name, value <= at_most, found);
    }

    fn measured(&mut self, name: &str, value: f64, unit: &str, at_most: Option<f64>) {
        self.figures.push(Figure {
            name: name.to_owned(),
            value,
            unit: unit.to_owned(),
            at_most,
        });
    }

    /// Whether all holds, and there was something to hold.
    pub fn conclude(&mut self) {
        self.passed = !self.checks.is_empty() && self.checks.iter().all(|check| check.holds);
    }

    /// For a machine that others share: what was measured is told, and not judged. Invariants are.
    pub fn judge_no_figures(&mut self) {
        let bounded = |name: &str| {
            let mut figures = self.figures.iter();
            figures.any(|figure| figure.at_most.is_some() && figure.name == name)
        };
        self.checks.retain(|check| !bounded(&check.name));
        self.conclude();
    }

    /// Takes over the checks and figures of another stage of the same scenario.
    pub fn absorb(&mut self, stage: &str, other: Self) {
        for (fault, count) in other.faults {
            *self.faults.entry(fault).or_default() += count;
        }
        self.checks
            .extend(other.checks.into_iter().map(|check| Check {
                name: format!("{stage}: {}", check.name),
                ..check
            }));
        self.figures
            .extend(other.figures.into_iter().map(|figure| Figure {
                name: format!("{stage}: {}", figure.name),
                ..figure
            }));
    }

    /// What does not hold.
    pub fn failures(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| !check.holds)
    }
}

/// `kill redis 3, reset 17`.
#[must_use]
pub fn counted(faults: &BTreeMap<String, u64>) -> String {
    let counted: Vec<_> = faults
        .iter()
        .map(|(fault, count)| format!("{fault} {count}"))
        .collect();
    counted.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_without_checks_has_not_passed() {
        let mut report = Report::default();
        report.conclude();
        assert!(!report.passed);
        report.bounded("lateness", 0.5, "s", 1.0);
        report.conclude();
        assert!(report.passed);
        report.bounded("lateness", 1.5, "s", 1.0);
        report.conclude();
        assert!(!report.passed);
        assert_eq!(report.failures().count(), 1);
    }

    #[test]
    fn without_figures_only_invariants_are_judged() {
        let mut report = Report::default();
        report.bounded("lateness", 1.5, "s", 1.0);
        report.check("never lost", true, String::new());
        report.judge_no_figures();
        assert!(report.passed);
        report.check("never forked", false, String::new());
        report.judge_no_figures();
        assert!(!report.passed);
    }
}
