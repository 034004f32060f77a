//! Events and jobs are counted on the right side of a bound, to the millisecond.

use polling_model::{Observation, Observer as _};
use polling_ops::metrics::{Metrics, samples};
use proptest::prelude::*;

use super::{lateness, staleness};

const PUBLISHED_MS: i64 = 1_800_000_000_000;

/// Events of these ages are published, and so many that are older.
fn publish(metrics: &Metrics, level: &str, ages_ms: &[i64], older: u64) {
    let mut created_ms: Vec<_> = ages_ms.iter().map(|age_ms| PUBLISHED_MS - age_ms).collect();
    created_ms.sort_unstable();
    metrics.observe(Observation::Published {
        channel: &"mastodon".parse().unwrap(),
        level: &level.parse().unwrap(),
        created_ms: &created_ms,
        older,
        published_ms: PUBLISHED_MS,
    });
}

/// The values of all series of these metrics.
fn told<const N: usize>(metrics: &Metrics, names: [&str; N]) -> [f64; N] {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let text = runtime.block_on(metrics.scrape()).unwrap();
    names.map(|name| {
        let series = samples(&text).filter(|sample| sample.name == name);
        let values: Vec<_> = series.map(|sample| sample.value).collect();
        assert_eq!(values.len(), 1, "{name}\n{text}");
        values[0]
    })
}

const EVENTS: [&str; 2] = [
    "polling_staleness_objective_events_total",
    "polling_staleness_missed_events_total",
];
const JOBS: [&str; 2] = [
    "polling_lateness_objective_jobs_total",
    "polling_lateness_missed_jobs_total",
];

#[test]
fn an_event_is_stale_from_a_millisecond_beyond_the_bound() {
    let metrics = Metrics::with_objectives(&[staleness()]);
    assert_eq!(told(&metrics, EVENTS), [0.0, 0.0], "series begin with 0");
    publish(&metrics, "gold", &[0, 299_999, 300_000], 0);
    assert_eq!(told(&metrics, EVENTS), [3.0, 0.0]);
    publish(&metrics, "gold", &[300_001, 0], 0);
    assert_eq!(told(&metrics, EVENTS), [5.0, 1.0]);
}

#[test]
fn events_that_are_not_told_one_by_one_are_taken_to_be_as_old_as_the_oldest_told() {
    let metrics = Metrics::with_objectives(&[staleness()]);
    publish(&metrics, "gold", &[10, 20], 5);
    assert_eq!(told(&metrics, EVENTS), [7.0, 0.0]);
    publish(&metrics, "gold", &[10, 300_001], 5);
    assert_eq!(told(&metrics, EVENTS), [14.0, 6.0]);
}

#[test]
fn what_has_no_objective_is_measured_and_not_counted_against_one() {
    let metrics = Metrics::with_objectives(&[staleness()]);
    publish(&metrics, "basic", &[900_000], 0);
    assert_eq!(told(&metrics, EVENTS), [0.0, 0.0]);
    assert_eq!(
        told(&metrics, ["polling_event_staleness_seconds_sum"]),
        [900.0]
    );
}

#[test]
fn jobs_are_late_by_the_latest_of_their_chunk() {
    let metrics = Metrics::with_objectives(&[lateness()]);
    assert_eq!(told(&metrics, JOBS), [0.0, 0.0]);
    for (jobs, lateness_ms) in [(100, 30_000), (7, 30_001), (50, -5)] {
        let channel = &"mastodon".parse().unwrap();
        metrics.observe(Observation::Drained {
            channel,
            jobs,
            lateness_ms,
        });
    }
    assert_eq!(told(&metrics, JOBS), [157.0, 7.0]);
}

#[test]
fn the_objectives_themselves_are_told() {
    let metrics = Metrics::with_objectives(&[staleness()]);
    assert_eq!(
        told(
            &metrics,
            ["polling_objective_seconds", "polling_objective_ratio"]
        ),
        [300.0, 0.99]
    );
}

proptest! {
    #[test]
    fn every_event_is_counted_once_and_the_stale_ones_twice(polls: Vec<Vec<u32>>) {
        let metrics = Metrics::with_objectives(&[staleness()]);
        let (mut all, mut stale) = (0, 0);
        for ages_ms in polls {
            let ages_ms: Vec<_> = ages_ms.into_iter().map(|age_ms| i64::from(age_ms % 600_000)).collect();
            publish(&metrics, "gold", &ages_ms, 0);
            all += ages_ms.len();
            stale += ages_ms.iter().filter(|age_ms| **age_ms > 300_000).count();
        }
        prop_assert_eq!(told(&metrics, EVENTS), [all as f64, stale as f64]);
    }
}
