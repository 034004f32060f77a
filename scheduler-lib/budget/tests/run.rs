//! Runs of a tenth of the size.

use budget::{Report, Scenario, TIERS, simulate};

fn small(seed: u64) -> Scenario {
    Scenario {
        seed,
        jobs: 1_000,
        windows: 3,
        limit: 500,
        cushion: 50,
        ..Scenario::default()
    }
}

#[test]
fn one_seed_is_one_run() {
    let run = |seed| {
        let scenario = Scenario {
            windows: 1,
            ..small(seed)
        };
        simulate(&scenario, |_slot| {})
    };
    assert_eq!(run(3), run(3));
    assert_ne!(run(3), run(4));
}

#[test]
fn progress_is_told_slot_by_slot() {
    let told = std::cell::RefCell::new(Vec::new());
    let meter = simulate(&small(1), |slot| told.borrow_mut().push(slot));
    assert_eq!(told.into_inner(), (1..=45).collect::<Vec<u64>>());
    assert_eq!(meter.windows().len(), 3);
}

/// The measure of what is promised in overload: without it every level gets what it asks for.
#[test]
fn everybody_is_polled_in_time_when_there_is_enough_for_all() {
    let scenario = Scenario {
        demand: 0.3,
        ..small(1)
    };
    let meter = simulate(&scenario, |_slot| {});
    let report = Report::new(&scenario, &meter);
    let interval_min = scenario.interval().as_secs_f64() / 60.0;
    let asked = scenario.jobs as f64 * 15.0 / interval_min;
    for window in &report.windows[1..] {
        let ours = window.calls.answered() as f64;
        assert!((0.8 * asked..1.2 * asked).contains(&ours), "{window:?}");
        assert_eq!((window.calls.refused, window.below_cushion), (0, 0));
    }
    assert_eq!(report.tiers.len(), TIERS.len());
}
