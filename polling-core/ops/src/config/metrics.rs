//! Settings as metrics.

use std::future::ready;

use super::{Current, Settings};
use crate::metrics::{Gauge, Metrics, Reading};

/// How many values sources have laid over static ones.
pub static SETTINGS_IN_FORCE: Gauge = Gauge {
    name: "polling_settings_in_force",
    help: "Settings that a source has laid over static values",
    labels: &["source"],
};

/// How many values cannot take effect.
pub static SETTINGS_REFUSED: Gauge = Gauge {
    name: "polling_settings_refused",
    help: "Values that sources hold and that cannot take effect: the last good ones stay",
    labels: &["source"],
};

/// Whether each source answers.
pub static SETTINGS_SOURCE_FAILING: Gauge = Gauge {
    name: "polling_settings_source_failing",
    help: "1 while what a source said last is in force instead of what it holds, otherwise 0",
    labels: &["source"],
};

/// Whether what holds of each source is from before the start.
pub static SETTINGS_RECALLED: Gauge = Gauge {
    name: "polling_settings_recalled",
    help: "1 while what a source said before this process started is in force, otherwise 0",
    labels: &["source"],
};

/// Whether nothing can be kept for the next start.
pub static SETTINGS_UNKEPT: Gauge = Gauge {
    name: "polling_settings_unkept",
    help: "1 while what sources say cannot be kept for the next start, otherwise 0",
    labels: &[],
};

impl Metrics {
    /// Tells how `settings` are whenever somebody looks: what is in force, what is refused, which source fails.
    pub fn watch_settings<T: Send + Sync + 'static>(&self, settings: &Settings<T>) {
        let settings = settings.clone();
        self.ask("settings", move || {
            ready(Some(readings(&settings.current())))
        });
    }
}

fn readings<T>(current: &Current<T>) -> Vec<Reading> {
    let of_source = |source: &super::SourceState| {
        let name = &*source.name;
        let in_force = current.in_force.values();
        let in_force = in_force.filter(|value| *value.source == *name).count();
        let refused = current.refused.values();
        let refused = refused.filter(|value| *value.source == *name).count();
        [
            SETTINGS_IN_FORCE.reading(&[name], in_force as f64),
            SETTINGS_REFUSED.reading(&[name], refused as f64),
            SETTINGS_SOURCE_FAILING.reading(&[name], flag(source.failure.is_some())),
            SETTINGS_RECALLED.reading(&[name], flag(source.recalled_ms.is_some())),
        ]
    };
    let of_sources = current.sources.iter().flat_map(of_source);
    let unkept = SETTINGS_UNKEPT.reading(&[], flag(current.unkept.is_some()));
    of_sources.chain([unkept]).collect()
}

fn flag(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}
