//! Following the sources, and telling what holds.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::future::join_all;
use polling_model::{Generator, SharedClock, chain};
use serde::de::DeserializeOwned;
use tokio::{sync::watch, time::sleep};

use super::{Current, Found, Layers, MAX_KEYS, Source, SourceError, SourceState, layers::Said};

/// Pause after the first failure of a source; twice as long after each further one …
const SHORTEST_PAUSE_MS: u64 = 200;

/// … up to this.
const LONGEST_PAUSE_MS: u64 = 10_000;

/// What holds at present. Clones see the same.
pub struct Settings<T> {
    current: watch::Receiver<Arc<Current<T>>>,
    shared: Arc<Shared<T>>,
}

/// Gathers sources.
#[must_use = "nothing happens until it is started"]
pub struct Building<T> {
    layers: Layers<T>,
    clock: SharedClock,
    generator: Generator,
    sources: Vec<Box<dyn Source>>,
}

impl<T> Clone for Settings<T> {
    fn clone(&self) -> Self {
        Self {
            current: self.current.clone(),
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<T: DeserializeOwned + Send + Sync + 'static> Settings<T> {
    /// Starts with the static values; sources follow.
    pub fn over(layers: Layers<T>, clock: SharedClock, generator: Generator) -> Building<T> {
        Building {
            layers,
            clock,
            generator,
            sources: Vec::new(),
        }
    }
}

impl<T> Settings<T> {
    /// The configuration in force.
    #[must_use]
    pub fn get(&self) -> Arc<T> {
        Arc::clone(&self.current.borrow().value)
    }

    /// The same with where it comes from, and what was refused.
    #[must_use]
    pub fn current(&self) -> Arc<Current<T>> {
        Arc::clone(&self.current.borrow())
    }

    /// Tells every change, of a value or of a source's state.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Arc<Current<T>>> {
        self.current.clone()
    }
}

impl<T: DeserializeOwned> Settings<T> {
    /// Whether a value, or with `None` giving up the one in force, would be right beside all that is in force.
    ///
    /// # Errors
    ///
    /// Why it would be refused.
    pub fn check(&self, key: &str, text: Option<&str>) -> Result<(), String> {
        self.shared.lock().layers.check(key, text)
    }
}

impl<T> fmt::Debug for Settings<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").finish_non_exhaustive()
    }
}

impl<T: DeserializeOwned + Send + Sync + 'static> Building<T> {
    /// Adds a source whose values lie over those of the sources before.
    pub fn source(mut self, source: impl Source) -> Self {
        self.sources.push(Box::new(source));
        self
    }

    /// What holds, and what keeps it so for as long as it is polled.
    pub fn start(self) -> (Settings<T>, impl Future<Output = ()> + Send + 'static) {
        let Self {
            layers,
            clock,
            generator,
            sources,
        } = self;
        let states = sources.iter().map(|source| Heard::nothing(source.name()));
        let state = State {
            layers,
            heard: states.collect(),
        };
        let (current, receiver) = watch::channel(Arc::new(state.current()));
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            current,
            clock,
        });
        let following = sources
            .into_iter()
            .enumerate()
            .map(|(index, source)| follow(Arc::clone(&shared), index, source, generator.clone()));
        let following = join_all(following.collect::<Vec<_>>());
        let run = async move {
            following.await;
        };
        let settings = Settings {
            current: receiver,
            shared,
        };
        (settings, run)
    }
}

struct Shared<T> {
    state: Mutex<State<T>>,
    current: watch::Sender<Arc<Current<T>>>,
    clock: SharedClock,
}

struct State<T> {
    layers: Layers<T>,
    /// Weakest first.
    heard: Vec<Heard>,
}

/// What a source said.
struct Heard {
    state: SourceState,
    found: Found,
}

impl Heard {
    fn nothing(name: &str) -> Self {
        Self {
            state: SourceState {
                name: name.into(),
                heard_ms: None,
                failure: None,
            },
            found: Found::new(),
        }
    }

    /// What was said last stays where what is said now cannot be meant.
    fn take(&mut self, found: Found, now_ms: i64) {
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
            None
        };
    }
}

async fn follow<T: DeserializeOwned>(
    shared: Arc<Shared<T>>,
    index: usize,
    mut source: Box<dyn Source>,
    generator: Generator,
) {
    let mut failures = 0;
    loop {
        match source.next().await {
            Ok(found) => {
                failures = 0;
                shared.change(index, |heard, now_ms| heard.take(found, now_ms));
            }
            Err(error) => {
                failures += 1;
                shared.change(index, |heard, _| heard.state.failure = Some(told(&error)));
                sleep(pause(failures, &generator)).await;
            }
        }
    }
}

fn told(error: &SourceError) -> String {
    format!("{}: what it said before stays", chain(error))
}

/// Half of it by chance, so that not all ask at the same moment.
fn pause(failures: u32, generator: &Generator) -> Duration {
    let bound_ms = (SHORTEST_PAUSE_MS << (failures - 1).min(16)).min(LONGEST_PAUSE_MS);
    Duration::from_millis(bound_ms / 2 + generator.below(bound_ms / 2))
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // Nothing panics between a source's change and what follows from it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: DeserializeOwned> Shared<T> {
    /// Changes what is known of a source, and tells what follows.
    fn change(&self, index: usize, change: impl FnOnce(&mut Heard, i64)) {
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
}

impl<T: DeserializeOwned> State<T> {
    /// What is to hold: of each key, what the strongest source says.
    fn wanted(&self) -> BTreeMap<String, Said> {
        let said = |heard: &Heard| {
            let source = Arc::clone(&heard.state.name);
            let texts = heard.found.clone().into_iter();
            texts.map(move |(key, text)| {
                let source = Arc::clone(&source);
                (key, Said { text, source })
            })
        };
        self.heard.iter().flat_map(said).collect()
    }

    fn current(&self) -> Current<T> {
        Current {
            value: Arc::clone(self.layers.value()),
            in_force: self.layers.in_force(),
            refused: self.layers.refused().clone(),
            sources: self.heard.iter().map(|heard| heard.state.clone()).collect(),
        }
    }
}

#[cfg(test)]
mod tests;
