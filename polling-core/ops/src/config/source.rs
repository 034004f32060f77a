//! Where dynamic values come from.

use std::{collections::BTreeMap, error::Error, time::Duration};

use futures_util::future::BoxFuture;
use tokio::time::sleep;

/// Most keys of a source.
pub const MAX_KEYS: usize = 10_000;

/// Longest value, bytes.
pub const MAX_VALUE_LEN: usize = 4 * 1024;

/// All that a source holds: texts by the keys below its prefix, right or wrong.
pub type Found = BTreeMap<String, String>;

/// Something that holds values, and tells when they change.
pub trait Source: Send + 'static {
    /// What it is called in reports; distinct among the sources of a program.
    fn name(&self) -> &str;

    /// All that it holds: the first time and after an error as soon as that is known, otherwise once it differs from what
    /// was told last. Each call to a server has a deadline of its own. Dropped before its end it loses nothing.
    ///
    /// # Errors
    ///
    /// That what it holds is not known. It is asked again after a pause.
    fn next(&mut self) -> BoxFuture<'_, Result<Found, SourceError>>;

    /// Whether what it said in an earlier run may hold until it answers; false of what changes only with a restart.
    fn outlives_restarts(&self) -> bool {
        true
    }
}

/// Pause between two looks at what does not tell of changes.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Looks until what is there differs from what was told last, or cannot be read.
pub(super) async fn differing<F>(
    told: &mut Option<Found>,
    read: impl Fn() -> F,
) -> Result<Found, SourceError>
where
    F: Future<Output = Result<Found, SourceError>>,
{
    loop {
        let found = read().await;
        if told.is_some() && found.as_ref().ok() == told.as_ref() {
            sleep(LOOK_EVERY).await;
            continue;
        }
        // After an error it is told whatever it is.
        *told = found.as_ref().ok().cloned();
        return found;
    }
}

/// What a source holds is not known.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct SourceError {
    what: String,
    #[source]
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl SourceError {
    /// What failed, without the reason.
    pub fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            source: None,
        }
    }

    /// The reason.
    #[must_use]
    pub fn because(mut self, reason: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(reason.into());
        self
    }
}
