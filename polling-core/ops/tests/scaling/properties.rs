//! What holds for any rules and any figures.

use std::time::Duration;

use polling_ops::scaling::{LookAhead, Sample, ScalingRules, ScalingState, decide};
use proptest::prelude::*;

fn rules() -> impl Strategy<Value = ScalingRules> {
    let bounds = (0..20_u32, 1..60_u32, 1..30_u32, 1..30_u32, 1..20_u32);
    let times = (5..300_u64, 0..200_u64, 0..300_u64);
    let shares = (0.01..20.0_f64, 0.3..=1.0_f64, 0.0..0.5_f64);
    (bounds, times, shares).prop_map(|(bounds, times, shares)| ScalingRules {
        min: bounds.0,
        max: bounds.0 + bounds.1,
        step_up: bounds.2,
        step_down: bounds.3,
        concurrency: bounds.4,
        objective: Duration::from_secs(times.0),
        start: Duration::from_secs(times.1),
        down_after: Duration::from_secs(times.2),
        rate_per_s: shares.0,
        utilisation: shares.1,
        hysteresis: shares.2,
        half_life: Duration::from_secs(60),
    })
}

/// A sample, and how long after the one before, milliseconds.
fn sample() -> impl Strategy<Value = (Sample, i64)> {
    let jobs = || prop_oneof![3 => 0..50_u64, 2 => 0..5_000_u64, 1 => 0..u64::MAX / 4];
    let ahead = prop::collection::vec((0..400_u64, jobs()), 0..5);
    let counted = (prop::option::of(jobs()), prop::option::of(jobs()));
    let age_ms = prop::option::of(-5_000..600_000_i64);
    let workers = prop::option::weighted(0.3, 0..90_u32);
    (
        jobs(),
        jobs(),
        age_ms,
        ahead,
        counted,
        workers,
        -5_000..60_000_i64,
    )
        .prop_map(
            |(waiting, in_flight, oldest_age_ms, ahead, counted, workers, after_ms)| {
                let look_ahead = ahead.into_iter().map(|(within_s, jobs)| LookAhead {
                    within: Duration::from_secs(within_s),
                    jobs,
                });
                let sample = Sample {
                    now_ms: 0,
                    waiting,
                    in_flight,
                    oldest_age_ms,
                    look_ahead: look_ahead.collect(),
                    arrived: counted.0,
                    completed: counted.1,
                    workers,
                };
                (sample, after_ms)
            },
        )
}

fn samples() -> impl Strategy<Value = Vec<Sample>> {
    prop::collection::vec(sample(), 1..40).prop_map(|samples| {
        let mut now_ms = 1_700_000_000_000;
        let place = |(mut sample, after_ms): (Sample, i64)| {
            now_ms += after_ms;
            sample.now_ms = now_ms;
            sample
        };
        samples.into_iter().map(place).collect()
    })
}

proptest! {
    #[test]
    fn the_number_is_within_its_bounds_and_steps((rules, samples) in (rules(), samples())) {
        rules.validate().unwrap();
        let mut state = ScalingState::default();
        let mut before: Option<u32> = None;
        for sample in &samples {
            let (decision, next) = decide(&rules, state, sample);
            prop_assert!((rules.min..=rules.max).contains(&decision.workers), "{decision:?}");
            prop_assert!(decision.needed >= 0.0 && decision.needed.is_finite(), "{decision:?}");
            if let Some(before) = before {
                prop_assert!(decision.workers <= before + rules.step_up, "{before}: {decision:?}");
                prop_assert!(decision.workers + rules.step_down >= before, "{before}: {decision:?}");
            }
            (state, before) = (next, Some(decision.workers));
        }
    }

    #[test]
    fn nobody_with_jobs_in_flight_is_taken_away((rules, samples) in (rules(), samples())) {
        let mut state = ScalingState::default();
        let mut before = u32::MAX;
        for sample in &samples {
            let first = before == u32::MAX;
            let (decision, next) = decide(&rules, state, sample);
            let at_work = sample.in_flight.div_ceil(u64::from(rules.concurrency));
            let kept = at_work.min(u64::from(before)).min(u64::from(rules.max));
            if first || decision.workers < before {
                prop_assert!(u64::from(decision.workers) >= kept, "{before}: {decision:?}");
            }
            (state, before) = (next, decision.workers);
        }
    }

    #[test]
    fn steps_down_are_a_cool_down_apart((rules, samples) in (rules(), samples())) {
        let mut state = ScalingState::default();
        let mut changed_ms = i64::MIN / 2;
        let mut before = None;
        for sample in &samples {
            let (decision, next) = decide(&rules, state, sample);
            // By a clock that was set back, nothing is later than now.
            changed_ms = changed_ms.min(sample.now_ms);
            let Some(workers) = before.replace(decision.workers) else {
                state = next;
                continue;
            };
            if decision.workers < workers {
                let since_ms = sample.now_ms - changed_ms;
                prop_assert!(since_ms >= rules.down_after.as_millis() as i64, "{decision:?}");
            }
            if decision.workers != workers {
                changed_ms = sample.now_ms;
            }
            state = next;
        }
    }

    #[test]
    fn more_waiting_never_takes_fewer_workers(
        (rules, samples, more) in (rules(), samples(), 0..100_000_u64)
    ) {
        let mut state = ScalingState::default();
        for sample in &samples {
            let (less, next) = decide(&rules, state.clone(), sample);
            let waiting = sample.waiting.saturating_add(more);
            let (more, _) = decide(&rules, state, &Sample { waiting, ..sample.clone() });
            prop_assert!(more.workers >= less.workers, "{less:?} {more:?}");
            state = next;
        }
    }

    #[test]
    fn the_same_figures_give_the_same_answer((rules, samples) in (rules(), samples())) {
        let run = || samples.iter().scan(ScalingState::default(), |state, sample| {
            let (decision, next) = decide(&rules, state.clone(), sample);
            *state = next;
            Some(decision)
        }).collect::<Vec<_>>();
        prop_assert_eq!(run(), run());
    }
}
