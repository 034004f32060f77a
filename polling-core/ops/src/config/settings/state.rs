//! What each source said, and what follows from it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use polling_model::SharedClock;
use serde::de::DeserializeOwned;
use tokio::sync::watch;

use super::{
    super::{Current, Found, Layers, MAX_KEYS, SourceState, layers},
    kept::{Kept, Said},
};

pub(super) struct Shared<T> {
    state: Mutex<State<T>>,
    current: watch::Sender<Arc<Current<T>>>,
    clock: SharedClock,
}

pub(super) struct State<T> {
    pub(super) layers: Layers<T>,
    /// Weakest first.
    heard: Vec<Heard>,
    /// Why what is said cannot be kept, or was not recalled.
    unkept: Option<String>,
}

/// What a source said.
pub(super) struct Heard {
    pub(super) state: SourceState,
    found: Found,
}

impl Heard {
    /// Nothing, or what it said in an earlier run.
    pub(super) fn at_start(name: &str, recalled: Option<Said>) -> Self {
        let recalled_ms = recalled.as_ref().map(|said| said.at_ms);
        Self {
            state: SourceState {
                name: name.into(),
                heard_ms: None,
                recalled_ms,
                failure: None,
            },
            found: recalled.map(|said| said.found).unwrap_or_default(),
        }
    }

    /// What was said last stays where what is said now cannot be meant.
    pub(super) fn take(&mut self, found: Found, now_ms: i64) {
        self.state.heard_ms = Some(now_ms);
        self.state.failure = if found.len() > MAX_KEYS {
            Some(format!(
                "it holds {} keys, more than {MAX_KEYS}: what it said before stays",
                found.len()
            ))
        } else if found.is_empty() && !self.found.is_empty() {
            Some("it holds nothing any more: what it said before stays".to_owned())
        } else {
            self.found = found;
            self.state.recalled_ms = None;
            None
        };
    }
}

impl<T> Shared<T> {
    pub(super) fn lock(&self) -> MutexGuard<'_, State<T>> {
        // Nothing panics between a source's change and what follows from it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells every change.
    pub(super) fn watch(&self) -> watch::Receiver<Arc<Current<T>>> {
        self.current.subscribe()
    }
}

impl<T: DeserializeOwned> Shared<T> {
    pub(super) fn new(
        layers: Layers<T>,
        heard: Vec<Heard>,
        unkept: Option<String>,
        clock: SharedClock,
    ) -> Self {
        let mut state = State {
            layers,
            heard,
            unkept,
        };
        let wanted = state.wanted();
        state.layers.apply(&wanted, clock.now_ms());
        Self {
            current: watch::Sender::new(Arc::new(state.current())),
            state: Mutex::new(state),
            clock,
        }
    }

    /// Changes what is known of a source, and tells what follows.
    pub(super) fn change(&self, index: usize, change: impl FnOnce(&mut Heard, i64)) {
        let now_ms = self.clock.now_ms();
        let mut state = self.lock();
        let heard = &mut state.heard[index];
        let before = heard.state.failure.clone();
        change(heard, now_ms);
        match (&before, &heard.state.failure) {
            (before, after) if before == after => {}
            (_, Some(failure)) => {
                tracing::warn!(
                    source = &*heard.state.name,
                    failure,
                    "a source of settings fails"
                );
            }
            (_, None) => {
                tracing::info!(
                    source = &*heard.state.name,
                    "a source of settings answers again"
                );
            }
        }
        let wanted = state.wanted();
        state.layers.apply(&wanted, now_ms);
        self.current.send_replace(Arc::new(state.current()));
    }

    /// What the next run is to recall.
    pub(super) fn kept(&self) -> Kept {
        let state = self.lock();
        state
            .heard
            .iter()
            .filter_map(|heard| state.kept_of(heard))
            .collect()
    }

    /// Tells whether it can be kept.
    pub(super) fn set_unkept(&self, unkept: Option<String>) {
        let mut state = self.lock();
        if state.unkept == unkept {
            return;
        }
        if let Some(reason) = &unkept {
            tracing::warn!(reason, "settings are not kept for the next start");
        }
        state.unkept = unkept;
        self.current.send_replace(Arc::new(state.current()));
    }
}

impl<T: DeserializeOwned> State<T> {
    /// What is to hold: of each key, what the strongest source says.
    fn wanted(&self) -> BTreeMap<String, layers::Said> {
        let said = |heard: &Heard| {
            let source = Arc::clone(&heard.state.name);
            let texts = heard.found.clone().into_iter();
            texts.map(move |(key, text)| {
                let source = Arc::clone(&source);
                (key, layers::Said { text, source })
            })
        };
        self.heard.iter().flat_map(said).collect()
    }

    /// What a source said of this program's settings; where that was refused, its last good value, so that a restart
    /// does not lose it.
    fn kept_of(&self, heard: &Heard) -> Option<(String, Said)> {
        let at_ms = heard.state.recalled_ms.or(heard.state.heard_ms)?;
        let mut found = heard.found.clone();
        found.retain(|key, _| !self.layers.leaves(key));
        let in_force = self.layers.in_force().into_iter();
        let of_source = in_force.filter(|(_, value)| value.source == heard.state.name);
        found.extend(of_source.map(|(key, value)| (key.to_string(), value.text)));
        Some((heard.state.name.to_string(), Said { at_ms, found }))
    }

    fn current(&self) -> Current<T> {
        Current {
            value: Arc::clone(self.layers.value()),
            in_force: self.layers.in_force(),
            refused: self.layers.refused().clone(),
            sources: self.heard.iter().map(|heard| heard.state.clone()).collect(),
            unkept: self.unkept.clone(),
        }
    }
}
