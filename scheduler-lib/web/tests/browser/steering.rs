//! Settings that are kept in memory, and taken up by the scheduler at once.

use std::sync::{Mutex, PoisonError};

use futures_util::future::{BoxFuture, ready};
use polling_model::{JobType, SharedClock};
use scheduler_lib::{Registry, ledger::Cushion};
use scheduler_web::settings::{
    Change, ChangeError, InForceView, PastView, SettingView, SettingsView, SourceView, Steering,
};

/// The only setting.
pub(crate) const CUSHION: &str = "mastodon/posts/cushion";

/// The cushion of posts, and who changed it.
#[derive(Debug)]
pub(crate) struct Kept {
    registry: Registry,
    clock: SharedClock,
    past: Mutex<Vec<PastView>>,
}

impl Kept {
    pub(crate) fn of(registry: Registry, clock: SharedClock) -> Self {
        let past = Mutex::default();
        Self {
            registry,
            clock,
            past,
        }
    }

    /// What the scheduler goes by.
    pub(crate) fn cushion(&self) -> Cushion {
        self.registry.rules(&posts()).unwrap().cushion
    }

    fn past(&self) -> Vec<PastView> {
        self.past
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn take_up(&self, change: Change) -> Result<(), ChangeError> {
        let cushion = parse(change.value.as_deref()).map_err(ChangeError::Refused)?;
        let mut rules = self.registry.rules(&posts()).unwrap();
        rules.cushion = cushion;
        self.registry.set_rules(&posts(), rules).unwrap();
        let mut past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        let from = past.first().and_then(|last| last.to.clone());
        let made = PastView {
            at_ms: self.clock.now_ms(),
            by: change.by,
            reason: change.reason,
            from,
            to: change.value,
        };
        past.insert(0, made);
        Ok(())
    }
}

impl Steering for Kept {
    fn overview(&self) -> SettingsView {
        let in_force = self.past().into_iter().next().and_then(|last| {
            Some(InForceView {
                value: last.to?,
                source: "memory".to_owned(),
                changed_ms: last.at_ms,
            })
        });
        let setting = SettingView {
            help: "Calls of each window that are left alone",
            value: Some("0".to_owned()),
            in_force,
            refused: None,
        };
        let source = SourceView {
            name: "memory".to_owned(),
            heard_ms: Some(self.clock.now_ms()),
            recalled_ms: None,
            failure: None,
        };
        SettingsView {
            settings: [(CUSHION.to_owned(), setting)].into(),
            sources: vec![source],
            ..SettingsView::default()
        }
    }

    fn check(&self, key: &str, value: Option<&str>) -> Result<(), String> {
        if key != CUSHION {
            return Err(format!("{key}: no such setting"));
        }
        parse(value).map(drop)
    }

    fn change(&self, change: Change) -> BoxFuture<'_, Result<(), ChangeError>> {
        Box::pin(ready(self.take_up(change)))
    }

    fn history<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Vec<PastView>, ChangeError>> {
        Box::pin(ready(Ok(self.past())))
    }
}

fn posts() -> JobType {
    "posts".parse().unwrap()
}

fn parse(value: Option<&str>) -> Result<Cushion, String> {
    let Some(value) = value else {
        return Ok(Cushion::NONE);
    };
    let calls = value.parse().map_err(|_| {
        let said = "a cushion here is a whole number of calls, such as 20";
        format!("{value:?}: {said}")
    })?;
    Ok(Cushion::Calls(calls))
}
