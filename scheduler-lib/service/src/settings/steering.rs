//! Settings as the API and the console see them.

use std::collections::BTreeMap;

use polling_ops::config::{InForce, Key, Refused, SourceState};
use scheduler_web::settings::{
    InForceView, RefusedView, SettingView, SettingsView, SourceView, Steering,
};

use super::Settings;

impl Steering for Settings {
    fn overview(&self) -> SettingsView {
        let current = self.current();
        let refused = current.refused.iter();
        let mut unknown: BTreeMap<_, _> = refused
            .map(|(key, refused)| (key.clone(), of_refused(refused)))
            .collect();
        let view = |(key, help, value): (Key, _, _)| {
            let view = SettingView {
                help,
                value,
                in_force: current.in_force.get(&key).map(of_value),
                refused: unknown.remove(key.as_str()),
            };
            (key.to_string(), view)
        };
        SettingsView {
            settings: self.all().into_iter().map(view).collect(),
            unknown,
            sources: current.sources.iter().map(of_source).collect(),
            unkept: current.unkept.clone(),
        }
    }

    fn check(&self, key: &str, value: Option<&str>) -> Result<(), String> {
        self.current.check(key, value)
    }
}

fn of_value(value: &InForce) -> InForceView {
    InForceView {
        value: value.text.clone(),
        source: value.source.to_string(),
        changed_ms: value.changed_ms,
    }
}

fn of_refused(refused: &Refused) -> RefusedView {
    RefusedView {
        value: refused.text.clone(),
        source: refused.source.to_string(),
        reason: refused.reason.clone(),
        since_ms: refused.since_ms,
    }
}

fn of_source(source: &SourceState) -> SourceView {
    SourceView {
        name: source.name.to_string(),
        heard_ms: source.heard_ms,
        recalled_ms: source.recalled_ms,
        failure: source.failure.clone(),
    }
}
