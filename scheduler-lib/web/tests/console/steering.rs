//! Settings that a test has its hands in.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
};

use futures_util::future::{BoxFuture, ready};
use scheduler_web::settings::{
    Change, ChangeError, InForceView, PastView, RefusedView, SettingView, SettingsView, SourceView,
    Steering,
};

use crate::support::{MARKUP, NOW_MS};

/// What was asked of it.
#[derive(Debug, Default)]
pub(crate) struct Fake {
    changes: Mutex<Vec<Change>>,
    /// It has no source that can be written.
    read_only: bool,
}

impl Fake {
    pub(crate) fn read_only() -> Self {
        Self {
            read_only: true,
            ..Self::default()
        }
    }

    pub(crate) fn changes(&self) -> Vec<Change> {
        self.made().clone()
    }

    fn made(&self) -> MutexGuard<'_, Vec<Change>> {
        self.changes.lock().unwrap()
    }
}

fn setting(help: &'static str, value: &str) -> SettingView {
    SettingView {
        help,
        value: Some(value.to_owned()),
        in_force: None,
        refused: None,
    }
}

fn refused(value: &str, reason: &str) -> RefusedView {
    RefusedView {
        value: Some(value.to_owned()),
        source: "consul".to_owned(),
        reason: reason.to_owned(),
        since_ms: NOW_MS - 60_000,
    }
}

impl Steering for Fake {
    fn overview(&self) -> SettingsView {
        let mut interval = setting("Time between two polls", "5m");
        interval.in_force = Some(InForceView {
            value: "2m".to_owned(),
            source: "consul".to_owned(),
            changed_ms: NOW_MS - 3_600_000,
        });
        let mut cushion = setting("Calls of each limit to leave to others", "20");
        cushion.refused = Some(refused(MARKUP, "it is no cushion"));
        let settings = BTreeMap::from([
            (
                "mastodon/paced".to_owned(),
                setting("Whether a slot goes out evenly", "true"),
            ),
            ("mastodon/posts/cushion".to_owned(), cushion),
            ("mastodon/posts/interval".to_owned(), interval),
        ]);
        let unknown = (
            "mastodon/posts/colour".to_owned(),
            refused("red", "no setting has this key"),
        );
        let sources = vec![
            SourceView {
                name: "file".to_owned(),
                heard_ms: Some(NOW_MS),
                recalled_ms: None,
                failure: None,
            },
            SourceView {
                name: "consul".to_owned(),
                heard_ms: Some(NOW_MS - 120_000),
                recalled_ms: None,
                failure: Some("connection refused".to_owned()),
            },
        ];
        SettingsView {
            settings,
            unknown: BTreeMap::from([unknown]),
            sources,
            unkept: Some("the disk is full".to_owned()),
        }
    }

    fn check(&self, _: &str, value: Option<&str>) -> Result<(), String> {
        match value {
            Some("soon") => Err("soon is no duration: it needs 1s to 60d".to_owned()),
            _ => Ok(()),
        }
    }

    fn change(&self, change: Change) -> BoxFuture<'_, Result<(), ChangeError>> {
        if self.read_only {
            return Box::pin(ready(Err(ChangeError::ReadOnly)));
        }
        self.made().push(change);
        Box::pin(ready(Ok(())))
    }

    fn history<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Vec<PastView>, ChangeError>> {
        if self.read_only {
            return Box::pin(ready(Err(ChangeError::ReadOnly)));
        }
        let made = self.changes().into_iter().rev();
        let made = made
            .filter(|change| change.key == key)
            .map(|change| PastView {
                at_ms: NOW_MS,
                by: change.by,
                reason: change.reason,
                from: Some("2m".to_owned()),
                to: change.value,
            });
        Box::pin(ready(Ok(made.collect())))
    }
}
