//! The cycle under faults: fixed seeds, fresh seeds, and that a seed is one run.
#![allow(clippy::unwrap_used)]

use std::{num::NonZeroUsize, thread::available_parallelism};

use cycle_sim::cycle::{
    Campaign, Failed, Fault, Outcome, Property, Scenario, Violation, run, shrink,
};
use polling_model::Generator;

/// Simulated minutes of the campaign over fresh seeds.
const FRESH_MINUTES: u64 = 480;

fn assert_kept(campaign: &Campaign, failed: &[Failed]) {
    if let Some(failed) = failed.first() {
        panic!("{}", shrink(campaign, failed));
    }
}

/// Seeds that once found something, or that nearly did. They stay.
#[test]
fn the_seeds_of_before_hold_every_promise() {
    for seed in [1, 2, 3, 5, 8, 13] {
        let campaign = Campaign {
            seed,
            minutes: 60,
            jobs: 40,
            ..Campaign::default()
        };
        let totals = campaign.run(|_| ());
        assert!(totals.measures.cycles > 200, "seed {seed}: {totals:?}");
        assert_kept(&campaign, &totals.failed);
    }
}

#[test]
#[allow(clippy::print_stdout)]
fn fresh_seeds_hold_every_promise() {
    let campaign = Campaign {
        seed: Generator::from_os().next_u64(),
        minutes: FRESH_MINUTES,
        threads: available_parallelism().unwrap_or(NonZeroUsize::MIN),
        ..Campaign::default()
    };
    println!("fresh seeds from {}", campaign.seed);
    let totals = campaign.run(|_| {});
    assert_kept(&campaign, &totals.failed);
    assert!(totals.minutes >= FRESH_MINUTES);
    let cycles = totals.measures.cycles;
    assert!(
        totals.all_faults() * 20 >= cycles,
        "fewer than one in 20 cycles"
    );
}

#[test]
fn the_same_seed_gives_the_same_trace_byte_for_byte() {
    let traced = |seed| run(Scenario::draw(seed, 45, 30), true);
    let (first, second): (Outcome, Outcome) = (traced(7), traced(7));
    assert!(first.trace.lines().count() > 1_000);
    assert!(first.trace == second.trace, "two runs of one seed differ");
    assert_eq!(first, second);
    assert!(first.trace != traced(8).trace, "every seed is the same run");
}

#[test]
fn writing_the_trace_changes_nothing() {
    let scenario = Scenario::draw(9, 30, 30);
    let (silent, traced) = (run(scenario.clone(), false), run(scenario, true));
    let trace = String::new();
    assert_eq!(Outcome { trace, ..traced }, silent);
}

#[test]
fn more_minutes_continue_the_run_of_fewer() {
    let until_healing = |minutes| {
        let trace = run(Scenario::draw(11, minutes, 20), true).trace;
        let end = trace.find("the faults stop").unwrap();
        let whole_lines = trace[..end].rfind('\n').unwrap();
        trace[..whole_lines].to_owned()
    };
    let (short, long) = (until_healing(20), until_healing(40));
    assert!(long.starts_with(&short));
}

#[test]
fn without_faults_nothing_is_polled_twice_and_nothing_fails() {
    let scenario = Scenario {
        edits_per_h: 0.0,
        calls_per_min: Some(1_000),
        ..Scenario::draw(3, 120, 50).without(Fault::ALL)
    };
    let outcome = run(scenario, true);
    assert_eq!(outcome.violation, None);
    assert!(outcome.faults.is_empty());
    assert_eq!(outcome.measures.wasted, 0);
    assert_eq!(outcome.measures.refused_calls, 0);
    let stale = |line: &&str| line.contains("Stale") || line.contains("reaped");
    assert_eq!(outcome.trace.lines().find(stale), None);
}

#[test]
fn every_kind_of_fault_happens() {
    let mut scenario = Scenario::draw(4, 240, 60);
    for fault in Fault::ALL {
        // Per call for some, per hour for others: each is often enough within the time.
        scenario.rates.set(*fault, 0.02);
    }
    for fault in [
        Fault::Kill,
        Fault::Restart,
        Fault::Stall,
        Fault::ClockJump,
        Fault::Rollback,
        Fault::Poison,
        Fault::Garbage,
    ] {
        scenario.rates.set(fault, 3.0);
    }
    scenario.rates.set(Fault::Crash, 0.001);
    let outcome = run(scenario, false);
    assert_eq!(outcome.violation, None);
    for fault in Fault::ALL {
        assert!(outcome.faults.contains_key(fault.as_str()), "no {fault}");
    }
}

#[test]
fn a_failure_is_shrunk_to_a_command_and_a_story() {
    // Made up, so that nothing smaller breaks it.
    let violation = Violation {
        property: Property::PolledAgain,
        at_ms: 5 * 60_000,
        job: Some("posts:a000001".parse().unwrap()),
        detail: "made up".to_owned(),
    };
    let campaign = Campaign {
        jobs: 5,
        without: vec![Fault::Rollback],
        ..Campaign::default()
    };
    let failed = Failed {
        seed: 6,
        minutes: 10,
        violation: violation.clone(),
    };
    let shrunk = shrink(&campaign, &failed);
    assert_eq!((shrunk.minutes, &shrunk.violation), (10, &violation));
    assert_eq!(shrunk.without, [Fault::Rollback]);
    let text = shrunk.to_string();
    assert!(
        text.contains("--seed 6 --minutes 10 --jobs 5 --without rollback"),
        "{text}"
    );
    assert!(
        shrunk
            .story
            .iter()
            .any(|line| line.contains("register") && line.contains("posts:a000001")),
        "{text}"
    );
}
