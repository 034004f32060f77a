//! Values over values: which take effect, and which are refused.

use std::{collections::BTreeMap, fmt, sync::Arc};

use serde::de::DeserializeOwned;
use toml::Table;

use super::{
    Catalog, Fault, Found, InForce, Key, Refused,
    read::{Overlay, read},
    source::MAX_VALUE_LEN,
};

type Check<T> = Box<dyn Fn(&T) -> Vec<Fault> + Send + Sync>;

/// A static configuration, what of it may change, and what was laid over it.
pub struct Layers<T> {
    base: Table,
    catalog: Catalog,
    check: Check<T>,
    value: Arc<T>,
    laid: BTreeMap<Key, Laid>,
    refused: BTreeMap<String, Refused>,
}

/// A value in force, and its place.
#[derive(Debug, Clone)]
struct Laid {
    path: Vec<String>,
    value: InForce,
}

/// What a source holds for a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) text: String,
    pub(super) source: Arc<str>,
}

/// A value that is to be laid over, or to be given up.
struct Change {
    key: Key,
    path: Vec<String>,
    to: Option<String>,
    source: Arc<str>,
}

impl<T: DeserializeOwned> Layers<T> {
    /// Reads the static configuration, and checks it by the rules that single types do not hold.
    ///
    /// # Errors
    ///
    /// The first [`Fault`] of it.
    pub fn new(
        base: Table,
        catalog: Catalog,
        check: impl Fn(&T) -> Vec<Fault> + Send + Sync + 'static,
    ) -> Result<Self, Fault> {
        let value = read_and_check(&base, &Overlay::new(), &check)
            .map_err(|faults| faults.into_iter().next().expect("there is a fault"))?;
        Ok(Self {
            base,
            catalog,
            check: Box::new(check),
            value: Arc::new(value),
            laid: BTreeMap::new(),
            refused: BTreeMap::new(),
        })
    }

    /// What of these values could not take effect if a source held all of them, and why.
    #[must_use]
    pub fn refusals(mut self, found: Found) -> BTreeMap<String, String> {
        let source: Arc<str> = "".into();
        let said = |(key, text)| {
            let source = Arc::clone(&source);
            (key, Said { text, source })
        };
        self.apply(&found.into_iter().map(said).collect(), 0);
        let refused = self.refused.into_iter();
        refused
            .map(|(key, refused)| (key, refused.reason))
            .collect()
    }

    /// The configuration in force.
    pub(super) const fn value(&self) -> &Arc<T> {
        &self.value
    }

    pub(super) fn in_force(&self) -> BTreeMap<Key, InForce> {
        let value = |(key, laid): (&Key, &Laid)| (key.clone(), laid.value.clone());
        self.laid.iter().map(value).collect()
    }

    pub(super) const fn refused(&self) -> &BTreeMap<String, Refused> {
        &self.refused
    }

    /// Whether another program reads this key.
    pub(super) fn leaves(&self, key: &str) -> bool {
        self.catalog.leaves(key)
    }

    /// Whether a value, or giving one up, would be right beside all that is in force.
    pub(super) fn check(&self, key: &str, text: Option<&str>) -> Result<(), String> {
        if self.catalog.leaves(key) {
            return Err("another program reads this key".to_owned());
        }
        let (key, path) = self.place(key, text.unwrap_or_default())?;
        let change = Change {
            key,
            path,
            to: text.map(str::to_owned),
            source: Arc::from(""),
        };
        let read = self.read_with(&[change]);
        read.map(drop).map_err(|faults| faults[0].to_string())
    }

    /// Lays `wanted` over the static values, as far as the whole is right with it.
    pub(super) fn apply(&mut self, wanted: &BTreeMap<String, Said>, now_ms: i64) {
        let before = std::mem::take(&mut self.refused);
        let places = self.places(wanted, now_ms);
        let changes = self.changes(&places, wanted);
        self.take_up(changes, now_ms);
        for (text, (key, _)) in &places {
            // The same text from elsewhere changes nothing but where it comes from.
            if let Some(laid) = self.laid.get_mut(key)
                && laid.value.text == wanted[*text].text
            {
                laid.value.source = Arc::clone(&wanted[*text].source);
            }
        }
        for (key, refused) in &mut self.refused {
            if let Some(known) = before.get(key)
                && (&known.text, &known.reason) == (&refused.text, &refused.reason)
            {
                refused.since_ms = known.since_ms;
            }
        }
    }

    /// The keys that name a setting, with their paths. Others are refused.
    fn places<'w>(
        &mut self,
        wanted: &'w BTreeMap<String, Said>,
        now_ms: i64,
    ) -> BTreeMap<&'w str, (Key, Vec<String>)> {
        let mut places = BTreeMap::new();
        let ours = wanted.iter().filter(|(key, _)| !self.catalog.leaves(key));
        for (text, said) in ours {
            match self.place(text, &said.text) {
                Ok(place) => {
                    places.insert(text.as_str(), place);
                }
                Err(reason) => {
                    let refused = Refused {
                        text: Some(said.text.clone()),
                        source: Arc::clone(&said.source),
                        reason,
                        since_ms: now_ms,
                    };
                    self.refused.insert(text.clone(), refused);
                }
            }
        }
        places
    }

    fn place(&self, key: &str, text: &str) -> Result<(Key, Vec<String>), String> {
        let key = Key::new(key).map_err(|error| error.to_string())?;
        let path = self.catalog.path_of(&key, &self.base);
        let path = path.map_err(|fault| fault.to_string())?;
        if text.len() > MAX_VALUE_LEN {
            return Err(format!("a value has at most {MAX_VALUE_LEN} bytes"));
        }
        Ok((key, path))
    }

    fn changes(
        &self,
        places: &BTreeMap<&str, (Key, Vec<String>)>,
        wanted: &BTreeMap<String, Said>,
    ) -> Vec<Change> {
        let changed = places.iter().filter_map(|(text, (key, path))| {
            let said = &wanted[*text];
            let laid = self.laid.get(key);
            (laid.is_none_or(|laid| laid.value.text != said.text)).then(|| Change {
                key: key.clone(),
                path: path.clone(),
                to: Some(said.text.clone()),
                source: Arc::clone(&said.source),
            })
        });
        // What became too long, or the like, is refused, not given up.
        let missing = |(key, _): &(&Key, &Laid)| !wanted.contains_key(key.as_str());
        let given_up = self.laid.iter().filter(missing);
        let given_up = given_up.map(|(key, laid)| Change {
            key: key.clone(),
            path: laid.path.clone(),
            to: None,
            source: Arc::clone(&laid.value.source),
        });
        changed.chain(given_up).collect()
    }

    /// All at once, without those that are wrong by themselves; or, where it cannot be told which are wrong, one by one.
    fn take_up(&mut self, mut changes: Vec<Change>, now_ms: i64) {
        while !changes.is_empty() {
            let faults = match self.read_with(&changes) {
                Ok(value) => return self.commit(value, changes, now_ms),
                Err(faults) => faults,
            };
            let wrong = |change: &Change| faults.iter().find(|fault| fault.is_in(&change.path));
            if changes.iter().all(|change| wrong(change).is_none()) {
                return self.take_up_one_by_one(changes, now_ms);
            }
            let (refused, rest) = changes
                .into_iter()
                .partition(|change| wrong(change).is_some());
            let refused: Vec<Change> = refused;
            for change in refused {
                let reason = wrong(&change).map_or_else(String::new, |fault| fault.what.clone());
                self.refuse(change, reason, now_ms);
            }
            changes = rest;
        }
    }

    /// Again and again, since one may be right only after another.
    fn take_up_one_by_one(&mut self, mut changes: Vec<Change>, now_ms: i64) {
        loop {
            let mut wrong = Vec::new();
            let before = changes.len();
            for change in changes {
                match self.read_with(std::slice::from_ref(&change)) {
                    Ok(value) => self.commit(value, vec![change], now_ms),
                    Err(faults) => wrong.push((change, faults)),
                }
            }
            if wrong.len() == before {
                for (change, faults) in wrong {
                    self.refuse(change, faults[0].to_string(), now_ms);
                }
                return;
            }
            changes = wrong.into_iter().map(|(change, _)| change).collect();
        }
    }

    fn read_with(&self, changes: &[Change]) -> Result<T, Vec<Fault>> {
        let laid = self.laid.values();
        let mut overlay: Overlay<'_> = laid
            .map(|laid| (laid.path.as_slice(), laid.value.text.as_str()))
            .collect();
        for change in changes {
            match &change.to {
                Some(text) => overlay.insert(&change.path, text),
                None => overlay.remove(change.path.as_slice()),
            };
        }
        read_and_check(&self.base, &overlay, &self.check)
    }

    fn commit(&mut self, value: T, changes: Vec<Change>, now_ms: i64) {
        self.value = Arc::new(value);
        for Change {
            key,
            path,
            to,
            source,
        } in changes
        {
            match to {
                Some(text) => {
                    tracing::info!(%key, text, source = &*source, "a setting has changed");
                    let value = InForce {
                        text,
                        source,
                        changed_ms: now_ms,
                    };
                    self.laid.insert(key, Laid { path, value });
                }
                None => {
                    tracing::info!(%key, source = &*source, "a setting is as in the static configuration again");
                    self.laid.remove(&key);
                }
            }
        }
    }

    fn refuse(&mut self, change: Change, reason: String, now_ms: i64) {
        let Change {
            key, to, source, ..
        } = change;
        tracing::warn!(%key, source = &*source, reason, "a setting is refused: the last good value stays");
        let refused = Refused {
            text: to,
            source,
            reason,
            since_ms: now_ms,
        };
        self.refused.insert(key.to_string(), refused);
    }
}

fn read_and_check<T: DeserializeOwned>(
    base: &Table,
    overlay: &Overlay<'_>,
    check: impl Fn(&T) -> Vec<Fault>,
) -> Result<T, Vec<Fault>> {
    let value = read(base, overlay).map_err(|fault| vec![fault])?;
    let faults = check(&value);
    if faults.is_empty() {
        Ok(value)
    } else {
        Err(faults)
    }
}

impl<T> fmt::Debug for Layers<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Layers")
            .field("laid", &self.laid.keys())
            .field("refused", &self.refused.keys())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
