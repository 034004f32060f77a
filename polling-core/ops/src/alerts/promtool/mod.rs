//! Unit tests of the rules, for `promtool test rules`: each alert fires when its value is beyond its thresholds, and does not
//! while it is well within them.

mod inputs;

use std::collections::BTreeSet;

use self::inputs::{Inputs, STEP_MIN};
use super::{
    Alerts, HEADER,
    alert::Alert,
    kind::{Kind, When},
    prometheus::Severity,
    promql::quoted,
    subject::Subject,
    value::Value,
    yaml::{line, string},
};

/// Alerts of one kind whose series do not touch each other: they are tested at once.
struct Batch<'a> {
    kind: &'static Kind,
    fires: bool,
    series: BTreeSet<String>,
    cases: Vec<(&'a Alert, Inputs)>,
}

impl Alerts {
    /// Tests of [`prometheus_rules`](Self::prometheus_rules), which are in a file of this name beside them.
    #[must_use]
    pub fn prometheus_tests(&self, rules: &str) -> String {
        let mut yaml = HEADER.to_owned();
        line!(yaml, "rule_files: [{}]", string(rules));
        line!(yaml, "evaluation_interval: {STEP_MIN}m");
        let batches = self.batches();
        line!(
            yaml,
            "tests:{}",
            if batches.is_empty() { " []" } else { "" }
        );
        for batch in &batches {
            batch.write(&mut yaml);
        }
        yaml
    }

    fn batches(&self) -> Vec<Batch<'_>> {
        let mut batches: Vec<Batch<'_>> = Vec::new();
        for alert in self.for_prometheus() {
            for fires in [true, false] {
                let Some(inputs) = alert.target(fires).and_then(|to| alert.inputs(to)) else {
                    continue;
                };
                let fitting = batches.iter_mut().find(|batch| {
                    // A service is the sum of its methods.
                    let first = batch.cases.first().map(|(first, _)| &first.subject);
                    std::ptr::eq(batch.kind, alert.kind)
                        && batch.fires == fires
                        && first.is_some_and(|first| first.is_like(&alert.subject))
                        && batch.series.is_disjoint(&inputs.names())
                });
                let batch = match fitting {
                    Some(batch) => batch,
                    None => {
                        batches.push(Batch {
                            kind: alert.kind,
                            fires,
                            series: BTreeSet::new(),
                            cases: Vec::new(),
                        });
                        batches.last_mut().expect("one was pushed")
                    }
                };
                batch.series.extend(inputs.names());
                batch.cases.push((alert, inputs));
            }
        }
        batches
    }
}

impl Batch<'_> {
    fn write(&self, yaml: &mut String) {
        let word = if self.fires { "fires" } else { "is quiet" };
        line!(
            yaml,
            "  - name: {}",
            string(&format!("{} {word}", self.kind.name))
        );
        line!(yaml, "    interval: 1m");
        line!(yaml, "    input_series:");
        for (series, values) in self.cases.iter().flat_map(|(_, inputs)| &inputs.series) {
            line!(yaml, "      - series: {}", string(series));
            line!(yaml, "        values: {}", string(values));
        }
        line!(yaml, "    promql_expr_test:");
        for (alert, inputs) in &self.cases {
            for severity in Severity::ALL {
                if alert.level(severity).is_some() {
                    asked(yaml, alert, severity, inputs.until_min, self.fires);
                }
            }
        }
    }
}

fn asked(yaml: &mut String, alert: &Alert, severity: Severity, at_min: u64, fires: bool) {
    let mut labels = vec![
        ("alertname", alert.kind.alert),
        ("alertstate", "firing"),
        ("severity", severity.as_str()),
    ];
    labels.extend(alert.subject.labels());
    // Without these labels it would be about its parts, too.
    labels.extend(match alert.subject {
        Subject::Service(_) => Some(("method", "")),
        Subject::Channel(_) => Some(("job_type", "")),
        _ => None,
    });
    let labels: Vec<_> = labels
        .into_iter()
        .map(|(label, value)| format!("{label}={}", quoted(value)))
        .collect();
    let query = format!("count(ALERTS{{{}}}) or vector(0)", labels.join(","));
    line!(yaml, "      - expr: {}", string(&query));
    line!(yaml, "        eval_time: {at_min}m");
    let value = u8::from(fires);
    line!(
        yaml,
        "        exp_samples: [{{ labels: '{{}}', value: {value} }}]"
    );
}

impl Alert {
    /// A value beyond all thresholds, or well within them; none where there is no such value.
    fn target(&self, fires: bool) -> Option<f64> {
        let levels = [self.thresholds.warning, self.thresholds.critical];
        let levels = levels.into_iter().flatten();
        let (least, most) = (levels.clone().reduce(f64::min)?, levels.reduce(f64::max)?);
        let whole = matches!(self.value, Value::Beyond(_) | Value::Activity(_))
            || matches!(&self.value, Value::Share { part, whole } if part.metric == whole.metric);
        let target = match (self.kind.when, fires) {
            (When::Above, true) if whole => f64::midpoint(most, 1.0),
            (When::Above, true) => most * 2.0 + 1.0,
            (When::Above, false) => least / 2.0,
            (When::Below, true) => least / 2.0,
            (When::Below, false) if whole => f64::midpoint(most, 1.0),
            (When::Below, false) => most * 2.0 + 1.0,
        };
        let differs = match (self.kind.when, fires) {
            (When::Above, true) => target > most,
            (When::Above, false) => target <= least,
            (When::Below, true) => target < least,
            (When::Below, false) => target >= most,
        };
        differs.then_some(target)
    }
}
