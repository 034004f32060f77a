//! How a poll ended goes to the completed queue.

mod outcome;
mod service;
mod store;

use std::{sync::Arc, time::Duration};

use tower::Layer;

pub use self::service::Complete;
use crate::{Generator, SharedClock, SharedObserver, SharedQueue};

/// Puts [`Complete`] around a service.
#[derive(Debug, Clone)]
pub struct CompleteLayer {
    completed: SharedQueue,
    clock: SharedClock,
    observer: SharedObserver,
    generator: Generator,
    timeout: Duration,
}

impl CompleteLayer {
    /// Stores completions on `completed`, each within `timeout`. The generator gives the jitter of
    /// its retries.
    #[must_use]
    pub fn new(
        completed: SharedQueue,
        clock: SharedClock,
        observer: SharedObserver,
        generator: Generator,
        timeout: Duration,
    ) -> Self {
        Self {
            completed,
            clock,
            observer,
            generator,
            timeout,
        }
    }
}

impl<S> Layer<S> for CompleteLayer {
    type Service = Complete<S>;

    fn layer(&self, inner: S) -> Complete<S> {
        Complete::new(inner, Arc::new(self.clone()))
    }
}
