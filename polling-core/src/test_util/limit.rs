//! A rate limit of a fake channel.

use std::time::Duration;

use tokio::time::Instant;

use super::{Reply, clock};
use crate::SharedClock;

/// So many calls per window, told in `X-RateLimit-Limit`, `-Remaining` and `-Reset` (Unix seconds);
/// beyond that 429 with `Retry-After`. The clock begins at [`START_MS`](super::START_MS), as that
/// of a [`Rig`](super::Rig).
#[derive(Debug)]
pub struct Limit {
    calls: u64,
    window: Duration,
    used: u64,
    ends: Instant,
    clock: SharedClock,
}

impl Limit {
    /// `calls` per `window`; the first begins now.
    #[must_use]
    pub fn new(calls: u64, window: Duration) -> Self {
        Self {
            calls,
            window,
            used: 0,
            ends: Instant::now() + window,
            clock: clock(),
        }
    }

    /// Lets the channel answer `calls` more calls in this window.
    pub fn leave(&mut self, calls: u64) {
        self.used = self.calls.saturating_sub(calls);
    }

    /// `reply`, with what is left of the limit, or the refusal.
    pub fn answer(&mut self, reply: Reply) -> Reply {
        let now = Instant::now();
        if now >= self.ends {
            self.used = 0;
            self.ends = now + self.window;
        }
        let left = self.ends - now;
        let reset_ms = self.clock.now_ms().unsigned_abs() + left.as_millis() as u64;
        let reply = if self.used < self.calls {
            self.used += 1;
            reply
        } else {
            // Rounded up, so that who waits as long as told is not refused again.
            let wait_s = left.as_millis().div_ceil(1000);
            Reply::status(429).with_header("retry-after", wait_s.to_string())
        };
        reply
            .with_header("x-ratelimit-limit", self.calls.to_string())
            .with_header(
                "x-ratelimit-remaining",
                (self.calls - self.used).to_string(),
            )
            .with_header("x-ratelimit-reset", reset_ms.div_ceil(1000).to_string())
    }
}
