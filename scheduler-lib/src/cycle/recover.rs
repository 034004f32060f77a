//! What brings back jobs that fell out of step: the reaper and the sweep.

use std::{sync::Arc, time::Duration};

use polling_model::{KillPoint, Observation};
use tokio_util::sync::CancellationToken;

use super::{Cycle, every, next_tick, status::add};
use crate::{
    pace::Pace,
    store::{MAX_CHUNK, StoreError, SweepCursor},
};

/// Places anew what is in flight past its deadline.
pub(super) async fn reap(cycle: Arc<Cycle>, stop: CancellationToken) {
    let mut pace = Pace::new(cycle.channel.limits().reap_per_s, cycle.clock.now_ms());
    let mut ticks = every(cycle.channel.limits().tick);
    let began_ms = cycle.clock.now_ms();
    let mut failures = 0;
    while next_tick(&mut ticks, &stop).await {
        match cycle.reap(&mut pace, began_ms).await {
            Ok(()) => failures = 0,
            Err(error) => {
                cycle
                    .pause_after(&error, "reaping", &mut failures, &stop)
                    .await;
            }
        }
    }
}

/// Looks at every job once in a while, and mends what is not in exactly one place.
pub(super) async fn sweep(cycle: Arc<Cycle>, stop: CancellationToken) {
    let per_s = cycle.channel.limits().sweep_per_s;
    let per_step = (per_s as usize).min(MAX_CHUNK);
    let steps_per_s = f64::from(per_s) / per_step as f64;
    let mut ticks = every(Duration::from_secs_f64(1.0 / steps_per_s));
    let (mut from, mut failures) = (None, 0);
    while next_tick(&mut ticks, &stop).await {
        match cycle.sweep(from.take(), per_step).await {
            Ok(next) => {
                failures = 0;
                from = next;
            }
            Err(error) => {
                cycle
                    .pause_after(&error, "sweeping", &mut failures, &stop)
                    .await;
            }
        }
    }
}

impl Cycle {
    async fn reap(&self, pace: &mut Pace, began_ms: i64) -> Result<(), StoreError> {
        pace.set(self.channel.limits().reap_per_s);
        loop {
            let limit = pace.take(MAX_CHUNK, self.clock.now_ms());
            if limit == 0 {
                return Ok(());
            }
            let reaped = self
                .channel
                .store
                .reap(self.reapable_ms(began_ms), limit, self.clock.now_ms())
                .await?;
            pace.give_back(limit - reaped.min(limit));
            if reaped == 0 {
                return Ok(());
            }
            KillPoint::SchedulerReaped.hit();
            tracing::info!(channel = %self.channel.id, jobs = reaped, "no completion came in time; placed anew");
            add(&self.status.reaped, reaped);
            self.observer.observe(Observation::Reaped {
                channel: &self.channel.id,
                jobs: reaped,
            });
        }
    }

    /// In-flight deadlines up to this time may be reaped: the completed queue has been read past
    /// them, or they are so old that waiting for it any longer helps nobody. A scheduler that was
    /// down has not waited yet.
    fn reapable_ms(&self, began_ms: i64) -> i64 {
        let now_ms = self.clock.now_ms();
        let read_ms = self.watermark.read_through_ms().min(now_ms);
        let grace_ms = self.channel.limits().reap_grace.as_millis() as i64;
        if now_ms - began_ms < grace_ms {
            return read_ms;
        }
        read_ms.max(now_ms - grace_ms)
    }

    async fn sweep(
        &self,
        from: Option<SweepCursor>,
        limit: usize,
    ) -> Result<Option<SweepCursor>, StoreError> {
        let swept = self.channel.store.sweep(from, limit).await?;
        KillPoint::SchedulerSwept.hit();
        if swept.repaired > 0 {
            tracing::error!(channel = %self.channel.id, jobs = swept.repaired, "jobs were not in exactly one place; mended");
            add(&self.status.repaired, swept.repaired);
            self.observer.observe(Observation::Repaired {
                channel: &self.channel.id,
                jobs: swept.repaired,
            });
        }
        Ok(swept.next)
    }
}
