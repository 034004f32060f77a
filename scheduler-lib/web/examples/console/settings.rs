//! Settings that are kept in this process alone, as Consul would keep them.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use futures_util::future::{BoxFuture, ready};
use polling_model::SharedClock;
use scheduler_web::settings::{
    Change, ChangeError, InForceView, PastView, RefusedView, SettingView, SettingsView, SourceView,
    Steering,
};

const SOURCE: &str = "consul (simulated)";

/// Keys with their help and static values.
const SETTINGS: [(&str, &str, &str); 8] = [
    (
        "mastodon/dispatch_per_s",
        "Most jobs dispatched a second",
        "2000",
    ),
    (
        "mastodon/paced",
        "Whether a slot goes out evenly over three quarters of its width",
        "true",
    ),
    (
        "mastodon/posts/cushion",
        "Calls of each limit to leave to others, or a share of it",
        "0",
    ),
    (
        "mastodon/posts/gold/interval",
        "The level's time between two polls",
        "5m",
    ),
    (
        "mastodon/posts/interval",
        "Time between two polls; from each job's next poll on",
        "8h",
    ),
    (
        "mastodon/likes/cushion",
        "Calls of each limit to leave to others, or a share of it",
        "5%",
    ),
    (
        "mastodon/likes/interval",
        "Time between two polls; from each job's next poll on",
        "8h",
    ),
    (
        "github/events/interval",
        "Time between two polls; from each job's next poll on",
        "5m",
    ),
];

/// What was laid over them, and by whom.
#[derive(Debug)]
pub(crate) struct Simulated {
    clock: SharedClock,
    changes: Mutex<Vec<(String, PastView)>>,
}

impl Simulated {
    /// With a change made an hour ago.
    pub(crate) fn new(clock: SharedClock) -> Self {
        let past = PastView {
            at_ms: clock.now_ms() - 3_600_000,
            by: "olga".to_owned(),
            reason: "support asked for fresher posts".to_owned(),
            from: None,
            to: Some("3m".to_owned()),
        };
        let changes = Mutex::new(vec![("mastodon/posts/gold/interval".to_owned(), past)]);
        Self { clock, changes }
    }

    fn changes(&self) -> MutexGuard<'_, Vec<(String, PastView)>> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn last(&self, key: &str) -> Option<PastView> {
        let changes = self.changes();
        let mut of_key = changes.iter().rev().filter(|(found, _)| found == key);
        of_key.next().map(|(_, past)| past.clone())
    }
}

impl Steering for Simulated {
    fn overview(&self) -> SettingsView {
        let view = |&(key, help, value): &(&str, &'static str, &str)| {
            let in_force = self.last(key).and_then(|past| {
                Some(InForceView {
                    value: past.to?,
                    source: SOURCE.to_owned(),
                    changed_ms: past.at_ms,
                })
            });
            let view = SettingView {
                help,
                value: Some(value.to_owned()),
                in_force,
                refused: None,
            };
            (key.to_owned(), view)
        };
        let refused = RefusedView {
            value: Some("2m".to_owned()),
            source: SOURCE.to_owned(),
            reason: "no setting that may change has this key".to_owned(),
            since_ms: self.clock.now_ms() - 600_000,
        };
        SettingsView {
            settings: SETTINGS.iter().map(view).collect(),
            unknown: BTreeMap::from([("mastodon/posts/intervall".to_owned(), refused)]),
            sources: vec![SourceView {
                name: SOURCE.to_owned(),
                heard_ms: Some(self.clock.now_ms()),
                recalled_ms: None,
                failure: None,
            }],
            unkept: None,
        }
    }

    fn check(&self, key: &str, value: Option<&str>) -> Result<(), String> {
        match value {
            Some(value) if key.ends_with("interval") && !value.ends_with(['s', 'm', 'h']) => Err(
                format!("{value:?} is no duration: it needs 1s to 60d, such as 5m"),
            ),
            _ => Ok(()),
        }
    }

    fn change(&self, change: Change) -> BoxFuture<'_, Result<(), ChangeError>> {
        let past = PastView {
            at_ms: self.clock.now_ms(),
            by: change.by,
            reason: change.reason,
            from: self.last(&change.key).and_then(|past| past.to),
            to: change.value,
        };
        self.changes().push((change.key, past));
        Box::pin(ready(Ok(())))
    }

    fn history<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Vec<PastView>, ChangeError>> {
        let changes = self.changes();
        let of_key = changes.iter().rev().filter(|(found, _)| found == key);
        let past = of_key.map(|(_, past)| past.clone()).collect();
        Box::pin(ready(Ok(past)))
    }
}
