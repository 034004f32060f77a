//! Checks of what is not there yet.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use futures_util::future::{Either, ready};

use super::{Check, Verdict};

/// What is not there yet, and how to ask it once it is: see [`late`].
#[derive(Debug, Clone)]
pub struct Late(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    lacking: Mutex<String>,
    found: OnceLock<Check>,
}

/// A check of something that a start waits for, such as a queue that somebody has yet to create. It
/// fails until [`Late::found`] says how to ask; a probe hears meanwhile what is lacking.
///
/// ```
/// # use std::sync::Arc;
/// # use polling_model::SystemClock;
/// # use polling_ops::health::{Health, checks};
/// # use polling_transport::memory::MemoryQueue;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), polling_ops::health::HealthError> {
/// # let work = MemoryQueue::builder("posts", Arc::new(SystemClock)).build();
/// let (check, queue) = checks::late("work queue");
/// let health = Health::builder(Arc::new(SystemClock)).check(check).build()?;
/// // Probes are answered from here on.
/// assert!(!health.readiness().await.serves());
/// queue.found(checks::queue(work));
/// # Ok(())
/// # }
/// ```
pub fn late(name: impl Into<String>) -> (Check, Late) {
    let shared = Arc::new(Shared {
        lacking: Mutex::new("not yet looked for".to_owned()),
        found: OnceLock::new(),
    });
    let late = Late(Arc::clone(&shared));
    let look = move || match shared.found.get() {
        Some(check) => Either::Left(check.ask()),
        None => Either::Right(ready(Verdict::failing(&*shared.lacking()))),
    };
    (Check::new(name, look), late)
}

impl Late {
    /// It is not there, and this is why.
    pub fn lacks(&self, why: impl Into<String>) {
        *self.0.lacking() = why.into();
    }

    /// It is there: from now on `check` is asked. Only the first counts. Its name and settings do
    /// not: those of the late check hold.
    pub fn found(&self, check: Check) {
        let _ = self.0.found.set(check);
    }
}

impl Shared {
    fn lacking(&self) -> MutexGuard<'_, String> {
        // One assignment cannot be left half-way.
        self.lacking.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
