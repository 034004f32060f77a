//! All alerts, with their thresholds.

use std::collections::BTreeMap;

use super::{
    Refused, Texts, Thresholds, Watched,
    kind::Kind,
    kinds::{self, Draft},
    subject::Subject,
    value::Value,
};
use crate::{config::Key, objectives::Objective};

/// The alerts for all that is watched.
#[derive(Debug, Clone)]
pub struct Alerts {
    pub(super) alerts: Vec<Alert>,
    pub(super) objectives: Vec<Objective>,
}

/// One alert.
#[derive(Debug, Clone)]
pub(super) struct Alert {
    pub(super) subject: Subject,
    pub(super) kind: &'static Kind,
    pub(super) value: Value,
    pub(super) thresholds: Thresholds,
    /// What the thresholds are unless set, and as which they are told.
    defaults: Texts,
}

impl Alerts {
    /// With the defaults of all thresholds.
    #[must_use]
    pub fn of(watched: &Watched) -> Self {
        Self {
            alerts: kinds::drafts(watched).into_iter().map(Alert::of).collect(),
            objectives: watched.objectives.clone(),
        }
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.alerts.len()
    }

    /// Whether there is nothing to watch.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.alerts.is_empty()
    }

    /// All thresholds with their defaults. What cannot be a key is left out: a name of more than 400 bytes.
    #[must_use]
    pub fn defaults(&self) -> BTreeMap<Key, String> {
        let of = |alert: &Alert| {
            let defaults = alert.defaults.clone().into_iter();
            let key = alert.key();
            defaults.filter_map(move |(name, text)| {
                Some((Key::new(&format!("{key}/{name}")).ok()?, text))
            })
        };
        self.alerts.iter().flat_map(of).collect()
    }

    /// Takes up these thresholds; keys that do not begin with `alerts/` are somebody else's. What is refused is told, and its
    /// default stands.
    pub fn read(&mut self, found: &BTreeMap<String, String>) -> Vec<Refused> {
        let mut refused = Vec::new();
        let mut known = Vec::new();
        for alert in &mut self.alerts {
            let key = format!("{}/", alert.key());
            let of_alert = found.range(key.clone()..);
            let of_alert = of_alert.take_while(|(found, _)| found.starts_with(&key));
            // What is further below is about another subject.
            let of_alert: Vec<_> = of_alert
                .filter_map(|(found, text)| Some((found, found.strip_prefix(&key)?, text)))
                .filter(|(_, name, _)| !name.contains('/'))
                .collect();
            known.extend(of_alert.iter().map(|(found, ..)| found.as_str()));
            refused.extend(alert.read(&of_alert));
        }
        let unknown = found
            .iter()
            .filter(|(key, _)| key.starts_with("alerts/") && !known.contains(&key.as_str()))
            .map(|(key, text)| Refused {
                key: key.clone(),
                text: text.clone(),
                reason: "nothing that is watched has such an alert".to_owned(),
            });
        refused.extend(unknown);
        refused.sort_by(|a, b| a.key.cmp(&b.key));
        refused
    }
}

impl Alert {
    fn of(draft: Draft) -> Self {
        let mut defaults: Texts = draft
            .kind
            .thresholds
            .iter()
            .map(|(name, text)| (*name, (*text).to_owned()))
            .collect();
        defaults.extend(draft.own);
        let thresholds =
            Thresholds::of(draft.kind, &defaults).expect("defaults are right, as a test shows");
        Self {
            subject: draft.subject,
            kind: draft.kind,
            value: draft.value,
            thresholds,
            defaults,
        }
    }

    pub(super) const fn is_of_objective(&self) -> bool {
        matches!(self.subject, Subject::Objective(..))
    }

    /// Without its thresholds' names.
    pub(super) fn key(&self) -> String {
        format!("alerts/{}/{}", self.subject.path(), self.kind.name)
    }

    fn read(&mut self, found: &[(&String, &str, &String)]) -> Vec<Refused> {
        let refused = |(key, _, text): &(&String, &str, &String), reason: String| Refused {
            key: (*key).clone(),
            text: (*text).clone(),
            reason,
        };
        let mut wrong = Vec::new();
        let mut wanted = self.thresholds;
        for one in found {
            let (_, name, text) = one;
            let known = self.defaults.contains_key(name);
            let set = match known {
                true => wanted.set(self.kind, name, text),
                false => Err("this alert has no such threshold".to_owned()),
            };
            wrong.extend(set.err().map(|reason| refused(one, reason)));
        }
        match wanted.check(self.kind) {
            Ok(()) => self.thresholds = wanted,
            Err(reason) => {
                // Nobody can tell which of the two is meant.
                let levels = found
                    .iter()
                    .filter(|(_, name, _)| matches!(*name, "warning" | "critical"));
                wrong.extend(levels.map(|one| refused(one, reason.clone())));
                let Thresholds {
                    warning, critical, ..
                } = self.thresholds;
                self.thresholds = Thresholds {
                    warning,
                    critical,
                    ..wanted
                };
            }
        }
        wrong
    }
}
