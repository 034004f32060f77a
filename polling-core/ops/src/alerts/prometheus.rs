//! Alerts as rules of Prometheus.

use super::{
    Alerts, HEADER,
    alert::Alert,
    kind::{Silence, Unit, When},
    promql::selector,
    yaml::{line, string},
};
use crate::objectives;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Severity {
    Critical,
    Warning,
}

impl Severity {
    pub(super) const ALL: [Self; 2] = [Self::Critical, Self::Warning];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Warning => "warning",
        }
    }
}

impl Alerts {
    /// Rules of Prometheus, as a file of rules (YAML): a group for each subject, a rule for each severity. Objectives have
    /// rules of their own: [`objective_rules`](Self::objective_rules).
    #[must_use]
    pub fn prometheus_rules(&self) -> String {
        let mut yaml = format!("{HEADER}groups:\n");
        let mut group = None;
        for alert in self.for_prometheus() {
            let path = alert.subject.path();
            if group.as_ref() != Some(&path) {
                line!(yaml, "  - name: {}", string(&format!("polling/{path}")));
                line!(yaml, "    rules:");
                group = Some(path);
            }
            for severity in Severity::ALL {
                rule(&mut yaml, alert, severity);
            }
        }
        if group.is_none() {
            yaml.truncate(yaml.len() - 1);
            line!(yaml, " []");
        }
        yaml
    }

    /// The rules of [`objectives`](crate::objectives::rules); none where there is no objective.
    #[must_use]
    pub fn objective_rules(&self) -> String {
        match self.objectives.is_empty() {
            true => format!("{HEADER}groups: []\n"),
            false => format!("{HEADER}{}", objectives::rules(&self.objectives)),
        }
    }

    /// Objectives have rules with two windows each, which an alert of one number has not.
    pub(super) fn for_prometheus(&self) -> impl Iterator<Item = &Alert> {
        let alerts = self.alerts.iter();
        alerts.filter(|alert| !alert.is_of_objective() && alert.can_fire())
    }
}

impl Alert {
    pub(super) const fn level(&self, severity: Severity) -> Option<f64> {
        match severity {
            Severity::Critical => self.thresholds.critical,
            Severity::Warning => self.thresholds.warning,
        }
    }

    const fn can_fire(&self) -> bool {
        self.thresholds.warning.is_some() || self.thresholds.critical.is_some()
    }

    /// When it fires.
    fn condition(&self, level: f64, severity: Severity) -> String {
        let query = self.value.expr(&self.thresholds).promql();
        let sign = match self.kind.when {
            When::Above => '>',
            When::Below => '<',
        };
        let condition = format!("{query} {sign} {level}");
        match (self.kind.silence, severity) {
            (Silence::Critical, Severity::Critical) => {
                let told_by = selector(self.value.told_by());
                format!("{condition} or max(absent({told_by}))")
            }
            _ => condition,
        }
    }

    /// What is wrong, for people, with the value's place filled.
    pub(super) fn tells(&self, value: &str) -> String {
        let texts = [
            ("{}", value.to_owned()),
            (
                "{window}",
                objectives::Unit(self.thresholds.window).to_string(),
            ),
            (
                "{before}",
                objectives::Unit(self.thresholds.before).to_string(),
            ),
            ("{within}", format!("{}s", self.thresholds.within)),
        ];
        let mut tells = self.kind.tells.to_owned();
        for (place, text) in texts {
            tells = tells.replace(place, &text);
        }
        tells
    }
}

fn rule(yaml: &mut String, alert: &Alert, severity: Severity) {
    let Some(level) = alert.level(severity) else {
        return;
    };
    line!(yaml, "      - alert: {}", alert.kind.alert);
    line!(
        yaml,
        "        expr: {}",
        string(&alert.condition(level, severity))
    );
    line!(yaml, "        for: {}s", alert.thresholds.hold.as_secs());
    line!(yaml, "        labels:");
    line!(yaml, "          severity: {}", severity.as_str());
    for (label, value) in alert.subject.labels() {
        line!(yaml, "          {label}: {}", string(value));
    }
    let value = match alert.kind.unit {
        Unit::Share => "{{ $value | humanizePercentage }}",
        Unit::Count => "{{ $value | humanize }}",
        Unit::Seconds => "{{ $value | humanizeDuration }}",
    };
    let summary = format!("{}: {}", alert.subject, alert.tells(value));
    line!(yaml, "        annotations:");
    line!(yaml, "          summary: {}", string(&summary));
    line!(yaml, "          threshold: {}", string(&alert.key()));
}
