//! The loops that keep a channel's jobs in their cycle. Each is driven by time alone: nothing
//! waits for a wake-up that could be lost.

mod allot;
mod backlog;
mod burst;
mod dead_letter;
mod deadline;
mod dispatch;
mod hear;
mod parts;
mod recover;
mod report;
mod settle;
mod settler;
mod status;
mod trace;
mod watermark;

use std::{
    error::Error,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use polling_model::{Generator, SharedClock, SharedObserver, TraceRatio, chain};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use self::status::ChannelStatus;
use self::{backlog::Backlog, status::StatusCell, watermark::Watermark};
use crate::{channel::Channel, limits::MAX_PAUSE};

/// What the loops of one channel share.
#[derive(Debug)]
pub(crate) struct Cycle {
    pub(crate) channel: Channel,
    pub(crate) clock: SharedClock,
    pub(crate) generator: Generator,
    pub(crate) observer: SharedObserver,
    pub(crate) status: StatusCell,
    /// How many traces are chosen when they begin; `None`: messages carry none.
    traces: Option<TraceRatio>,
    watermark: Watermark,
    backlog: Backlog,
    /// Whether any job has asked for a call within a rate limit.
    limited: AtomicBool,
}

impl Cycle {
    pub(crate) fn new(
        channel: Channel,
        clock: SharedClock,
        generator: Generator,
        observer: SharedObserver,
        traces: Option<TraceRatio>,
    ) -> Self {
        let status = StatusCell::default();
        let limited = channel
            .kinds
            .values()
            .any(|kind| !kind.policy().rules.scopes.is_empty());
        Self {
            channel,
            clock,
            generator,
            observer,
            status,
            traces,
            watermark: Watermark::default(),
            backlog: Backlog::default(),
            limited: AtomicBool::new(limited),
        }
    }

    /// Starts every loop of the channel.
    pub(crate) fn spawn(self: &Arc<Self>, tasks: &mut JoinSet<()>, stop: &CancellationToken) {
        tasks.spawn(dispatch::run(Arc::clone(self), stop.clone()));
        tasks.spawn(recover::reap(Arc::clone(self), stop.clone()));
        tasks.spawn(recover::sweep(Arc::clone(self), stop.clone()));
        tasks.spawn(dead_letter::run(Arc::clone(self), stop.clone()));
        for _ in 0..self.channel.limits().settlers {
            tasks.spawn(settler::run(Arc::clone(self), stop.clone()));
        }
    }

    /// Logs a failure of a loop and pauses it, longer after each in a row; or until told to stop.
    async fn pause_after(
        &self,
        error: &(dyn Error + Send + Sync + 'static),
        doing: &str,
        failures: &mut u32,
        stop: &CancellationToken,
    ) {
        *failures = failures.saturating_add(1);
        let bound_ms = (100u64 << (*failures).min(10)).min(MAX_PAUSE.as_millis() as u64);
        // At least half the bound: a loop that fails must not spin.
        let pause_ms = bound_ms / 2 + self.generator.below(bound_ms / 2);
        tracing::warn!(
            channel = %self.channel.id, doing, failures = *failures, pause_ms, error = chain(error),
            "a step failed; trying again after a pause"
        );
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            () = tokio::time::sleep(Duration::from_millis(pause_ms)) => {}
        }
    }
}

/// Waits for a loop's next turn. Returns whether to go on.
async fn next_tick(ticks: &mut tokio::time::Interval, stop: &CancellationToken) -> bool {
    tokio::select! {
        biased;
        () = stop.cancelled() => false,
        _ = ticks.tick() => true,
    }
}

/// Turns of a loop; one that was missed is not made up for.
fn every(period: Duration) -> tokio::time::Interval {
    let mut ticks = tokio::time::interval(period);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    ticks
}
