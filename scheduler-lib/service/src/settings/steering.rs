//! Settings as the API and the console see them.

use std::collections::BTreeMap;

use futures_util::{FutureExt as _, future::BoxFuture};
use polling_model::chain;
use polling_ops::config::{Consul, ConsulError, Entry, InForce, Key, Past, Refused, SourceState};
use scheduler_web::settings::{
    Change, ChangeError, InForceView, PastView, RefusedView, SettingView, SettingsView, SourceView,
    Steering, WrittenView,
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
        // What is not in force can always be given up.
        let in_force = || {
            let in_force = &self.current().in_force;
            Key::new(key).is_ok_and(|key| in_force.contains_key(&key))
        };
        if value.is_none() && !in_force() {
            return Ok(());
        }
        self.current.check(key, value)
    }

    fn change(&self, change: Change) -> BoxFuture<'_, Result<(), ChangeError>> {
        self.write(change, None).boxed()
    }

    fn change_if(
        &self,
        change: Change,
        modify_index: u64,
    ) -> BoxFuture<'_, Result<(), ChangeError>> {
        self.write(change, Some(modify_index)).boxed()
    }

    fn written<'a>(
        &'a self,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Option<WrittenView>, ChangeError>> {
        async move {
            let entry = self.consul()?.get(&parsed(key)?).await;
            let view = |entry: Entry| WrittenView {
                value: entry.text,
                modify_index: entry.modify_index,
            };
            Ok(entry.map_err(|error| unavailable(&error))?.map(view))
        }
        .boxed()
    }

    fn history<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Vec<PastView>, ChangeError>> {
        async move {
            let past = self.consul()?.history(&parsed(key)?).await;
            let past = past.map_err(|error| unavailable(&error))?;
            Ok(past.into_iter().map(of_past).collect())
        }
        .boxed()
    }
}

impl Settings {
    /// Where changes are written: Consul, which goes before all other sources.
    fn consul(&self) -> Result<&Consul, ChangeError> {
        self.consul.as_ref().ok_or(ChangeError::ReadOnly)
    }

    async fn write(&self, change: Change, seen: Option<u64>) -> Result<(), ChangeError> {
        let consul = self.consul()?;
        let key = parsed(&change.key)?;
        self.check(&change.key, change.value.as_deref())
            .map_err(ChangeError::Refused)?;
        let past = Past {
            at_ms: self.clock.now_ms(),
            by: change.by,
            reason: change.reason,
            from: None,
            to: change.value,
        };
        match consul.change(&key, seen, past).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(ChangeError::Conflict),
            Err(error) => Err(unavailable(&error)),
        }
    }
}

fn parsed(key: &str) -> Result<Key, ChangeError> {
    Key::new(key).map_err(|error| ChangeError::Refused(error.to_string()))
}

fn unavailable(error: &ConsulError) -> ChangeError {
    ChangeError::Unavailable(chain(error))
}

fn of_past(past: Past) -> PastView {
    PastView {
        at_ms: past.at_ms,
        by: past.by,
        reason: past.reason,
        from: past.from,
        to: past.to,
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
