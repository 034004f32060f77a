//! Everything about a run, drawn from its seed.

use std::{collections::BTreeMap, time::Duration};

use polling_core::WorkerConfig;
use polling_model::{ErrorClass, Generator, ServiceLevel};
use scheduler_lib::{
    Limits,
    policy::{Backoff, ErrorRule, JobTypeRules, LevelRules},
};

use super::faults::{Fault, FaultRates};

/// The service levels with their intervals in seconds, and how many of 100 jobs have each.
pub(crate) const LEVELS: [(&str, u64, u64); 3] =
    [("gold", 60, 25), ("silver", 300, 60), ("bronze", 600, 15)];

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
    /// Calls of the channel per minute.
    pub calls_per_min: u64,
    /// Edits by the operator per hour: registrations, removals, pauses and the like.
    pub edits_per_h: f64,
    /// What goes wrong.
    pub rates: FaultRates,
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
            calls_per_min: jobs * between(60, 200) / 100 + 10,
            edits_per_h: between(0, 60) as f64,
            visibility_timeout: Duration::from_secs(between(10, 60)),
            limits,
            rates: draw_rates(&generator),
        }
    }

    /// The same without some kinds of fault.
    #[must_use]
    pub fn without(mut self, faults: &[Fault]) -> Self {
        for fault in faults {
            self.rates.set(*fault, 0.0);
        }
        self
    }

    /// How long healing may take: an interval, and this bound. A job may be in flight to its
    /// deadline, wait for the reaper's grace, fail once more and back off, and wait for a window or
    /// behind the backlog of all the others; a copy of a message may arrive last of all.
    pub(crate) fn healing(&self) -> Duration {
        let longest = LEVELS.iter().map(|(_, interval_s, _)| *interval_s).max();
        let limits = &self.limits;
        Duration::from_secs(longest.unwrap_or(0))
            + limits.message_life(self.visibility_timeout)
            + limits.in_flight_margin
            + limits.reap_grace
            + MAX_BACKOFF
            + BACKLOG
    }

    pub(crate) fn rules(&self) -> JobTypeRules {
        let level = |(name, interval_s, _): &(&str, u64, u64)| {
            let interval = Duration::from_secs(*interval_s);
            (level(name), LevelRules { interval })
        };
        let levels: BTreeMap<_, _> = LEVELS.iter().map(level).collect();
        let backoff = ErrorRule::Backoff(Backoff {
            base: Duration::from_secs(30),
            max: MAX_BACKOFF,
        });
        let errors = ErrorClass::ALL.map(|class| (class, backoff));
        JobTypeRules {
            levels,
            cushion: 3,
            errors: errors.into_iter().collect(),
            ..JobTypeRules::every(Duration::from_secs(300))
        }
    }

    /// Its deadlines fit into [`Limits::work`].
    pub(crate) fn worker(&self) -> WorkerConfig {
        WorkerConfig {
            concurrency: 8,
            rate_limit_wait: Duration::from_secs(2),
            poll_timeout: Duration::from_secs(15),
            publish_timeout: Duration::from_secs(25),
            complete_timeout: Duration::from_secs(10),
            max_lifetime: Duration::from_secs(60),
            ..WorkerConfig::default()
        }
    }
}

/// Longest wait after an error.
const MAX_BACKOFF: Duration = Duration::from_secs(240);

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
        Fault::ApiHang => 0.005,
        _ => 0.02,
    }
}
