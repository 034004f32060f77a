//! A clock that agrees with the runtime's timers.

use polling_model::Clock;
use tokio::time::Instant;

/// Wall-clock time that moves with Tokio's timers: under paused time it stands and jumps with
/// them, so that a test or a simulation of days takes no time and deadlines agree with sleeps.
#[derive(Debug, Clone)]
pub struct TokioClock {
    epoch: Instant,
    epoch_ms: i64,
}

impl TokioClock {
    /// A clock that shows `now_ms`, UTC milliseconds, at this moment. Call it within a runtime
    /// whose time may be paused.
    #[must_use]
    pub fn starting_at(now_ms: i64) -> Self {
        Self {
            epoch: Instant::now(),
            epoch_ms: now_ms,
        }
    }
}

impl Clock for TokioClock {
    fn now_ms(&self) -> i64 {
        self.epoch_ms + self.epoch.elapsed().as_millis() as i64
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_moves_with_the_paused_timers() {
        let clock = TokioClock::starting_at(1_000);
        tokio::time::sleep(Duration::from_secs(86_400)).await;
        assert_eq!(clock.now_ms(), 86_401_000);
    }
}
