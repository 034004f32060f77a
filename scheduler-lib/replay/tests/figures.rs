//! What the adaptive policy reaches on real traces, beside the policies that it replaces and one
//! that knows the future. Only in optimised builds: it is some twenty million polls.
#![cfg(not(debug_assertions))]

use std::{path::Path, time::Duration};

use replay::{Budget, Summary, Trace, policies, replay};

const BUDGET: Budget = Budget {
    every_min: 120.0,
    page: 20,
};

fn open(name: &str) -> Trace {
    let traces = Path::new(env!("CARGO_MANIFEST_DIR")).join("traces");
    Trace::open(&traces.join(format!("{name}.csv.gz"))).unwrap()
}

struct Replay {
    trace: Trace,
    weights: Option<[f64; 3]>,
}

impl Replay {
    fn of(name: &str) -> Self {
        Self {
            trace: open(name),
            weights: None,
        }
    }

    fn with(&self, policy: &str) -> Summary {
        let mut settings = policies::Settings::new(&self.trace, BUDGET);
        if self.trace.name.ends_with("x10") {
            settings.day /= 10;
        }
        if let Some(weights) = self.weights {
            settings = settings.tiers(weights);
        }
        assert!(settings.day > Duration::from_secs(3600));
        let mut policy = policies::named(policy, &settings).unwrap();
        let outcome = replay(&self.trace, policy.as_mut(), BUDGET);
        Summary::new(&self.trace, &settings.weights, &outcome)
    }
}

/// What is promised for one trace.
struct Promise {
    trace: &'static str,
    /// The mean delay of uniform polling is at least that many times ours.
    better_than_uniform: f64,
    /// Ours is at most that many times that of the policy that knows all rates.
    of_clairvoyant: f64,
}

const PROMISES: [Promise; 6] = [
    Promise::new("a-long180", 1.5, 1.12),
    Promise::new("b-long180", 1.5, 1.12),
    Promise::new("a-fold28", 1.3, 1.20),
    Promise::new("b-fold28", 1.3, 1.20),
    Promise::new("a-fold28-x10", 1.25, 1.22),
    Promise::new("b-fold28-x10", 1.25, 1.22),
];

impl Promise {
    const fn new(trace: &'static str, better_than_uniform: f64, of_clairvoyant: f64) -> Self {
        Self {
            trace,
            better_than_uniform,
            of_clairvoyant,
        }
    }
}

#[test]
fn items_wait_less_than_under_uniform_polling_and_hardly_more_than_under_a_clairvoyant_one() {
    let (mut lost, mut lost_by_uniform) = (0, 0);
    let mut long = 1.0;
    for promise in PROMISES {
        let trace = Replay::of(promise.trace);
        let [uniform, clairvoyant, ours] =
            ["uniform", "clair-static", "ours"].map(|name| trace.with(name));
        let better = uniform.mean_min / ours.mean_min;
        let beside = ours.mean_min / clairvoyant.mean_min;
        println!(
            "{:13} {better:.2} times better than uniform, {beside:.2} of clairvoyant",
            promise.trace
        );
        assert!(
            better >= promise.better_than_uniform,
            "{}: {better}",
            promise.trace
        );
        assert!(
            beside <= promise.of_clairvoyant,
            "{}: {beside}",
            promise.trace
        );
        assert!(
            ours.p99_min <= 1.6 * uniform.p99_min,
            "{}: {ours:?}",
            promise.trace
        );
        assert!(ours.calls <= uniform.calls, "{}: {ours:?}", promise.trace);
        assert!(
            ours.calls as f64 >= 0.99 * uniform.calls as f64,
            "{}: {ours:?}",
            promise.trace
        );
        if promise.trace.ends_with("long180") {
            long *= better;
        }
        lost += ours.lost;
        lost_by_uniform += uniform.lost;
    }
    assert!(
        long.sqrt() >= 2.0,
        "geometric mean over the long traces: {}",
        long.sqrt()
    );
    assert!(
        lost as f64 <= 0.7 * lost_by_uniform as f64,
        "{lost} of {lost_by_uniform}"
    );
}

#[test]
fn it_is_better_than_the_best_rule_that_was_tuned() {
    for name in ["a-long180", "b-long180"] {
        let trace = Replay::of(name);
        let rules = ["nutch", "nutch-tuned", "storm", "aimd", "entryfreq"];
        let best = rules
            .map(|rule| trace.with(rule).mean_min)
            .into_iter()
            .fold(f64::INFINITY, f64::min);
        let ours = trace.with("ours").mean_min;
        assert!(best / ours >= 1.15, "{name}: {best} and {ours}");
    }
}

#[test]
fn no_tier_waits_longer_than_under_fixed_frequencies() {
    for name in ["a-long180", "b-long180"] {
        let trace = Replay {
            trace: open(name),
            weights: Some([4.0, 2.0, 1.0]),
        };
        let (tiered, ours) = (trace.with("tiered"), trace.with("ours"));
        for (fixed, ours) in tiered.tiers_min.into_iter().zip(ours.tiers_min) {
            assert!(
                ours.unwrap() <= fixed.unwrap(),
                "{name}: {ours:?} and {fixed:?}"
            );
        }
    }
}

/// Mean delays that the reference simulator finds, which draws the same phases. Of equally urgent
/// accounts it takes others, as its sorting falls: that moves a mean by some tenths of a percent.
#[test]
fn fixed_policies_do_as_in_the_reference_simulator() {
    for (name, uniform, tiered, clairvoyant) in [
        ("a-long180", 59.9, 71.3, 27.0),
        ("b-long180", 60.1, 69.4, 34.4),
        ("a-fold28", 60.0, 74.2, 34.0),
        ("b-fold28", 60.6, 71.9, 38.7),
        ("a-fold28-x10", 60.2, 73.3, 34.9),
        ("b-fold28-x10", 59.5, 70.5, 38.8),
    ] {
        let trace = Replay::of(name);
        for (policy, expected) in [
            ("uniform", uniform),
            ("tiered", tiered),
            ("clair-static", clairvoyant),
        ] {
            let found = trace.with(policy).mean_min;
            assert!(
                (found / expected - 1.0).abs() < 0.01,
                "{name} {policy}: {found}, expected {expected}"
            );
        }
    }
}
