//! Constant load: the number of workers comes to rest.

use super::{
    cases,
    load::Load,
    world::{Outcome, World},
};

/// Decisions until it is at rest: twenty minutes, one each ten seconds.
const WARM: usize = 120;

/// Two hours of so many jobs a minute.
fn hours(world: &World, per_minute: u64) -> Outcome {
    world.run(&Load::constant(per_minute, 120))
}

#[test]
fn constant_load_keeps_a_constant_number_of_workers() {
    let world = cases::world();
    for per_minute in [0, 1, 7, 29, 30, 31, 100, 285, 300, 299, 450, 1000, 2500] {
        let outcome = hours(&world, per_minute);
        let changes = outcome.changes_after(WARM);
        assert_eq!(changes, 0, "{per_minute} a minute: {:?}", outcome.decided);
    }
}

#[test]
fn as_many_workers_are_kept_as_the_load_keeps_busy() {
    let world = cases::world();
    for (per_minute, busy) in [(30, 1), (300, 10), (1500, 50)] {
        let outcome = hours(&world, per_minute);
        let last = *outcome.decided.last().unwrap();
        let most = (f64::from(busy) / 0.95 * 1.05).ceil() as u32 + 1;
        assert!(
            (busy..=most).contains(&last),
            "{per_minute} a minute: {last} workers"
        );
        assert!(outcome.p99_age_s() <= 60);
    }
}

#[test]
fn without_work_the_last_worker_goes_if_it_may() {
    let mut world = cases::world();
    world.rules.min = 0;
    assert_eq!(hours(&world, 0).decided.last(), Some(&0));
    assert!(*hours(&world, 1).decided.last().unwrap() >= 1);
}
