//! What loading defaults would do: a pure function of what they are and what is there.

use std::collections::{BTreeMap, BTreeSet};

use polling_ops::config::{Found, Key, MAX_VALUE_LEN};
use serde::{Deserialize, Serialize};

/// What the scheduler's program says of settings.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Known {
    /// By key; what each is does not matter here.
    pub(super) settings: BTreeMap<String, serde_json::Value>,
    /// Keys that another program reads.
    pub(super) others: BTreeSet<String>,
    /// By key, why, with all defaults and all that is there in force.
    pub(super) refused: BTreeMap<String, String>,
}

/// Each key of the defaults, and each that is there, is in exactly one place.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct Plan {
    /// Not there: they are put.
    pub(super) put: BTreeMap<String, String>,
    /// There as they are by default.
    pub(super) equal: BTreeSet<String>,
    /// There with another value, which somebody has set: they are left.
    pub(super) changed: BTreeMap<String, Changed>,
    /// There, in no file: set by hand, and left.
    pub(super) set: BTreeMap<String, String>,
    /// There, in no file, and nobody's setting.
    pub(super) stale: BTreeMap<String, String>,
    /// Defaults that cannot take effect.
    pub(super) wrong: BTreeMap<String, Wrong>,
}

/// A value that differs from its default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Changed {
    pub(super) default: String,
    pub(super) there: String,
    /// Why what is there is not in force, if it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refused: Option<String>,
}

/// A default that is not right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Wrong {
    pub(super) value: String,
    pub(super) reason: String,
}

impl Plan {
    /// What to do so that each default is there. Without `known` nobody knows which settings there are: what is in no file
    /// is stale.
    pub(super) fn of(defaults: &Found, there: &Found, known: Option<&Known>) -> Self {
        let mut plan = Self::default();
        for (key, value) in defaults {
            plan.place_default(key, value, there.get(key), known);
        }
        for (key, value) in there {
            if !defaults.contains_key(key) {
                let is_of_somebody = known.is_some_and(|known| {
                    known.settings.contains_key(key) || known.others.contains(key)
                });
                let place = if is_of_somebody {
                    &mut plan.set
                } else {
                    &mut plan.stale
                };
                place.insert(key.clone(), value.clone());
            }
        }
        plan
    }

    fn place_default(
        &mut self,
        key: &str,
        value: &str,
        there: Option<&String>,
        known: Option<&Known>,
    ) {
        let refused = known.and_then(|known| known.refused.get(key)).cloned();
        match there {
            Some(there) if there == value => {
                self.equal.insert(key.to_owned());
            }
            Some(there) => {
                let changed = Changed {
                    default: value.to_owned(),
                    there: there.clone(),
                    refused,
                };
                self.changed.insert(key.to_owned(), changed);
            }
            None => match malformed(key, value).or(refused) {
                Some(reason) => {
                    let value = value.to_owned();
                    self.wrong.insert(key.to_owned(), Wrong { value, reason });
                }
                None => {
                    self.put.insert(key.to_owned(), value.to_owned());
                }
            },
        }
    }
}

fn malformed(key: &str, value: &str) -> Option<String> {
    if let Err(error) = Key::new(key) {
        return Some(error.to_string());
    }
    (value.len() > MAX_VALUE_LEN).then(|| format!("a value has at most {MAX_VALUE_LEN} bytes"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(texts: &[(&str, &str)]) -> Found {
        let texts = texts.iter();
        texts
            .map(|(key, text)| ((*key).to_owned(), (*text).to_owned()))
            .collect()
    }

    #[test]
    fn each_key_has_its_place() {
        let defaults = found(&[
            ("m/p/cushion", "5"),
            ("m/p/cost", "1"),
            ("m/p/interval", "5m"),
            ("m/p/colour", "red"),
            ("m//p", "1"),
        ]);
        let there = found(&[
            ("m/p/cost", "1"),
            ("m/p/interval", "9m"),
            ("m/p/max_age", "1h"),
            ("m/p/worker/x", "1"),
            ("m/q/cost", "1"),
        ]);
        let reason = "no setting that may change has this key";
        let known = Known {
            settings: BTreeMap::from([("m/p/max_age".to_owned(), serde_json::Value::Null)]),
            others: BTreeSet::from(["m/p/worker/x".to_owned()]),
            refused: found(&[("m/p/colour", reason)]),
        };
        let plan = Plan::of(&defaults, &there, Some(&known));
        assert_eq!(plan.put, found(&[("m/p/cushion", "5")]));
        assert_eq!(plan.equal, BTreeSet::from(["m/p/cost".to_owned()]));
        assert_eq!(plan.changed["m/p/interval"].there, "9m");
        assert_eq!(plan.wrong["m/p/colour"].reason, reason);
        assert!(plan.wrong.contains_key("m//p"));
        let set = found(&[("m/p/max_age", "1h"), ("m/p/worker/x", "1")]);
        assert_eq!(plan.set, set);
        assert_eq!(plan.stale, found(&[("m/q/cost", "1")]));
        let unknown = Plan::of(&defaults, &there, None);
        assert_eq!(unknown.stale.len(), 3, "nobody knows whose they are");
    }

    /// What is there once a plan is carried out.
    fn after(plan: &Plan, there: &Found) -> Found {
        let mut after = there.clone();
        for (key, value) in &plan.put {
            assert!(after.insert(key.clone(), value.clone()).is_none(), "{key}");
        }
        after
    }

    fn values() -> impl Strategy<Value = Found> {
        prop::collection::btree_map("[ab]/[cd]?/?x", "[1-3]", 0..8)
    }

    proptest! {
        /// Of any defaults, over anything that is there.
        #[test]
        fn loading_changes_nothing_that_is_there_and_twice_is_once(
            defaults in values(),
            there in values(),
            refused in prop::collection::btree_map("[ab]/[cd]/x", "wrong", 0..3),
            is_known in any::<bool>(),
        ) {
            let known = is_known.then(|| Known { refused, ..Known::default() });
            let plan = Plan::of(&defaults, &there, known.as_ref());
            let first = after(&plan, &there);
            for (key, value) in &there {
                prop_assert_eq!(first.get(key), Some(value));
            }
            for key in defaults.keys() {
                prop_assert!(first.contains_key(key) || plan.wrong.contains_key(key));
            }
            let second = Plan::of(&defaults, &first, known.as_ref());
            prop_assert!(second.put.is_empty());
            prop_assert_eq!(&second.changed, &plan.changed);
            let placed = plan.put.len() + plan.equal.len() + plan.changed.len() + plan.set.len()
                + plan.stale.len() + plan.wrong.len();
            let all: BTreeSet<_> = defaults.keys().chain(there.keys()).collect();
            prop_assert_eq!(placed, all.len(), "each key has one place");
        }

        /// What a human sets between two loads is left by the second, to the value before as well.
        #[test]
        fn a_humans_change_outlives_the_next_load(
            defaults in values(),
            key in "[ab]/[cd]/x",
            value in "[1-3]",
        ) {
            let mut there = after(&Plan::of(&defaults, &Found::new(), None), &Found::new());
            there.insert(key.clone(), value.clone());
            let plan = Plan::of(&defaults, &there, None);
            let after = after(&plan, &there);
            prop_assert_eq!(after.get(&key), Some(&value));
        }
    }
}
