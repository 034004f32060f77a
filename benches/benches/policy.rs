//! The promise: a decision costs nothing beside the calls around it.
#![allow(missing_docs, clippy::unwrap_used)]

use std::{hint::black_box, time::Duration};

use criterion::{Criterion, criterion_group, criterion_main};
use polling_model::{Allowance, JobId, Nonce, ScopeKey, SlotRing};
use scheduler_lib::{
    policy::{Ended, JobTypeRules, Situation, decide},
    store::{JobState, Place},
};

const NOW_MS: i64 = 1_700_000_000_000;

fn state() -> JobState {
    JobState {
        job_type: "posts".parse().unwrap(),
        account: "42".parse().unwrap(),
        level: "gold".parse().unwrap(),
        cushion: None,
        incarnation: Nonce(1),
        generation: 1,
        nonce: Some(Nonce(2)),
        revision: 0,
        place: Place::InFlight {
            deadline_ms: NOW_MS + 60_000,
        },
        due_ms: NOW_MS - 500,
        attempts: 0,
        strikes: 0,
        run_now: false,
        settled_ms: 0,
        reason: String::new(),
    }
}

fn decisions(criterion: &mut Criterion) {
    let (id, state) = (JobId::new("posts:42").unwrap(), state());
    let mut rules = JobTypeRules::every(Duration::from_secs(300));
    rules.cushion = 10;
    let allowance = |remaining| Allowance {
        remaining: Some(remaining),
        reset_at_ms: Some(NOW_MS + 900_000),
        ..Allowance::of(ScopeKey::new("app").unwrap())
    };
    for (name, remaining) in [("interval", 100), ("cushion", 5)] {
        let allowances = [allowance(remaining)];
        let ended = Ended::Completed {
            succeeded: true,
            failure: None,
            saturated: false,
            allowances: &allowances,
        };
        criterion.bench_function(&format!("policy/{name}"), |bencher| {
            bencher.iter(|| {
                decide(black_box(&Situation {
                    id: &id,
                    state: &state,
                    rules: &rules,
                    level: &state.level,
                    ended,
                    ring: SlotRing::MINUTES,
                    now_ms: NOW_MS,
                    jitter: 0.5,
                }))
            });
        });
    }
}

criterion_group!(benches, decisions);
criterion_main!(benches);
