//! Everything about a run, drawn from its seed.

use std::{collections::BTreeMap, num::NonZeroU32, ops::Range, time::Duration};

use polling_core::WorkerConfig;
use polling_model::{ErrorClass, Generator, ServiceLevel};
use scheduler_lib::{
    Limits,
    ledger::Cushion,
    policy::{Backoff, ErrorRule, JobTypeRules, LevelRules},
};

use super::{
    channel::SMALL_MESSAGE_SIZE_BYTES,
    faults::{Fault, FaultRates},
};

/// A service level of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    /// Its name.
    pub name: &'static str,
    /// Time between two polls.
    pub interval: Duration,
    /// How many of 100 jobs have it.
    pub share: u64,
}

impl Level {
    /// A level of so many jobs of 100.
    #[must_use]
    pub const fn new(name: &'static str, interval_s: u64, share: u64) -> Self {
        Self {
            name,
            interval: Duration::from_secs(interval_s),
            share,
        }
    }
}

/// The levels of a run unless set otherwise. Their mean is 4 minutes and 45 seconds.
const LEVELS: [Level; 3] = [
    Level::new("gold", 60, 25),
    Level::new("silver", 300, 60),
    Level::new("bronze", 600, 15),
];

/// A part in the cast of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Drains, settles, reaps.
    Scheduler,
    /// Polls.
    Worker,
}

/// All processes of some roles are gone for some time: they are killed, and come back together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outage {
    /// Of which role.
    pub roles: &'static [Role],
    /// From the beginning of the run.
    pub from: Duration,
    /// How long.
    pub lasting: Duration,
}

/// When every run begins unless set otherwise, UTC milliseconds: half an hour before the end of a
/// leap day.
const START_MS: i64 = 1_709_249_400_000;

/// One run: what takes part, and what goes wrong how often.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// All that follows is drawn from it, and so is all that happens.
    pub seed: u64,
    /// Simulated minutes with faults. The minutes of healing come on top.
    pub minutes: u64,
    /// Jobs registered at the beginning.
    pub jobs: u64,
    /// Schedulers on one store.
    pub schedulers: u64,
    /// Workers on one queue.
    pub workers: u64,
    /// Jobs that one worker polls at once.
    pub concurrency: usize,
    /// When the run begins, UTC milliseconds.
    pub start_ms: i64,
    /// What the jobs' accounts pay for.
    pub levels: Vec<Level>,
    /// All jobs are due in one slot, instead of spread over their interval.
    pub in_one_slot: bool,
    /// The accounts post nothing.
    pub quiet: bool,
    /// Calls of the channel per minute; `None` is no limit.
    pub calls_per_min: Option<u64>,
    /// Calls that each worker lets through a second, if it has a pace of its own.
    pub paced_per_s: Option<NonZeroU32>,
    /// Largest message that the work queue takes.
    pub max_message_size_bytes: usize,
    /// Edits by the operator per hour: registrations, removals, pauses and the like.
    pub edits_per_h: f64,
    /// What goes wrong.
    pub rates: FaultRates,
    /// How long a process that stalls stands still, milliseconds.
    pub stall_ms: Range<u64>,
    /// When all processes of a role are gone.
    pub outage: Option<Outage>,
    /// Since the beginning of the run: the polls due then are counted job by job.
    pub counted: Range<Duration>,
    /// How long the run goes on after the faults stop; unless set, as long as healing may take.
    pub healing: Option<Duration>,
    /// How long a received message stays invisible.
    pub visibility_timeout: Duration,
    /// The bounds of the schedulers' cycle.
    pub limits: Limits,
}

impl Scenario {
    /// Draws a scenario. More minutes continue the run of fewer.
    #[must_use]
    pub fn draw(seed: u64, minutes: u64, jobs: u64) -> Self {
        let generator = Generator::from_seed(seed);
        let between = |low: u64, high: u64| low + generator.below(high - low + 1);
        let limits = Limits {
            queue_wait: Duration::from_secs(between(60, 180)),
            work: Duration::from_secs(60),
            in_flight_margin: Duration::from_secs(between(10, 60)),
            // Lateness is not what is measured here; a longer tick simulates faster.
            tick: Duration::from_millis(between(2_000, 6_000)),
            dispatch_per_s: between(50, 500) as u32,
            reap_per_s: between(10, 100) as u32,
            sweep_per_s: between(2, 8) as u32,
            max_open_notes: between(2, 16) as usize,
            note_deadline: Duration::from_secs(between(5, 30)),
            settlers: between(1, 2) as usize,
            receive_wait: Duration::from_secs(between(10, 20)),
            reap_grace: Duration::from_secs(between(20, 120)),
            ..Limits::default()
        };
        Self {
            seed,
            minutes,
            jobs,
            schedulers: between(1, 3),
            workers: between(1, 3),
            concurrency: 8,
            start_ms: START_MS,
            levels: LEVELS.to_vec(),
            in_one_slot: false,
            quiet: false,
            paced_per_s: None,
            max_message_size_bytes: SMALL_MESSAGE_SIZE_BYTES,
            stall_ms: 1_000..601_000,
            outage: None,
            counted: Range::default(),
            healing: None,
            calls_per_min: Some(jobs * between(60, 200) / 100 + 10),
            edits_per_h: between(0, 60) as f64,
            visibility_timeout: Duration::from_secs(between(10, 60)),
            limits,
            rates: draw_rates(&generator),
        }
    }

    /// The same without faults and edits, with a channel without a rate limit, and with the bounds
    /// that a scheduler has unless they are set.
    #[must_use]
    pub fn calm(self) -> Self {
        Self {
            rates: FaultRates::default(),
            edits_per_h: 0.0,
            calls_per_min: None,
            schedulers: 1,
            workers: 1,
            visibility_timeout: Duration::from_secs(30),
            limits: Limits::default(),
            ..self
        }
    }

    /// The same with one kind of fault alone.
    #[must_use]
    pub fn only(mut self, fault: Fault, rate: f64) -> Self {
        self.rates = FaultRates::default();
        self.rates.set(fault, rate);
        self
    }

    /// The same without some kinds of fault.
    #[must_use]
    pub fn without(mut self, faults: &[Fault]) -> Self {
        for fault in faults {
            self.rates.set(*fault, 0.0);
        }
        self
    }

    /// How long the run goes on after the faults stop.
    pub(crate) fn healing(&self) -> Duration {
        self.healing.unwrap_or_else(|| self.longest_healing())
    }

    /// How long healing may take: an interval, and this bound. A job may be in flight to its
    /// deadline, which is later by as long as no worker answered; wait for the reaper's grace; fail
    /// once more and back off; and wait for a window, or behind the backlog of all the others. A
    /// copy of a message may arrive last of all.
    fn longest_healing(&self) -> Duration {
        let longest = self.levels.iter().map(|level| level.interval).max();
        let limits = &self.limits;
        longest.unwrap_or_default()
            + limits.message_life(self.visibility_timeout)
            + limits.in_flight_margin
            + LONGER_LEASE
            + limits.reap_grace
            + MAX_BACKOFF
            + BACKLOG
    }

    pub(crate) fn rules(&self) -> JobTypeRules {
        let levels = self
            .levels
            .iter()
            .map(|of| (level(of.name), LevelRules::every(of.interval)));
        let levels: BTreeMap<_, _> = levels.collect();
        let backoff = ErrorRule::Backoff(Backoff {
            base: Duration::from_secs(30),
            max: MAX_BACKOFF,
        });
        let errors = ErrorClass::ALL.map(|class| (class, backoff));
        JobTypeRules {
            levels,
            cushion: Cushion::Calls(3),
            errors: errors.into_iter().collect(),
            ..JobTypeRules::every(Duration::from_secs(300))
        }
    }

    /// Its deadlines fit into [`Limits::work`].
    pub(crate) fn worker(&self) -> WorkerConfig {
        WorkerConfig {
            concurrency: self.concurrency,
            rate_limit_wait: Duration::from_secs(2),
            poll_timeout: Duration::from_secs(15),
            publish_timeout: Duration::from_secs(25),
            complete_timeout: Duration::from_secs(10),
            max_lifetime: Duration::from_secs(60),
            ..WorkerConfig::default()
        }
    }
}

/// Mean time between two polls of a job.
#[must_use]
pub fn mean_interval(levels: &[Level]) -> Duration {
    let jobs: u64 = levels.iter().map(|level| level.share).sum();
    let weighed = levels
        .iter()
        .map(|level| level.interval.as_secs() * level.share);
    Duration::from_secs(weighed.sum::<u64>() / jobs.max(1))
}

/// Longest wait after an error.
const MAX_BACKOFF: Duration = Duration::from_secs(240);

/// Longest time for which the workers of a run are all down at once.
const LONGER_LEASE: Duration = Duration::from_secs(1_800);

/// For what all jobs together have to make up for.
const BACKLOG: Duration = Duration::from_secs(900);

pub(crate) fn level(name: &str) -> ServiceLevel {
    ServiceLevel::new(name).expect("the names of the levels are valid labels")
}

/// About a third of the kinds stay out of each run, so that every mixture comes up; the others
/// vary over two orders of magnitude.
fn draw_rates(generator: &Generator) -> FaultRates {
    let mut rates = FaultRates::default();
    for fault in Fault::ALL {
        let (drawn, magnitude) = (generator.below(3) > 0, generator.fraction());
        if drawn {
            rates.set(*fault, usual(*fault) * 10f64.powf(2.0 * magnitude - 1.0));
        }
    }
    rates
}

const fn usual(fault: Fault) -> f64 {
    match fault {
        Fault::Crash => 0.0003,
        Fault::Delay => 0.05,
        Fault::Kill | Fault::Restart | Fault::Stall | Fault::ClockJump => 1.0,
        Fault::Rollback | Fault::Poison | Fault::Garbage => 0.5,
        Fault::ApiHang | Fault::Oversize => 0.005,
        _ => 0.02,
    }
}
