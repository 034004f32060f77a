//! Tokio's time for governor, so that limiters follow paused time as sleeps do.

use std::time::Duration;

use tokio::time::Instant;

/// Time since the limiter was made.
#[derive(Debug, Clone)]
pub(crate) struct TokioTime(Instant);

impl TokioTime {
    pub(crate) fn new() -> Self {
        Self(Instant::now())
    }
}

impl governor::clock::Clock for TokioTime {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}
