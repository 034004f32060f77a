//! How each named scenario differs from the one that its seed draws.

use std::{num::NonZeroU32, ops::Range, time::Duration};

use scheduler_lib::Limits;

use crate::cycle::{
    faults::Fault,
    scenario::{Level, Outage, Role, Scenario},
};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// Slots are looked at less often than in production where days have to pass quickly.
const SLOW_TICK: Duration = Duration::from_secs(10);

/// 2024-07-15T23:30:00Z.
const BEFORE_MIDNIGHT_MS: i64 = 1_721_086_200_000;

/// 2024-02-28T12:00:00Z.
const BEFORE_LEAP_DAY_MS: i64 = 1_709_121_600_000;

const fn every(interval: Duration) -> Level {
    Level::new("default", interval.as_secs(), 100)
}

/// Workers enough for whatever the schedulers dispatch, and as many jobs that all of them take
/// `seconds` at the cap.
fn drained_within(seconds: u64, scenario: Scenario) -> Scenario {
    let dispatch_per_s = scenario.jobs.div_ceil(seconds);
    Scenario {
        workers: 2,
        concurrency: (dispatch_per_s as usize).clamp(8, 10_000),
        limits: Limits {
            dispatch_per_s: dispatch_per_s as u32,
            reap_per_s: dispatch_per_s as u32,
            ..scenario.limits
        },
        ..scenario
    }
}

/// Half an hour of everyday life, then an outage.
const WARM_UP: Duration = Duration::from_secs(1_800);

fn scheduler_down(scenario: Scenario, lasting: Duration) -> Scenario {
    let outage = Outage {
        roles: &[Role::Scheduler],
        from: WARM_UP,
        lasting,
    };
    Scenario {
        levels: vec![every(10 * MINUTE)],
        outage: Some(outage),
        ..drained_within(100, scenario.calm())
    }
}

pub(super) fn scheduler_down_1m(scenario: Scenario) -> Scenario {
    scheduler_down(scenario, MINUTE)
}

pub(super) fn scheduler_down_1h(scenario: Scenario) -> Scenario {
    scheduler_down(scenario, HOUR)
}

pub(super) fn scheduler_down_25h(scenario: Scenario) -> Scenario {
    scheduler_down(scenario, 25 * HOUR)
}

pub(super) fn scheduler_down_8d(scenario: Scenario) -> Scenario {
    Scenario {
        // The posts of eight days would take hours to fetch.
        quiet: true,
        ..scheduler_down(scenario, 8 * DAY)
    }
}

/// Everything is gone for six hours; each job has missed six polls.
pub(super) fn outage_6h(scenario: Scenario) -> Scenario {
    let outage = Outage {
        roles: &[Role::Scheduler, Role::Worker],
        from: 65 * MINUTE,
        lasting: 6 * HOUR,
    };
    Scenario {
        levels: vec![every(HOUR)],
        quiet: true,
        outage: Some(outage),
        healing: Some(65 * MINUTE),
        ..drained_within(200, scenario.calm())
    }
}

pub(super) fn workers_off(scenario: Scenario) -> Scenario {
    let scenario = drained_within(100, scenario.calm());
    let lease = scenario.limits.message_life(scenario.visibility_timeout)
        + scenario.limits.in_flight_margin;
    let outage = Outage {
        roles: &[Role::Worker],
        from: WARM_UP,
        lasting: 3 * lease,
    };
    Scenario {
        levels: vec![every(10 * MINUTE)],
        outage: Some(outage),
        ..scenario
    }
}

/// The jobs want nearly three times as many calls as there may be.
pub(super) fn throttle(scenario: Scenario) -> Scenario {
    let interval = Duration::from_millis(scenario.jobs * 360);
    let rounds = Duration::from_secs(scenario.minutes * 60);
    Scenario {
        levels: vec![every(interval)],
        paced_per_s: Some(NonZeroU32::MIN),
        concurrency: 64,
        quiet: true,
        counted: interval..rounds,
        ..scenario.calm()
    }
}

fn days(
    scenario: Scenario,
    start_ms: i64,
    interval: Duration,
    counted: Range<Duration>,
) -> Scenario {
    let calm = scenario.calm();
    Scenario {
        start_ms,
        levels: vec![every(interval)],
        counted,
        healing: Some(interval + MINUTE),
        // A burst of posts would be fetched in more polls than one.
        quiet: true,
        concurrency: 64,
        limits: Limits {
            tick: SLOW_TICK,
            receive_wait: Duration::from_secs(20),
            sweep_per_s: 1,
            ..calm.limits
        },
        ..calm
    }
}

pub(super) fn midnight(scenario: Scenario) -> Scenario {
    let counted = 15 * MINUTE..15 * MINUTE + DAY;
    days(scenario, BEFORE_MIDNIGHT_MS, 10 * MINUTE, counted)
}

pub(super) fn interval_24h(scenario: Scenario) -> Scenario {
    let start_ms = scenario.start_ms;
    days(scenario, start_ms, DAY, DAY..6 * DAY)
}

pub(super) fn interval_one_slot(scenario: Scenario) -> Scenario {
    let start_ms = scenario.start_ms;
    let counted = 90 * Duration::from_secs(1)..DAY + 90 * Duration::from_secs(1);
    days(scenario, start_ms, MINUTE, counted)
}

pub(super) fn leap_day(scenario: Scenario) -> Scenario {
    let counted = 90 * MINUTE..90 * MINUTE + 3 * DAY;
    days(scenario, BEFORE_LEAP_DAY_MS, HOUR, counted)
}

pub(super) fn one_slot(scenario: Scenario) -> Scenario {
    let half_an_hour = 30 * MINUTE;
    Scenario {
        levels: vec![every(half_an_hour)],
        in_one_slot: true,
        quiet: true,
        counted: Duration::ZERO..2 * half_an_hour,
        healing: Some(half_an_hour + 5 * MINUTE),
        ..drained_within(200, scenario.calm())
    }
}

pub(super) fn five_schedulers(scenario: Scenario) -> Scenario {
    let mut scenario = Scenario {
        schedulers: 5,
        ..scenario.only(Fault::Kill, 6.0)
    };
    for (fault, rate) in [
        (Fault::Restart, 6.0),
        (Fault::Crash, 0.001),
        (Fault::Delay, 0.1),
    ] {
        scenario.rates.set(fault, rate);
    }
    scenario
}

/// Longer than the longest lease that a seed draws, 480 s.
pub(super) fn stalls(scenario: Scenario) -> Scenario {
    Scenario {
        stall_ms: 480_000..1_200_000,
        ..scenario.only(Fault::Stall, 6.0)
    }
}

pub(super) fn duplicates(scenario: Scenario) -> Scenario {
    scenario.only(Fault::Duplicate, 0.3)
}

pub(super) fn stale_receipts(scenario: Scenario) -> Scenario {
    scenario.only(Fault::StaleReceipt, 0.3)
}

pub(super) fn partial_batches(scenario: Scenario) -> Scenario {
    scenario.only(Fault::PartialBatch, 0.3)
}

pub(super) fn delivery_after_delete(scenario: Scenario) -> Scenario {
    scenario.only(Fault::DeliveryAfterDelete, 0.3)
}

pub(super) fn reordering(scenario: Scenario) -> Scenario {
    scenario.only(Fault::Reordering, 0.5)
}

pub(super) fn rollbacks(scenario: Scenario) -> Scenario {
    scenario.only(Fault::Rollback, 12.0)
}

pub(super) fn skewed_clocks(scenario: Scenario) -> Scenario {
    scenario.only(Fault::ClockJump, 20.0)
}

/// Nearly an edit a second, and calls that take their time, so that they meet.
pub(super) fn registrations(scenario: Scenario) -> Scenario {
    Scenario {
        edits_per_h: 3_000.0,
        ..scenario.only(Fault::Delay, 0.3)
    }
}

pub(super) fn oversize(scenario: Scenario) -> Scenario {
    scenario.only(Fault::Oversize, 0.05)
}
