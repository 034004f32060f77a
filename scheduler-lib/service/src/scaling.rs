//! How many workers there should be: decided every few seconds from the queues and the slots, logged when it changes,
//! and told to KEDA.
//!
//! Every replica of the scheduler decides by itself, from the same figures; none of them needs the others.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::pending,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::Context;
use futures_util::future::join_all;
use polling_model::{ChannelId, JobType, SharedClock, SlotRing, chain};
use polling_ops::{
    config::Current,
    keda::{self, Board, Target},
    scaling::{Decision, LookAhead, Sample, ScalingState, decide},
};
use polling_transport::QueueStats;
use scheduler_lib::{QueueRole, Registry, Scheduler};
use scheduler_web::ScalingView;
use tokio::{net::TcpListener, sync::watch, time::MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::{
    config::{Config, JobTypeScaling, Scaling},
    settings::{Settings, Steered},
};

/// Most spans that the time looked ahead is cut into; each is a call to the store.
const MAX_SPANS: u64 = 8;

/// Longest time for the figures of a channel.
const LOOK_DEADLINE: Duration = Duration::from_secs(10);

/// A decision holds for so many turns …
const MAX_AGE_TURNS: u32 = 6;

/// … and for this long at least.
const MIN_MAX_AGE: Duration = Duration::from_secs(60);

/// The last decision on each job type, for whoever asks over the admin server. Clones are the same.
#[derive(Debug, Clone)]
pub struct Decisions {
    last: Arc<Mutex<BTreeMap<Target, Decided>>>,
    max_age: Duration,
}

/// A decision, and when it was taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Decided {
    /// How many workers, and why.
    pub decision: Decision,
    /// UTC milliseconds.
    pub at_ms: i64,
}

impl Decisions {
    /// None yet.
    #[must_use]
    pub fn new(settings: &Scaling) -> Self {
        Self {
            last: Arc::default(),
            max_age: max_age(settings),
        }
    }

    /// Takes the place of the last one on the same job type.
    pub fn post(&self, target: Target, decided: Decided) {
        // Nothing panics while it is held.
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.insert(target, decided);
    }

    /// Those on a channel's job types, in their order.
    #[must_use]
    pub fn of(&self, channel: &ChannelId) -> Vec<(JobType, Decided)> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let of = last.iter().filter(|(target, _)| target.channel == *channel);
        of.map(|(target, decided)| (target.job_type.clone(), decided.clone()))
            .collect()
    }

    /// Whether a decision is too old to be acted on, as KEDA is not told it any more.
    #[must_use]
    pub fn is_stale(&self, decided: &Decided, now_ms: i64) -> bool {
        u128::from(now_ms.abs_diff(decided.at_ms)) > self.max_age.as_millis()
    }
}

/// What `/v1/channels/…/scaling` tells.
pub fn told(
    decisions: Decisions,
    clock: SharedClock,
) -> impl Fn(&ChannelId) -> Vec<ScalingView> + Send + Sync + 'static {
    move |channel| {
        let now_ms = clock.now_ms();
        let of = decisions.of(channel).into_iter();
        of.map(|(job_type, decided)| ScalingView {
            job_type,
            stale: decisions.is_stale(&decided, now_ms),
            decided_ms: decided.at_ms,
            workers: decided.decision.workers,
            reason: decided.decision.reason,
        })
        .collect()
    }
}

fn max_age(settings: &Scaling) -> Duration {
    (settings.every * MAX_AGE_TURNS).max(MIN_MAX_AGE)
}

/// Takes KEDA's address, if there is one.
///
/// # Errors
///
/// That the address is taken or not this machine's.
pub async fn listen(settings: &Scaling) -> anyhow::Result<Option<TcpListener>> {
    let Some(address) = settings.keda_listen else {
        return Ok(None);
    };
    let listener = TcpListener::bind(address).await;
    let listener =
        listener.with_context(|| format!("scaling.keda_listen {address} cannot be listened on"))?;
    Ok(Some(listener))
}

/// Decides, posts what is decided, and answers KEDA, until `stop` is cancelled. Rules are those of `steering`, where
/// settings are followed.
pub async fn run(
    config: Config,
    registries: BTreeMap<ChannelId, Registry>,
    clock: SharedClock,
    keda: Option<TcpListener>,
    decisions: Decisions,
    steering: Option<Settings>,
    stop: CancellationToken,
) {
    let settings = &config.scaling;
    let board = Board::new(Arc::clone(&clock), max_age(settings));
    let scaler = board.scaler();
    let serving = async {
        let Some(listener) = keda else { return };
        keda::serve(listener, scaler, stop.cancelled()).await;
    };
    let channels = settings.channels.iter().filter_map(|(id, job_types)| {
        Some(ChannelScaling {
            channel: id.clone(),
            registry: registries.get(id)?.clone(),
            rules: job_types.clone(),
            steering: steering.as_ref().map(Settings::watch),
            states: BTreeMap::new(),
            every: settings.every,
            clock: Arc::clone(&clock),
            board: board.clone(),
            decisions: decisions.clone(),
        })
    });
    let deciding = join_all(channels.map(|channel| channel.run(stop.clone())));
    tokio::join!(serving, deciding);
}

/// The registries of all channels that a scheduler serves.
#[must_use]
pub fn registries(scheduler: &Scheduler) -> BTreeMap<ChannelId, Registry> {
    let registry = |id: &ChannelId| Some((id.clone(), scheduler.registry(id)?));
    scheduler.channels().filter_map(registry).collect()
}

struct ChannelScaling {
    channel: ChannelId,
    registry: Registry,
    rules: BTreeMap<JobType, JobTypeScaling>,
    /// Where other rules come from.
    steering: Option<watch::Receiver<Arc<Current<Steered>>>>,
    states: BTreeMap<JobType, (ScalingState, u32)>,
    every: Duration,
    clock: SharedClock,
    board: Board,
    decisions: Decisions,
}

impl ChannelScaling {
    async fn run(mut self, stop: CancellationToken) {
        let mut turns = tokio::time::interval(self.every);
        turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                // Not at the next turn: whoever sets a bound is waiting for it.
                rules = steered(&mut self.steering, &self.channel, &self.rules) => self.rules = rules,
                _ = turns.tick() => {}
            }
            // A look is bounded, so that the end of the process waits for it at most so long.
            let looked = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                looked = tokio::time::timeout(LOOK_DEADLINE, self.look()) => looked,
            };
            match looked {
                Ok(Ok(samples)) => self.decide(&samples),
                Ok(Err(error)) => self.unknown(&error),
                Err(_) => self.unknown("no answer in time"),
            }
        }
    }

    fn unknown(&self, error: &str) {
        let channel = &self.channel;
        tracing::warn!(%channel, error, "how many workers are needed is not known");
    }

    /// What is known of each job type.
    async fn look(&self) -> Result<BTreeMap<JobType, Sample>, String> {
        let now_ms = self.clock.now_ms();
        let waiting = self.waiting().await?;
        // Slots are then dispatched over three quarters of their width, not at once.
        let paced = self.registry.limits().paced;
        let mut look_ahead: BTreeMap<&JobType, Vec<LookAhead>> = BTreeMap::new();
        for span in spans(self.registry.ring(), now_ms, self.reach()) {
            let due = self.registry.due_within(span.slots).await;
            let due = due.map_err(|error| chain(&error))?;
            for job_type in self.rules.keys() {
                let jobs = due.get(job_type).copied().unwrap_or(0);
                let ends = [paced.then_some(span.paced), Some(span.through)];
                let ahead = look_ahead.entry(job_type).or_default();
                ahead.extend(
                    ends.into_iter()
                        .flatten()
                        .map(|within| LookAhead { within, jobs }),
                );
            }
        }
        let sample = |(job_type, stats): (JobType, QueueStats)| {
            let look_ahead = look_ahead.remove(&job_type).unwrap_or_default();
            let sample = Sample {
                now_ms,
                waiting: stats.visible,
                in_flight: stats.in_flight,
                oldest_age_ms: stats.oldest_age_ms,
                look_ahead,
                ..Sample::default()
            };
            (job_type, sample)
        };
        Ok(waiting.into_iter().map(sample).collect())
    }

    /// How much is in each work queue.
    async fn waiting(&self) -> Result<BTreeMap<JobType, QueueStats>, String> {
        let mut waiting = BTreeMap::new();
        for queue in self.registry.queues().await {
            if let QueueRole::Work(job_type) = queue.role
                && self.rules.contains_key(&job_type)
            {
                waiting.insert(job_type, queue.stats?);
            }
        }
        Ok(waiting)
    }

    /// How far ahead a decision needs to see.
    fn reach(&self) -> Duration {
        let reaches = self.rules.values().map(|rules| rules.0.reach(self.every));
        reaches.max().unwrap_or_default()
    }

    fn decide(&mut self, samples: &BTreeMap<JobType, Sample>) {
        for (job_type, sample) in samples {
            let (state, before) = match self.states.remove(job_type) {
                Some((state, before)) => (state, Some(before)),
                None => (ScalingState::default(), None),
            };
            let (decision, state) = decide(&self.rules[job_type].0, state, sample);
            if before != Some(decision.workers) {
                let (channel, workers) = (&self.channel, decision.workers);
                tracing::info!(%channel, %job_type, workers, reason = decision.reason, "workers");
            }
            let target = Target {
                channel: self.channel.clone(),
                job_type: job_type.clone(),
            };
            self.board.post(target.clone(), &decision);
            self.states
                .insert(job_type.clone(), (state, decision.workers));
            let at_ms = sample.now_ms;
            self.decisions.post(target, Decided { decision, at_ms });
        }
    }
}

/// A channel's rules, once they differ from those that are gone by.
async fn steered(
    steering: &mut Option<watch::Receiver<Arc<Current<Steered>>>>,
    channel: &ChannelId,
    rules: &BTreeMap<JobType, JobTypeScaling>,
) -> BTreeMap<JobType, JobTypeScaling> {
    let Some(watch) = steering else {
        return pending().await;
    };
    let of =
        |current: &Current<Steered>| Some(current.value.channels.get(channel)?.scaling.clone());
    let differ = |current: &Arc<Current<Steered>>| of(current).is_some_and(|found| found != *rules);
    let found = watch.wait_for(differ).await;
    let found = found.map(|current| of(&current).unwrap_or_default());
    match found {
        Ok(rules) => rules,
        // Nothing follows the sources any more: the process ends.
        Err(_) => pending().await,
    }
}

/// Some slots from the one on that is drained.
#[derive(Debug, PartialEq)]
struct Span {
    /// How many after that one.
    slots: usize,
    /// Until the last of them is dispatched, if it is paced.
    paced: Duration,
    /// Until it is through.
    through: Duration,
}

/// The spans that reach so far; no more than [`MAX_SPANS`], so the farther the longer.
fn spans(ring: SlotRing, now_ms: i64, reach: Duration) -> Vec<Span> {
    let width_ms = ring.width_ms().unsigned_abs();
    let left_ms = width_ms - now_ms.rem_euclid(ring.width_ms()).unsigned_abs();
    let reach_ms = u64::try_from(reach.as_millis()).unwrap_or(u64::MAX);
    let slots = reach_ms.saturating_sub(left_ms).div_ceil(width_ms);
    let slots = slots.min(ring.length_ms().unsigned_abs() / width_ms - 1);
    let parts = slots.min(MAX_SPANS - 1);
    let ends: BTreeSet<_> = (0..=parts)
        .map(|part| (slots * part).div_ceil(parts.max(1)))
        .collect();
    let span = |slots: u64| {
        let through_ms = left_ms + slots * width_ms;
        Span {
            slots: usize::try_from(slots).unwrap_or(usize::MAX),
            paced: Duration::from_millis(through_ms.saturating_sub(width_ms / 4)),
            through: Duration::from_millis(through_ms),
        }
    };
    ends.into_iter().map(span).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Slots, and seconds until they are dispatched and through.
    fn seconds(width_ms: i64, now_ms: i64, reach_s: u64) -> Vec<(usize, u64, u64)> {
        let ring = SlotRing::new(width_ms).unwrap();
        let spans = spans(ring, now_ms, Duration::from_secs(reach_s));
        let seconds = |span: Span| (span.slots, span.paced.as_secs(), span.through.as_secs());
        spans.into_iter().map(seconds).collect()
    }

    #[test]
    fn whole_slots_are_looked_ahead_and_what_is_left_of_the_first() {
        let expected = [(0, 30, 45), (1, 90, 105), (2, 150, 165)];
        assert_eq!(seconds(60_000, 15_000, 150), expected);
        assert_eq!(seconds(60_000, 50_000, 10), [(0, 0, 10)]);
        assert_eq!(seconds(3_600_000, 0, 150), [(0, 2700, 3600)]);
    }

    #[test]
    fn narrow_slots_take_no_more_calls() {
        let spans = seconds(1_000, 0, 150);
        assert_eq!(spans.len() as u64, MAX_SPANS);
        assert_eq!((spans[0], spans[7]), ((0, 0, 1), (149, 149, 150)));
        let all = seconds(1_000, 0, 1_000_000);
        assert_eq!(all.last().map(|span| span.0), Some(1439));
    }
}
