//! Keeping what sources say for the next start.

use std::{path::PathBuf, sync::Arc, time::Duration};

use serde::de::DeserializeOwned;
use tokio::{
    sync::watch,
    task::spawn_blocking,
    time::{sleep, timeout},
};

use super::{
    kept::{self, Kept},
    state::Shared,
};
use crate::config::Current;

/// Least time between two writes, whatever changes in between.
const PERIOD: Duration = Duration::from_millis(200);

/// Pause before what could not be written is tried again.
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// Writes what is said to `path` whenever it differs from what was `written` last; as long as it is polled.
pub(super) async fn keep<T: DeserializeOwned + Send + Sync + 'static>(
    shared: Arc<Shared<T>>,
    path: PathBuf,
    mut written: Kept,
    mut changes: watch::Receiver<Arc<Current<T>>>,
) {
    let mut failed = false;
    loop {
        let changed = changes.changed();
        if failed {
            // Again after a while, even if nothing changes.
            let _ = timeout(RETRY_AFTER, changed).await;
        } else if changed.await.is_err() {
            return;
        }
        let said = shared.kept();
        // An empty file helps nobody; and the file that could not be read may still be mended.
        if said.is_empty() || said == written {
            continue;
        }
        let result = write(path.clone(), said.clone()).await;
        failed = result.is_err();
        if !failed {
            written = said;
        }
        shared.set_unkept(result.err());
        sleep(PERIOD).await;
    }
}

async fn write(path: PathBuf, said: Kept) -> Result<(), String> {
    let name = path.display().to_string();
    let done = spawn_blocking(move || kept::write(&path, said)).await;
    let done = done.map_err(std::io::Error::from).flatten();
    done.map_err(|error| format!("{name} cannot be written: {error}"))
}

#[cfg(test)]
mod tests;
