//! The table of all named scenarios.

use super::{
    Named, Size,
    expect::{self, Figure},
    shape,
};
use crate::cycle::{campaign::Totals, scenario::Scenario};

const fn size(runs: u64, minutes: u64, jobs: u64) -> Size {
    Size {
        runs,
        minutes,
        jobs,
    }
}

/// One kind of fault alone, at a high rate, over seeds.
const fn seeded(
    name: &'static str,
    about: &'static str,
    shape: fn(Scenario) -> Scenario,
    expect: fn(&Totals, &Scenario) -> Vec<Figure>,
) -> Named {
    Named {
        name,
        about,
        full: size(40, 240, 100),
        small: size(2, 60, 40),
        shape,
        expect,
    }
}

/// A course of events that is set, run once.
const fn set(
    name: &'static str,
    about: &'static str,
    minutes: u64,
    [full_jobs, small_jobs]: [u64; 2],
    shape: fn(Scenario) -> Scenario,
    expect: fn(&Totals, &Scenario) -> Vec<Figure>,
) -> Named {
    Named {
        name,
        about,
        full: size(1, minutes, full_jobs),
        small: size(1, minutes, small_jobs),
        shape,
        expect,
    }
}

const HOUR: u64 = 60;
const DAY: u64 = 24 * HOUR;

/// Every named scenario.
pub const ALL: &[Named] = &[
    set(
        "scheduler-down-1m",
        "all schedulers are gone for a minute",
        30 + 1 + 20,
        [10_000, 1_000],
        shape::scheduler_down_1m,
        expect::caught_up,
    ),
    set(
        "scheduler-down-1h",
        "all schedulers are gone for an hour",
        30 + HOUR + 20,
        [10_000, 1_000],
        shape::scheduler_down_1h,
        expect::caught_up,
    ),
    set(
        "scheduler-down-25h",
        "all schedulers are gone for longer than the ring of slots",
        30 + 25 * HOUR + 20,
        [10_000, 1_000],
        shape::scheduler_down_25h,
        expect::caught_up,
    ),
    set(
        "scheduler-down-8d",
        "all schedulers are gone for eight days",
        30 + 8 * DAY + 20,
        [10_000, 1_000],
        shape::scheduler_down_8d,
        expect::caught_up,
    ),
    set(
        "outage-6h-million",
        "a million hourly jobs, and everything is gone for six hours",
        65 + 6 * HOUR + 10,
        [1_000_000, 10_000],
        shape::outage_6h,
        expect::caught_up,
    ),
    set(
        "workers-off-three-leases",
        "no worker for three leases: jobs are reaped and sent again",
        30 + 29 + 20,
        [10_000, 1_000],
        shape::workers_off,
        expect::workers_back,
    ),
    Named {
        name: "throttle-10000",
        about: "a throttle of one call a second before jobs that want almost three",
        full: size(1, 48 * HOUR, 10_000),
        small: size(1, 8 * HOUR, 200),
        shape: shape::throttle,
        expect: expect::throttled,
    },
    set(
        "midnight",
        "a day from half an hour before midnight, a poll every 10 minutes",
        DAY + 30,
        [200, 20],
        shape::midnight,
        expect::exact,
    ),
    set(
        "interval-24h",
        "an interval as long as the ring of slots, for five days",
        6 * DAY + HOUR,
        [200, 20],
        shape::interval_24h,
        expect::exact,
    ),
    set(
        "interval-one-slot",
        "an interval as short as a slot, for a day",
        DAY + 10,
        [200, 20],
        shape::interval_one_slot,
        expect::exact,
    ),
    set(
        "leap-day",
        "hourly polls over the 29th of February",
        3 * DAY + 2 * HOUR,
        [200, 20],
        shape::leap_day,
        expect::exact,
    ),
    set(
        "million-in-one-slot",
        "a million jobs are due in the same minute, twice",
        32,
        [1_000_000, 10_000],
        shape::one_slot,
        expect::exact,
    ),
    seeded(
        "five-schedulers",
        "five schedulers on one store, killed and restarted",
        shape::five_schedulers,
        expect::nothing_lost,
    ),
    seeded(
        "stall-longer-than-lease",
        "processes stand still for longer than any lease, and go on",
        shape::stalls,
        expect::nothing_lost,
    ),
    seeded(
        "duplicates",
        "messages and events are delivered twice",
        shape::duplicates,
        expect::nothing_lost,
    ),
    seeded(
        "stale-receipts",
        "acknowledgements and heartbeats come too late to count",
        shape::stale_receipts,
        expect::nothing_lost,
    ),
    seeded(
        "partial-batches",
        "batches are sent and received in part",
        shape::partial_batches,
        expect::nothing_lost,
    ),
    seeded(
        "delivery-after-delete",
        "deleted messages are delivered again",
        shape::delivery_after_delete,
        expect::nothing_lost,
    ),
    seeded(
        "reordering",
        "batches lose their order",
        shape::reordering,
        expect::nothing_lost,
    ),
    seeded(
        "rollback",
        "the store loses its last writes, every five minutes",
        shape::rollbacks,
        expect::nothing_lost,
    ),
    seeded(
        "skewed-clocks",
        "clocks jump by seconds and by hours, and back",
        shape::skewed_clocks,
        expect::nothing_lost,
    ),
    seeded(
        "registrations-concurrent",
        "jobs are registered, edited and removed all the time",
        shape::registrations,
        expect::nothing_lost,
    ),
    seeded(
        "oversize-context",
        "contexts grow beyond what a completion or the queue takes",
        shape::oversize,
        expect::oversize,
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_has_a_name_of_its_own() {
        let names: BTreeSet<_> = ALL.iter().map(|named| named.name).collect();
        assert_eq!(names.len(), ALL.len());
        let kebab = |name: &&str| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        assert!(names.iter().all(kebab));
    }
}
