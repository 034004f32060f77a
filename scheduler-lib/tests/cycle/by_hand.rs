//! What is decided by hand, and bursts.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use polling_model::{Completion, Context, Job, JobId, wire};
use polling_transport::Queue;
use scheduler_lib::{
    Change, Registration, RegistryError,
    ledger::{Cushion, MemoryLedger},
    policy::{JobTypeRules, LevelRules, LimitRule, Override, ScopeRule},
};
use tokio::time::sleep;

use crate::bench::{Bench, INTERVAL, answer, succeeded};

const MINUTE_MS: i64 = 60_000;

/// Half of what forty jobs want.
fn scarce() -> JobTypeRules {
    let app = ScopeRule {
        scope: "app".parse().unwrap(),
        cushion: None,
        limit: Some(LimitRule {
            calls: 60,
            window: Duration::from_secs(900),
        }),
    };
    JobTypeRules {
        scopes: vec![app],
        ..JobTypeRules::every(INTERVAL)
    }
}

async fn forty(bench: &Bench) -> Vec<JobId> {
    let mut ids = Vec::new();
    for account in 0..40 {
        ids.push(bench.register(&account.to_string()).await);
    }
    ids
}

/// Polls whatever comes for so many minutes; when each job was polled.
async fn poll_for(
    bench: &Bench,
    minutes: i64,
    answered: impl Fn(&Job, Completion<Context>) -> Completion<Context>,
) -> BTreeMap<JobId, Vec<i64>> {
    let mut polls: BTreeMap<JobId, Vec<i64>> = BTreeMap::new();
    let end_ms = bench.clock.now_ms() + minutes * MINUTE_MS;
    while bench.clock.now_ms() < end_ms {
        let waiting = Duration::from_secs(20);
        for message in bench.work.receive(10, waiting).await.unwrap() {
            let job: Job = wire::decode_job(message.body.as_bytes()).unwrap();
            let told = answered(&job, answer(&job, succeeded(Context::new())));
            let body = wire::encode_completion(&told).unwrap();
            assert_eq!(bench.completed.send(vec![body]).await, [Ok(())]);
            bench.work.ack(&message.receipt).await.unwrap();
            let times = polls.entry(job.id).or_default();
            times.push(bench.clock.now_ms());
        }
    }
    polls
}

fn gaps_min(times: &[i64]) -> Vec<i64> {
    let pairs = times.windows(2);
    pairs.map(|pair| (pair[1] - pair[0]) / MINUTE_MS).collect()
}

async fn change(bench: &Bench, id: &JobId, pace: Override) {
    let change = Change {
        pace: Some(Some(pace)),
        ..Change::default()
    };
    bench.registry.update(id, change).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn another_level_places_a_waiting_job_at_once_if_that_is_sooner() {
    let mut rules = JobTypeRules::every(Duration::from_secs(6 * 3600));
    let gold = LevelRules::every(INTERVAL);
    rules.levels.insert("gold".parse().unwrap(), gold);
    let bench = Bench::with(rules, Arc::new(MemoryLedger::new()));
    let id = bench.register("42").await;
    bench.poll().await;
    let level = |level: &str| Change {
        level: Some(level.parse().unwrap()),
        ..Change::default()
    };
    let due_ms = async || bench.registry.get(&id).await.unwrap().state.due_ms;
    let before_ms = due_ms().await;
    bench.registry.update(&id, level("gold")).await.unwrap();
    let gold_ms = due_ms().await;
    assert!(gold_ms < before_ms && gold_ms <= bench.clock.now_ms() + 6 * MINUTE_MS);
    // Back to the longer interval: it keeps its place, and the next settle goes by it.
    bench.registry.update(&id, level("default")).await.unwrap();
    assert_eq!(due_ms().await, gold_ms);
    bench.poll().await;
    assert!(due_ms().await >= gold_ms + 5 * 3_600_000);
}

#[tokio::test(start_paused = true)]
async fn a_pinned_job_is_polled_at_its_interval_though_calls_are_scarce() {
    let bench = Bench::with(scarce(), Arc::new(MemoryLedger::new()));
    let ids = forty(&bench).await;
    let interval = Duration::from_secs(120);
    change(&bench, &ids[7], Override::Pin { interval }).await;
    poll_for(&bench, 120, |_, told| told).await;
    let polls = poll_for(&bench, 120, |_, told| told).await;
    let pinned = gaps_min(&polls[&ids[7]]);
    // Where a window is spent it waits for the next, like all.
    let on_time = pinned.iter().filter(|gap| **gap == 2).count();
    assert!(on_time >= 40 && pinned.len() - on_time <= 8, "{pinned:?}");
    let other = gaps_min(&polls[&ids[8]]);
    assert!(other.len() <= 24, "{other:?}");
    let state = bench.registry.get(&ids[7]).await.unwrap().state;
    let reasons: Vec<_> = state.reasons.iter().map(|reason| &*reason.text).collect();
    assert!(reasons.contains(&"pinned to 2m by hand"), "{reasons:?}");
}

#[tokio::test(start_paused = true)]
async fn a_boosted_job_is_polled_more_often_until_the_boost_ends() {
    let bench = Bench::with(scarce(), Arc::new(MemoryLedger::new()));
    let ids = forty(&bench).await;
    poll_for(&bench, 120, |_, told| told).await;
    let until_ms = bench.clock.now_ms() + 180 * MINUTE_MS;
    let boost = Override::Boost {
        factor: 9.0,
        until_ms,
    };
    change(&bench, &ids[7], boost).await;
    let during = poll_for(&bench, 180, |_, told| told).await;
    let after = poll_for(&bench, 180, |_, told| told).await;
    let (boosted, other) = (during[&ids[7]].len(), during[&ids[8]].len());
    assert!(boosted > other + other / 4, "{boosted} beside {other}");
    let (boosted, other) = (after[&ids[7]].len(), after[&ids[8]].len());
    assert!(boosted <= other + 2, "{boosted} beside {other} afterwards");
}

#[tokio::test(start_paused = true)]
async fn a_burst_is_followed_at_once_though_calls_are_scarce_and_is_listed() {
    let bench = Bench::with(scarce(), Arc::new(MemoryLedger::new()));
    let ids = forty(&bench).await;
    poll_for(&bench, 120, |_, told| told).await;
    let busy = ids[7].clone();
    let polls = poll_for(&bench, 30, |job, told| Completion {
        saturated: job.id == busy,
        events: 100,
        ..told
    })
    .await;
    let gaps = gaps_min(&polls[&busy]);
    // Where a window is spent it waits for the next, like all.
    let at_once = gaps.iter().filter(|gap| **gap <= 2).count();
    assert!(at_once >= 12 && gaps.len() - at_once <= 2, "{gaps:?}");

    sleep(Duration::from_secs(1)).await;
    let listed = bench.registry.bursts(10).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!((&listed[0].id, listed[0].account.as_str()), (&busy, "7"));
    assert_eq!(listed[0].interval_ms, Some(300_000));
    assert_eq!(listed[0].bursts.len(), polls[&busy].len());
    assert_eq!(listed[0].bursts[0].events, 100);
    let times: Vec<_> = listed[0].bursts.iter().map(|burst| burst.at_ms).collect();
    assert!(
        times.is_sorted_by(|newer, older| newer >= older),
        "{times:?}"
    );
    let newest_ms = times[0];
    for (since_ms, accounts) in [(newest_ms, 1), (newest_ms + 1, 0)] {
        let found = bench.registry.accounts_that_burst(since_ms, 10).await;
        assert_eq!(found.unwrap(), accounts);
    }
    bench.registry.remove(&busy).await.unwrap();
    let gone = &bench.registry.bursts(10).await.unwrap()[0];
    assert!(!gone.registered && gone.interval_ms.is_none());
}

#[tokio::test(start_paused = true)]
async fn what_is_out_of_bounds_changes_nothing() {
    let bench = Bench::start();
    let id = bench.register("42").await;
    let before = bench.registry.get(&id).await.unwrap();
    let interval = Duration::from_millis(1);
    let nan = Some(Cushion::Share(f64::NAN));
    for wrong in [
        Change {
            pace: Some(Some(Override::Pin { interval })),
            ..Change::default()
        },
        Change {
            cushion: Some(nan),
            ..Change::default()
        },
    ] {
        let told = bench.registry.update(&id, wrong).await;
        assert!(matches!(told, Err(RegistryError::Rule(_))), "{told:?}");
    }
    let registration = Registration {
        cushion: nan,
        ..Registration::new("posts".parse().unwrap(), "43".parse().unwrap())
    };
    assert!(bench.registry.register(registration).await.is_err());
    assert_eq!(bench.registry.get(&id).await.unwrap(), before);
}
