//! The promise: a decision costs nothing beside the calls around it.
#![allow(missing_docs, clippy::unwrap_used)]

use std::{hint::black_box, time::Duration};

use benches::policy::{NOW_MS, SUCCEEDED, state};
use criterion::{Criterion, criterion_group, criterion_main};
use polling_model::{JobId, ScopeKey, SlotRing};
use scheduler_lib::{
    ledger::{Claim, Cushion, Standing, WindowStanding},
    policy::{
        Adaptive, FixedIntervals, Frequency, JobTypeRules, Seen, Situation,
        adaptive::{Activity, AdaptiveFrequency, Model, Terms},
        decide,
    },
};

fn decisions(criterion: &mut Criterion) {
    let (id, state) = (JobId::new("posts:42").unwrap(), state().unwrap());
    let mut rules = JobTypeRules::every(Duration::from_secs(300));
    rules.cushion = Cushion::Calls(10);
    let claim = Claim {
        scope: ScopeKey::new("app").unwrap(),
        cushion: rules.cushion,
        limit: None,
    };
    for (name, free) in [("interval", 100), ("cushion", 5)] {
        let standing = Standing {
            windows: vec![WindowStanding {
                limit: 300,
                free,
                granted: 0,
                ends_ms: NOW_MS + 900_000,
                length_ms: 900_000,
            }],
            ..Standing::default()
        };
        let scopes = [(claim.clone(), standing)];
        criterion.bench_function(&format!("policy/{name}"), |bencher| {
            bencher.iter(|| {
                decide(black_box(&Situation {
                    id: &id,
                    state: &state,
                    rules: &rules,
                    level: &state.level,
                    frequency: &FixedIntervals,
                    scopes: &scopes,
                    activity: None,
                    ended: SUCCEEDED,
                    ring: SlotRing::MINUTES,
                    now_ms: NOW_MS,
                    jitter: 0.5,
                }))
            });
        });
    }
}

/// All that is done for one job after a poll that brought two items: learning, remembering,
/// placing, and why.
fn adaptive(criterion: &mut Criterion) {
    const MINUTE_MS: i64 = 60_000;
    let (id, mut state) = (JobId::new("posts:42").unwrap(), state().unwrap());
    let model = Model::new(Duration::from_secs(24 * 3600));
    let before = Activity::since(NOW_MS).polled(
        NOW_MS + 90 * MINUTE_MS,
        &[NOW_MS, NOW_MS + 60 * MINUTE_MS],
        &model,
    );
    state.activity = Some(before);
    let now_ms = NOW_MS + 150 * MINUTE_MS;
    let items = [now_ms - 20 * MINUTE_MS, now_ms - MINUTE_MS];
    let rules = JobTypeRules {
        adaptive: Some(Adaptive::default()),
        ..JobTypeRules::every(Duration::from_secs(60))
    };
    let frequency = AdaptiveFrequency::new(Adaptive::default());
    let claim = Claim {
        scope: ScopeKey::new("app").unwrap(),
        cushion: rules.cushion,
        limit: None,
    };
    let standing = Standing {
        price: 5.0,
        ..Standing::default()
    };
    let scopes = [(claim, standing)];
    criterion.bench_function("policy/adaptive", |bencher| {
        bencher.iter(|| {
            let seen = Seen::new(&rules, &state, &state.level, state.settled_ms, now_ms);
            let activity = frequency.polled(&seen, now_ms, black_box(&items));
            decide(black_box(&Situation {
                id: &id,
                state: &state,
                rules: &rules,
                level: &state.level,
                frequency: &frequency,
                scopes: &scopes,
                activity,
                ended: SUCCEEDED,
                ring: SlotRing::MINUTES,
                now_ms,
                jitter: 0.5,
            }))
        });
    });
    let worth = model.worth(&before, Terms::default());
    criterion.bench_function("policy/worth", |bencher| {
        bencher.iter(|| worth.at(black_box(now_ms)));
    });
}

criterion_group!(benches, decisions, adaptive);
criterion_main!(benches);
