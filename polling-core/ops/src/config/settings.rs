//! Following the sources, and telling what holds.

mod keeper;
mod kept;
mod state;

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use futures_util::future::{OptionFuture, join_all};
use polling_model::{Generator, SharedClock, chain};
use serde::de::DeserializeOwned;
use tokio::{sync::watch, time::sleep};

use self::{
    kept::Kept,
    state::{Heard, Shared},
};
use super::{Current, Layers, Source, SourceError};

/// Pause after the first failure of a source; twice as long after each further one …
const SHORTEST_PAUSE_MS: u64 = 200;

/// … up to this.
const LONGEST_PAUSE_MS: u64 = 2_000;

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
    keep: Option<PathBuf>,
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
            keep: None,
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

    /// Keeps what sources say in this file, for the next start: until a source answers then, what it said last holds. The
    /// folder must be there.
    pub fn keep(mut self, file: impl Into<PathBuf>) -> Self {
        self.keep = Some(file.into());
        self
    }

    /// What holds, and what keeps it so for as long as it is polled. Reads the file of what was kept.
    pub fn start(self) -> (Settings<T>, impl Future<Output = ()> + Send + 'static) {
        let (recalled, unkept) = self.recall();
        let heard = self.sources.iter().map(|source| {
            let recalled = recalled.get(source.name());
            let recalled = recalled.filter(|_| source.outlives_restarts());
            Heard::at_start(source.name(), recalled.cloned())
        });
        let shared = Shared::new(self.layers, heard.collect(), unkept, self.clock);
        let shared = Arc::new(shared);
        let settings = Settings {
            current: shared.watch(),
            shared: Arc::clone(&shared),
        };
        let keeping = self.keep.map(|path| {
            let changes = shared.watch();
            keeper::keep(Arc::clone(&shared), path, recalled, changes)
        });
        let generator = self.generator;
        let following = self.sources.into_iter().enumerate();
        let following = following
            .map(|(index, source)| follow(Arc::clone(&shared), index, source, generator.clone()));
        let following = join_all(following.collect::<Vec<_>>());
        let run = async move {
            tokio::join!(following, OptionFuture::from(keeping));
        };
        (settings, run)
    }

    /// What was kept, or why it cannot be read.
    fn recall(&self) -> (Kept, Option<String>) {
        let Some(path) = &self.keep else {
            return (Kept::new(), None);
        };
        match kept::read(path) {
            Ok(kept) => (kept, None),
            Err(error) => {
                let path = path.display();
                let what = format!("{path} cannot be read, and is ignored: {error}");
                tracing::warn!(reason = what, "settings are not recalled");
                (Kept::new(), Some(what))
            }
        }
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

#[cfg(test)]
mod tests;
