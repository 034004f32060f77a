//! So many events per second, over all jobs of a worker.

use std::{
    fmt,
    num::NonZeroU32,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use governor::{
    Quota, RateLimiter,
    clock::Clock,
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed},
};
use tokio::time::sleep;

use crate::time::TokioTime;

type Limiter = RateLimiter<NotKeyed, InMemoryState, TokioTime, NoOpMiddleware<Duration>>;

/// Clones share one state: a limiter in each clone would let each clone pass the whole rate.
#[derive(Clone)]
pub(crate) struct Throttle {
    limiter: Arc<RwLock<Limiter>>,
    time: TokioTime,
    burst: NonZeroU32,
}

impl Throttle {
    pub(super) fn new(rate: NonZeroU32, burst: NonZeroU32) -> Self {
        let time = TokioTime::new();
        Self {
            limiter: Arc::new(RwLock::new(limiter(rate, burst, &time))),
            time,
            burst,
        }
    }

    /// So many per second from now on, after a fresh burst.
    pub(crate) fn set_rate(&self, rate: NonZeroU32) {
        let limiter = limiter(rate, self.burst, &self.time);
        let held = self.limiter.write();
        *held.unwrap_or_else(PoisonError::into_inner) = limiter;
    }

    /// Most events that can pass at once.
    pub(super) fn burst(&self) -> usize {
        self.burst.get() as usize
    }

    /// Waits until `events` may pass, at most [`burst`](Self::burst).
    pub(super) async fn pass(&self, events: usize) {
        let events = u32::try_from(events)
            .unwrap_or(u32::MAX)
            .min(self.burst.get());
        let Some(events) = NonZeroU32::new(events) else {
            return;
        };
        while let Some(wait) = self.wait(events) {
            sleep(wait).await;
        }
    }

    /// How long to wait before asking again; `None` once they have passed.
    fn wait(&self, events: NonZeroU32) -> Option<Duration> {
        let limiter = self.limiter.read().unwrap_or_else(PoisonError::into_inner);
        let passed = limiter.check_n(events);
        let passed = passed.expect("no more than the burst is asked for");
        let not_until = passed.err()?;
        Some(not_until.wait_time_from(self.time.now()))
    }
}

fn limiter(rate: NonZeroU32, burst: NonZeroU32, time: &TokioTime) -> Limiter {
    let quota = Quota::per_second(rate).allow_burst(burst);
    RateLimiter::direct_with_clock(quota, time.clone())
}

impl fmt::Debug for Throttle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Throttle")
            .field("burst", &self.burst)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;
    use proptest::prelude::*;
    use tokio::time::Instant;

    use super::*;

    fn paused<T>(test: impl Future<Output = T>) -> T {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_time().start_paused(true).build().unwrap();
        runtime.block_on(test)
    }

    proptest! {
        #[test]
        fn clones_together_pass_no_more_than_the_rate(
            rate in 1u32..1_000, burst in 1u32..200, clones in 1usize..6, each in 1usize..40,
        ) {
            let throttle = Throttle::new(NonZeroU32::new(rate).unwrap(), NonZeroU32::new(burst).unwrap());
            let elapsed = paused(async {
                let started = Instant::now();
                let tasks = (0..clones).map(|_| {
                    let throttle = throttle.clone();
                    async move {
                        for _ in 0..each {
                            throttle.pass(1).await;
                        }
                    }
                });
                join_all(tasks).await;
                started.elapsed()
            });
            let beyond_burst = (clones * each).saturating_sub(burst as usize);
            let least = beyond_burst as f64 / f64::from(rate);
            // A millisecond is the timer's grain.
            prop_assert!(elapsed.as_secs_f64() >= least - 0.001, "{elapsed:?} < {least} s");
        }
    }
}
