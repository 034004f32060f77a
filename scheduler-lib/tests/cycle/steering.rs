//! Rules that are replaced while the scheduler runs.

use std::{sync::Arc, time::Duration};

use polling_model::JobType;
use scheduler_lib::{
    Limits, RegistryError,
    ledger::{Cushion, MemoryLedger},
    policy::{JobTypeRules, LimitRule, ScopeRule},
};
use tokio::time::sleep;

use crate::{
    bench::{Bench, INTERVAL},
    limits::{quietly, register, to_the_next_window, total, work},
};

const MINUTE: Duration = Duration::from_secs(60);

fn posts() -> JobType {
    "posts".parse().unwrap()
}

/// Sixty calls in a quarter of an hour, of which a share is left to others.
fn leaving(share: f64) -> JobTypeRules {
    let app = ScopeRule {
        scope: "app".parse().unwrap(),
        cushion: None,
        limit: Some(LimitRule {
            calls: 60,
            window: 15 * MINUTE,
        }),
    };
    JobTypeRules {
        scopes: vec![app],
        cushion: Cushion::Share(share),
        ..JobTypeRules::every(INTERVAL)
    }
}

#[tokio::test(start_paused = true)]
async fn polls_stop_at_a_cushion_that_was_set_while_they_went_on() {
    let bench = Bench::with(leaving(0.0), Arc::new(MemoryLedger::new()));
    let (polls, _working) = work(&bench, quietly);
    register(&bench, 60).await;
    for (share, most) in [(0.5, 30), (0.9, 6), (0.0, 60)] {
        bench.registry.set_rules(&posts(), leaving(share)).unwrap();
        to_the_next_window(&bench).await;
        let before = total(&polls);
        to_the_next_window(&bench).await;
        let calls = total(&polls) - before;
        assert!(calls <= most, "{share}: {calls}");
        assert!(calls >= most * 9 / 10, "{share}: {calls}");
    }
    bench.assert_conserved().await;
}

#[tokio::test(start_paused = true)]
async fn a_new_interval_holds_from_the_next_poll_on() {
    let bench = Bench::start();
    let id = bench.register("42").await;
    bench.poll().await;
    let rules = JobTypeRules::every(10 * MINUTE);
    bench.registry.set_rules(&posts(), rules.clone()).unwrap();
    assert_eq!(bench.registry.rules(&posts()), Some(rules));
    let due_ms = bench.poll().await.due_ms;
    let next_ms = bench.poll().await.due_ms;
    assert_eq!(next_ms - due_ms, 600_000);
    assert_eq!(bench.polls(&id).await, 3);
}

#[tokio::test(start_paused = true)]
async fn a_lower_throttle_holds_from_the_next_turn_on() {
    let bench = Bench::with(JobTypeRules::every(MINUTE), Arc::new(MemoryLedger::new()));
    let (polls, _working) = work(&bench, quietly);
    register(&bench, 600).await;
    sleep(5 * MINUTE).await;
    let limits = Limits {
        dispatch_per_s: 1,
        ..(*bench.registry.limits()).clone()
    };
    bench.registry.set_limits(limits).unwrap();
    sleep(MINUTE).await;
    let before = total(&polls);
    sleep(10 * MINUTE).await;
    let polled = total(&polls) - before;
    assert!((100..=600).contains(&polled), "{polled}");
}

#[tokio::test(start_paused = true)]
async fn what_is_out_of_bounds_changes_nothing() {
    let bench = Bench::start();
    let too_often = JobTypeRules::every(Duration::ZERO);
    let refused = bench.registry.set_rules(&posts(), too_often);
    assert!(matches!(refused, Err(RegistryError::Rule(_))));
    let other: JobType = "likes".parse().unwrap();
    let unknown = bench
        .registry
        .set_rules(&other, JobTypeRules::every(INTERVAL));
    assert!(matches!(unknown, Err(RegistryError::UnknownJobType { .. })));
    assert_eq!(
        bench.registry.rules(&posts()),
        Some(JobTypeRules::every(INTERVAL))
    );
    let none = Limits {
        settlers: 0,
        ..Limits::default()
    };
    assert!(bench.registry.set_limits(none).is_err());
    assert_eq!(*bench.registry.limits(), Limits::default());
}
