//! The scheduler as a value: build it, take its registries, run it.

use std::{collections::BTreeMap, future::Future, sync::Arc};

use polling_model::{ChannelId, Generator, SharedClock, SharedObserver, SystemClock, TraceRatio};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{
    channel::Channel,
    cycle::{ChannelStatus, Cycle},
    limits::STOP_GRACE,
    registry::Registry,
};

/// Keeps the jobs of one or several channels in their cycle.
///
/// Stateless: all that must survive is in each channel's store. Several schedulers on the same
/// stores and queues share the work by atomic chunks; there is no leader and no lock.
#[derive(Debug)]
pub struct Scheduler {
    cycles: BTreeMap<ChannelId, Arc<Cycle>>,
    clock: SharedClock,
    generator: Generator,
}

impl Scheduler {
    /// Starts with the machine's clock and randomness, and no channel.
    #[must_use]
    pub fn builder() -> SchedulerBuilder {
        SchedulerBuilder {
            channels: Vec::new(),
            clock: Arc::new(SystemClock),
            generator: Generator::from_os(),
            observer: Arc::new(()),
            traces: None,
        }
    }

    /// The registrations of a channel, if this scheduler serves it.
    #[must_use]
    pub fn registry(&self, channel: &ChannelId) -> Option<Registry> {
        let cycle = self.cycles.get(channel)?;
        Some(Registry::new(
            cycle.channel.clone(),
            Arc::clone(&self.clock),
            self.generator.clone(),
        ))
    }

    /// The channels it serves, by name.
    pub fn channels(&self) -> impl Iterator<Item = &ChannelId> {
        self.cycles.keys()
    }

    /// A view on the scheduler's doing, for health checks while it runs.
    #[must_use]
    pub fn monitor(&self) -> Monitor {
        Monitor {
            cycles: self.cycles.clone(),
            clock: Arc::clone(&self.clock),
        }
    }

    /// Runs until `shutdown` resolves, then ends the steps under way and returns, after at most
    /// 25 s: as long as the receives under way take. A process that is killed instead loses
    /// nothing: every step is atomic.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        for cycle in self.cycles.values() {
            cycle.spawn(&mut tasks, &stop);
        }
        // The loops end only when told to; one that ends before has panicked, which is a bug: the
        // process that embeds the scheduler must not look healthy without it.
        tokio::select! {
            biased;
            () = shutdown => {}
            ended = tasks.join_next() => tracing::error!(?ended, "a loop of the scheduler has ended; stopping"),
        }
        stop.cancel();
        let ended = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(STOP_GRACE, ended).await.is_err() {
            tracing::warn!(
                "steps under way did not end in time; the store and the queues keep what is open"
            );
        }
    }
}

/// Gathers a [`Scheduler`].
#[derive(Debug)]
pub struct SchedulerBuilder {
    channels: Vec<Channel>,
    clock: SharedClock,
    generator: Generator,
    observer: SharedObserver,
    traces: Option<TraceRatio>,
}

impl SchedulerBuilder {
    /// Adds a channel; one of the same name replaces it.
    #[must_use]
    pub fn channel(mut self, channel: Channel) -> Self {
        self.channels.push(channel);
        self
    }

    /// Another clock than the machine's.
    #[must_use]
    pub fn clock(mut self, clock: SharedClock) -> Self {
        self.clock = clock;
        self
    }

    /// Another generator than one seeded by the operating system.
    #[must_use]
    pub fn generator(mut self, generator: Generator) -> Self {
        self.generator = generator;
        self
    }

    /// Who is told what happens.
    #[must_use]
    pub fn observer(mut self, observer: SharedObserver) -> Self {
        self.observer = observer;
        self
    }

    /// Lets every message carry the trace of its cycle, with a mark on that many of them. Workers
    /// and whoever consumes their events join it. Without this messages carry none.
    #[must_use]
    pub fn traces(mut self, marked: TraceRatio) -> Self {
        self.traces = Some(marked);
        self
    }

    /// The scheduler. Nothing runs yet.
    #[must_use]
    pub fn build(self) -> Scheduler {
        let Self {
            channels,
            clock,
            generator,
            observer,
            traces,
        } = self;
        let cycle = |channel: Channel| {
            let id = channel.id().clone();
            let cycle = Cycle::new(
                channel,
                Arc::clone(&clock),
                generator.clone(),
                Arc::clone(&observer),
                traces,
            );
            (id, Arc::new(cycle))
        };
        let cycles = channels.into_iter().map(cycle).collect();
        Scheduler {
            cycles,
            clock,
            generator,
        }
    }
}

/// A view on what a scheduler does in this process.
#[derive(Debug, Clone)]
pub struct Monitor {
    cycles: BTreeMap<ChannelId, Arc<Cycle>>,
    clock: SharedClock,
}

impl Monitor {
    /// Each channel's doing, by name.
    #[must_use]
    pub fn status(&self) -> BTreeMap<ChannelId, ChannelStatus> {
        self.cycles
            .iter()
            .map(|(id, cycle)| (id.clone(), cycle.status.read()))
            .collect()
    }

    /// The age of the oldest channel's last look at its slots, milliseconds; `None` before the
    /// first look. A healthy scheduler's is a few ticks.
    #[must_use]
    pub fn tick_age_ms(&self) -> Option<i64> {
        let last_tick_ms = self
            .status()
            .values()
            .map(|status| status.last_tick_ms)
            .min()?;
        (last_tick_ms > 0).then(|| self.clock.now_ms() - last_tick_ms)
    }
}
