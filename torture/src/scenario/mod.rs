//! Which faults come when, and what they excuse.
//!
//! A scenario is a file in this folder, a type that implements [`Scenario`], and a line in [`all`].

mod bad_pollers;
mod bus_away;
mod calm;
mod five_schedulers;
mod kafka_event_too_large;
mod kill_points;
mod kill_storm;
mod misbehaving;
mod mixed_versions;
mod network;
mod pause_longer_than_lease;
mod poison_payload;
mod queues_away;
mod redis_cannot_write;
mod redis_failover;
mod redis_full;
mod redis_paused;
mod redis_restart;
mod redis_server;
mod redis_truncated_aof;
mod registrations_concurrent;
mod rolling_restart;
mod scheduler_killed;
mod worker_killed;

use std::{collections::BTreeSet, time::Duration};

use async_trait::async_trait;

use crate::{
    report::Report,
    runner::{House, Run},
    servers::Server,
    stage::{Setting, bounds},
};

/// Every scenario, in the order in which `all` plays them.
#[must_use]
pub fn all() -> Vec<Box<dyn Scenario>> {
    let mut all: Vec<Box<dyn Scenario>> = vec![
        Box::new(calm::Calm),
        Box::new(five_schedulers::FiveSchedulers),
        Box::new(worker_killed::WorkerKilled),
        Box::new(scheduler_killed::SchedulerKilled { alone: false }),
        Box::new(scheduler_killed::SchedulerKilled { alone: true }),
        Box::new(kill_points::KillPoints),
        Box::new(kill_storm::KillStorm),
        Box::new(pause_longer_than_lease::PauseLongerThanLease),
        Box::new(registrations_concurrent::RegistrationsConcurrent),
        Box::new(queues_away::SqsDown),
        Box::new(queues_away::SqsLosesMessages),
        Box::new(bus_away::BusAway::Killed),
        Box::new(bus_away::BusAway::Paused),
        Box::new(rolling_restart::RollingRestart),
        Box::new(mixed_versions::MixedVersions),
        Box::new(bad_pollers::BadPollers),
        Box::new(poison_payload::PoisonPayload),
        Box::new(kafka_event_too_large::KafkaEventTooLarge),
        Box::new(redis_restart::RedisRestart),
        Box::new(redis_paused::RedisPaused),
        Box::new(redis_truncated_aof::RedisTruncatedAof),
        Box::new(redis_failover::RedisFailover),
        Box::new(redis_full::RedisFull),
        Box::new(redis_cannot_write::RedisCannotWrite),
    ];
    all.extend(network::all());
    all
}

/// Those of the short torture, for continuous integration.
pub const SHORT: [&str; 2] = ["worker-killed", "kill-storm"];

/// Faults over time, and what must hold all the same.
#[async_trait]
pub trait Scenario: Send + Sync {
    /// Its name, in kebab-case.
    fn name(&self) -> &'static str;

    /// What it does, in one line.
    fn about(&self) -> &'static str;

    /// Servers that it breaks: they must be ours.
    fn breaks(&self) -> &'static [Server] {
        &[]
    }

    /// The stage that it plays on.
    fn setting(&self) -> Setting {
        Setting::default()
    }

    /// What its faults excuse.
    fn allow(&self) -> Allow {
        Allow::default()
    }

    /// How long it injects faults, unless told otherwise.
    fn length(&self) -> Duration {
        Duration::from_secs(60)
    }

    /// Injects faults, until [`Run::left`] is zero or before. What is broken then is healed by the
    /// caller.
    ///
    /// # Errors
    ///
    /// When the stage cannot be played on; the scenario has failed then.
    async fn inject(&self, run: &mut Run) -> anyhow::Result<()>;

    /// Adds checks and figures of its own, after the end of the run.
    ///
    /// # Errors
    ///
    /// When what it needs cannot be read.
    fn judge(&self, run: &Run, report: &mut Report) -> anyhow::Result<()> {
        let (_, _) = (run, report);
        Ok(())
    }

    /// Plays the whole by itself, for a scenario that needs several stages. `None`: it needs one.
    async fn play(&self, house: &House) -> Option<anyhow::Result<Report>> {
        let _ = house;
        None
    }
}

/// What faults excuse. Conservation, no fork and the exactness of events are excused by nothing.
#[derive(Debug, Clone)]
pub struct Allow {
    /// Polls for each dispatched job, at most: a job polled whose completion comes to nothing is
    /// polled again.
    pub polls_per_dispatch: f64,
    /// For so long after a fault's end gaps between polls are not measured, unless every job was
    /// settled again after healing before. `None`: no gap is anybody's promise, at no time.
    pub recovery: Option<Duration>,
    /// Jobs whose polls do harm: they may be dead letters, and quarantined; no other job may be
    /// quarantined.
    pub culprits: BTreeSet<String>,
    /// Dead letters that count against other jobs, at most.
    pub strikes: u64,
    /// The sweep may find something to mend.
    pub repairs: bool,
    /// Registrations and removals that were answered may be undone: the store loses writes, or a
    /// call that its client gave up is carried out late.
    pub registrations_undone: bool,
    /// Posts that no poll saw, such as of accounts whose job was quarantined.
    pub unseen_posts: bool,
    /// Every job is polled and settled again so long after the last fault, at the latest.
    pub healed_within: Duration,
}

impl Default for Allow {
    fn default() -> Self {
        Self {
            polls_per_dispatch: 1.05,
            recovery: Some(bounds::LOST_AND_FOUND),
            culprits: BTreeSet::new(),
            strikes: 0,
            repairs: false,
            registrations_undone: false,
            unseen_posts: false,
            healed_within: bounds::LOST_AND_FOUND + Duration::from_secs(16),
        }
    }
}
