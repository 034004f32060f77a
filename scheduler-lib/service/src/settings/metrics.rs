//! Settings as metrics.

use std::future::ready;

use polling_ops::metrics::{Gauge, Metrics, Reading};

use super::Settings;

/// How many values sources have laid over static ones.
pub(super) static IN_FORCE: Gauge = Gauge {
    name: "polling_settings_in_force",
    help: "Settings that a source has laid over static values",
    labels: &["source"],
};

/// How many values cannot take effect.
pub(super) static REFUSED: Gauge = Gauge {
    name: "polling_settings_refused",
    help: "Values that sources hold and that cannot take effect: the last good ones stay",
    labels: &["source"],
};

/// Whether each source answers.
pub(super) static FAILING: Gauge = Gauge {
    name: "polling_settings_source_failing",
    help: "1 while what a source said last is in force instead of what it holds, otherwise 0",
    labels: &["source"],
};

/// All of these.
pub static GAUGES: [&Gauge; 3] = [&IN_FORCE, &REFUSED, &FAILING];

/// Tells how `settings` are whenever somebody looks at `metrics`.
pub fn tell(metrics: &Metrics, settings: &Settings) {
    let settings = settings.clone();
    metrics.ask("settings", move || ready(Some(readings(&settings))));
}

fn readings(settings: &Settings) -> Vec<Reading> {
    let current = settings.current();
    let of_source = |source: &polling_ops::config::SourceState| {
        let name = &*source.name;
        let in_force = current
            .in_force
            .values()
            .filter(|value| *value.source == *name);
        let refused = current
            .refused
            .values()
            .filter(|value| *value.source == *name);
        [
            IN_FORCE.reading(&[name], in_force.count() as f64),
            REFUSED.reading(&[name], refused.count() as f64),
            FAILING.reading(&[name], f64::from(u8::from(source.failure.is_some()))),
        ]
    };
    current.sources.iter().flat_map(of_source).collect()
}
