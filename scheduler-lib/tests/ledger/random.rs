//! Random steps.

use polling_model::Allowance;
use proptest::prelude::*;
use scheduler_lib::ledger::{Claim, Cushion, Heard, Ledger, Limit, MemoryLedger, Request};

use crate::{START_MS, scope};

/// A step of a scheduler.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Reserve(Vec<Request>),
    GiveBack(Request, usize),
    Hear(Vec<Heard>),
    Standing,
}

const SCOPES: [&str; 3] = ["app", "account:1", "account:2"];

fn request() -> impl Strategy<Value = Request> {
    let cushion = prop_oneof![
        (0..60u64).prop_map(Cushion::Calls),
        (0.0..1.0).prop_map(Cushion::Share),
    ];
    let limit = prop::option::weighted(
        0.3,
        (0..100u64, prop::sample::select(vec![60_000, 300_000])),
    );
    let claim = (0..SCOPES.len(), cushion, limit).prop_map(|(name, cushion, limit)| Claim {
        scope: scope(SCOPES[name]),
        cushion,
        limit: limit.map(|(calls, window_ms)| Limit { calls, window_ms }),
    });
    let worths = prop::collection::vec(0.0..100.0f64, 0..80).prop_map(|mut worths| {
        worths.sort_by(|one, two| two.total_cmp(one));
        worths
    });
    let turn_ms = prop::sample::select(vec![0, 1000, 60_000]);
    (
        prop::collection::vec(claim, 1..3),
        worths,
        1..4u32,
        any::<bool>(),
        turn_ms,
    )
        .prop_map(|(claims, worths, cost, fill, turn_ms)| Request {
            claims,
            worths,
            cost,
            fill,
            turn_ms,
        })
}

/// Up to so many seconds before and after `now_s`, UTC milliseconds.
fn around(now_s: i64, before: i64, after: i64) -> impl Strategy<Value = i64> {
    (now_s - before..now_s + after).prop_map(|at_s| START_MS + at_s * 1000)
}

fn heard(now_s: i64) -> impl Strategy<Value = Heard> {
    let allowance = (
        prop::option::of(0..200u64),
        prop::option::of(0..200u64),
        prop::option::of(around(now_s, 100, 9_000)),
        prop::option::of(prop::sample::select(vec![0, 10_000, 900_000, 20_000_000])),
    );
    (
        prop::sample::select(SCOPES.map(scope).to_vec()),
        (0..30u64, 0..30u64),
        prop::collection::vec(allowance, 0..3),
        around(now_s, 100, 20),
        prop::option::weighted(0.1, around(now_s, 10, 100)),
    )
        .prop_map(
            |(scope, (ended, used), told, at_ms, refused_until_ms)| Heard {
                ended,
                used,
                allowances: told
                    .into_iter()
                    .map(|(limit, remaining, reset_at_ms, window_ms)| Allowance {
                        scope: scope.clone(),
                        limit,
                        remaining,
                        reset_at_ms,
                        window_ms,
                    })
                    .collect(),
                scope,
                at_ms,
                refused_until_ms,
            },
        )
}

fn step(now_s: i64) -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => prop::collection::vec(request(), 1..3).prop_map(Step::Reserve),
        1 => (request(), 0..80usize).prop_map(|(request, calls)| Step::GiveBack(request, calls)),
        4 => prop::collection::vec(heard(now_s), 1..3).prop_map(Step::Hear),
        1 => Just(Step::Standing),
    ]
}

/// In the order of their times, UTC milliseconds.
pub(crate) fn steps() -> impl Strategy<Value = Vec<(i64, Step)>> {
    let timed = (0..12_000i64).prop_flat_map(|now_s| (Just(now_s), step(now_s)));
    prop::collection::vec(timed, 1..40).prop_map(|mut steps| {
        steps.sort_by_key(|(now_s, _)| *now_s);
        let in_ms = |(now_s, step)| (START_MS + now_s * 1000, step);
        steps.into_iter().map(in_ms).collect()
    })
}

/// What a ledger answers, in words.
pub(crate) async fn play(ledger: &dyn Ledger, now_ms: i64, step: &Step) -> String {
    match step {
        Step::Reserve(requests) => {
            format!("{:.9?}", ledger.reserve(requests, now_ms).await.unwrap())
        }
        Step::GiveBack(request, calls) => {
            let given = ledger.give_back(request, *calls, now_ms);
            format!("{:?}", given.await.unwrap())
        }
        Step::Hear(heard) => format!("{:.9?}", ledger.hear(heard, now_ms).await.unwrap()),
        Step::Standing => {
            let scopes = SCOPES.map(scope);
            format!("{:.9?}", ledger.standing(&scopes, now_ms).await.unwrap())
        }
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(future)
}

proptest! {
    /// What was granted never exceeds what stood before, in any window of any scope.
    #[test]
    fn a_grant_leaves_every_cushion(steps in steps()) {
        let ledger = MemoryLedger::new();
        for (now_ms, step) in &steps {
            if let Step::Reserve(requests) = step {
                for request in requests {
                    block_on(grant_leaves_cushions(&ledger, request, *now_ms))?;
                }
            } else {
                block_on(play(&ledger, *now_ms, step));
            }
        }
    }
}

async fn grant_leaves_cushions(
    ledger: &MemoryLedger,
    request: &Request,
    now_ms: i64,
) -> Result<(), TestCaseError> {
    let scopes: Vec<_> = request
        .claims
        .iter()
        .map(|claim| claim.scope.clone())
        .collect();
    let grant = ledger.reserve(std::slice::from_ref(request), now_ms);
    let grant = grant.await.unwrap().remove(0);
    prop_assert!(grant.calls <= request.worths.len());
    prop_assert_eq!(grant.calls < request.worths.len(), grant.denial.is_some());
    let after = ledger.standing(&scopes, now_ms).await.unwrap();
    if grant.calls == 0 {
        return Ok(());
    }
    prop_assert!(request.fill || request.worths[grant.calls - 1] >= grant.price);
    for (claim, standing) in request.claims.iter().zip(after) {
        prop_assert_eq!(standing.refused_until_ms, None);
        for window in standing.windows {
            let cushion = match claim.cushion {
                Cushion::Calls(calls) => calls,
                Cushion::Share(share) => (window.limit as f64 * share).ceil() as u64,
            };
            // A scope that is named twice has two cushions.
            let twice = scopes.len() == 2 && scopes[0] == scopes[1];
            prop_assert!(
                twice || window.free >= cushion,
                "{grant:?} {window:?} {cushion}"
            );
        }
    }
    Ok(())
}

#[cfg(feature = "redis")]
#[test]
#[ignore = "needs dev/services"]
fn redis_and_memory_agree() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let cases = std::env::var("POLLING_DIFFERENTIAL_CASES");
    let cases = cases
        .ok()
        .and_then(|cases| cases.parse().ok())
        .unwrap_or(100);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(cases)
    });
    let ran = runner.run(&steps(), |steps| {
        runtime.block_on(async {
            let (redis, memory) = (crate::redis::ledger(), MemoryLedger::new());
            for (now_ms, step) in &steps {
                let (one, other) = (
                    play(&redis, *now_ms, step).await,
                    play(&memory, *now_ms, step).await,
                );
                prop_assert_eq!(one, other, "at {} {:?}", now_ms, step);
            }
            Ok(())
        })
    });
    ran.unwrap();
}
