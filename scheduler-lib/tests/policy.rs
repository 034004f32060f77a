//! The decision when a job is polled next.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use polling_model::{
    Allowance, ErrorClass, ErrorCode, Failure, JobId, Nonce, ScopeKey, ServiceLevel, SlotRing,
};
use proptest::prelude::*;
use scheduler_lib::{
    policy::{Backoff, Ended, ErrorRule, JobTypeRules, LevelRules, Placement, Situation, decide},
    store::{Hold, JobState, Next, Place, Strike},
};

const NOW_MS: i64 = 1_000_000_000;
const MINUTE_MS: i64 = 60_000;

fn level(name: &str) -> ServiceLevel {
    ServiceLevel::new(name).unwrap()
}

fn rules() -> JobTypeRules {
    let mut rules = JobTypeRules::every(Duration::from_secs(300));
    rules.levels.insert(
        level("gold"),
        LevelRules {
            interval: Duration::from_secs(60),
        },
    );
    rules
}

fn state() -> JobState {
    JobState {
        job_type: "posts".parse().unwrap(),
        account: "42".parse().unwrap(),
        level: level("basic"),
        cushion: None,
        incarnation: Nonce(1),
        generation: 1,
        nonce: Some(Nonce(2)),
        revision: 0,
        place: Place::InFlight {
            deadline_ms: NOW_MS + MINUTE_MS,
        },
        due_ms: NOW_MS - 500,
        attempts: 0,
        strikes: 0,
        run_now: false,
        settled_ms: 0,
        scopes: Vec::new(),
        activity: None,
        reasons: Vec::new(),
    }
}

fn placement(rules: &JobTypeRules, state: &JobState, ended: Ended<'_>) -> Placement {
    let id = JobId::new("posts:42").unwrap();
    decide(&Situation {
        id: &id,
        state,
        rules,
        level: &state.level,
        ended,
        ring: SlotRing::SECONDS,
        now_ms: NOW_MS,
        jitter: 0.5,
    })
}

fn succeeded(allowances: &[Allowance]) -> Ended<'_> {
    Ended::Completed {
        succeeded: true,
        failure: None,
        saturated: false,
        allowances,
    }
}

fn failed(failure: &Failure) -> Ended<'_> {
    Ended::Completed {
        succeeded: false,
        failure: Some(failure),
        saturated: false,
        allowances: &[],
    }
}

fn allowance(remaining: u64, reset_in_ms: i64) -> Allowance {
    let scope = ScopeKey::new("app").unwrap();
    Allowance {
        remaining: Some(remaining),
        reset_at_ms: Some(NOW_MS + reset_in_ms),
        ..Allowance::of(scope)
    }
}

fn due_ms(placement: &Placement) -> i64 {
    match placement.next {
        Next::Due(due_ms) => due_ms,
        other => panic!("not due at a time: {other:?}"),
    }
}

#[test]
fn a_success_is_followed_by_the_interval_of_its_level_without_drift() {
    let found = placement(&rules(), &state(), succeeded(&[]));
    assert_eq!(due_ms(&found), NOW_MS - 500 + 5 * MINUTE_MS);
    assert_eq!(found.reason, "interval 5m of level basic");
    let gold = JobState {
        level: level("gold"),
        ..state()
    };
    assert_eq!(
        due_ms(&placement(&rules(), &gold, succeeded(&[]))),
        NOW_MS - 500 + MINUTE_MS
    );
}

#[test]
fn missed_times_are_skipped_and_the_grid_is_kept() {
    let late = JobState {
        due_ms: NOW_MS - 12 * MINUTE_MS,
        ..state()
    };
    assert_eq!(
        due_ms(&placement(&rules(), &late, succeeded(&[]))),
        NOW_MS + 3 * MINUTE_MS
    );
    let exactly_one_late = JobState {
        due_ms: NOW_MS - 5 * MINUTE_MS,
        ..state()
    };
    assert_eq!(
        due_ms(&placement(&rules(), &exactly_one_late, succeeded(&[]))),
        NOW_MS + 5 * MINUTE_MS
    );
}

proptest! {
    #[test]
    fn the_next_time_is_after_now_after_the_last_and_on_the_grid(behind_ms in -100_000_000..100_000_000i64, interval_s in 1..100_000u64) {
        let rules = JobTypeRules::every(Duration::from_secs(interval_s));
        let state = JobState { due_ms: NOW_MS - behind_ms, ..state() };
        let next_ms = due_ms(&placement(&rules, &state, succeeded(&[])));
        let interval_ms = interval_s as i64 * 1000;
        prop_assert!(next_ms > NOW_MS && next_ms > state.due_ms);
        prop_assert_eq!((next_ms - state.due_ms) % interval_ms, 0);
        prop_assert!(next_ms - NOW_MS.max(state.due_ms) <= interval_ms);
    }

    #[test]
    fn off_its_grid_a_job_is_due_when_a_slot_begins(retry_after_ms in 0..10_000_000i64) {
        let failure = Failure { retry_after_ms: Some(retry_after_ms), ..Failure::new(ErrorClass::RateLimited, "429") };
        let found = due_ms(&placement(&rules(), &state(), failed(&failure)));
        let asked_ms = NOW_MS + retry_after_ms;
        prop_assert!(found >= asked_ms && found < asked_ms + 1_000);
        prop_assert!(found % 1_000 == 0 || (found - state().due_ms) % (5 * MINUTE_MS) == 0);
    }

    #[test]
    fn whatever_the_channel_reports_a_job_comes_back_in_bounded_time(
        limit: Option<u64>, remaining: Option<u64>, reset_at_ms: Option<i64>, window_ms: Option<i64>, retry_after_ms: Option<i64>,
    ) {
        let scope = ScopeKey::new("app").unwrap();
        let allowances = [Allowance { scope, limit, remaining, reset_at_ms, window_ms }];
        let failure = Failure { retry_after_ms, ..Failure::new(ErrorClass::RateLimited, "429") };
        let ended = Ended::Completed { succeeded: false, failure: Some(&failure), saturated: false, allowances: &allowances };
        let found = due_ms(&placement(&rules(), &state(), ended));
        let month_ms = polling_model::caps::MAX_RESET_AHEAD_MS;
        prop_assert!(found >= NOW_MS && found <= NOW_MS + month_ms + 5 * MINUTE_MS + 1_000, "{}", found);
    }
}

#[test]
fn failures_back_off_and_count_attempts() {
    let mut rules = rules();
    let backoff = Backoff {
        base: Duration::from_secs(10),
        max: Duration::from_secs(100),
    };
    rules
        .errors
        .insert(ErrorClass::Transient, ErrorRule::Backoff(backoff));
    let failure = Failure::new(ErrorClass::Transient, "503");
    let third = JobState {
        attempts: 2,
        ..state()
    };
    let found = placement(&rules, &third, failed(&failure));
    assert_eq!(found.attempts, 3);
    assert_eq!(due_ms(&found), NOW_MS + 20_000);
    assert_eq!(found.reason, "transient: attempt 3 failed, backing off 20s");
    assert_eq!(placement(&rules, &third, succeeded(&[])).attempts, 0);
}

#[test]
fn rate_limits_and_interruptions_use_up_no_attempts() {
    let second = JobState {
        attempts: 1,
        ..state()
    };
    for class in [ErrorClass::RateLimited, ErrorClass::Interrupted] {
        assert_eq!(
            placement(&rules(), &second, failed(&Failure::new(class, ""))).attempts,
            1,
            "{class}"
        );
    }
    let interrupted = placement(
        &rules(),
        &second,
        failed(&Failure::new(ErrorClass::Interrupted, "")),
    );
    assert_eq!(interrupted.next, Next::Due(NOW_MS));
}

#[test]
fn the_channel_may_ask_to_wait() {
    let failure = Failure {
        retry_after_ms: Some(90_000),
        ..Failure::new(ErrorClass::RateLimited, "429")
    };
    assert_eq!(
        due_ms(&placement(&rules(), &state(), failed(&failure))),
        NOW_MS + 90_000
    );
    let stopped = Ended::Completed {
        succeeded: true,
        failure: Some(&failure),
        saturated: true,
        allowances: &[],
    };
    assert_eq!(
        due_ms(&placement(&rules(), &state(), stopped)),
        NOW_MS - 500 + 5 * MINUTE_MS
    );
}

#[test]
fn gone_is_parked_and_a_code_may_remove() {
    let gone = Failure::new(ErrorClass::Gone, "404");
    assert_eq!(
        placement(&rules(), &state(), failed(&gone)).next,
        Next::Hold(Hold::Parked)
    );
    let mut rules = rules();
    let code = ErrorCode::new("deleted").unwrap();
    rules.codes.insert(code.clone(), ErrorRule::Remove);
    let deleted = Failure {
        code: Some(code),
        retry_after_ms: Some(5),
        ..gone
    };
    assert_eq!(
        placement(&rules, &state(), failed(&deleted)).next,
        Next::Remove
    );
}

#[test]
fn below_the_cushion_a_job_waits_for_the_next_window_and_is_spread_over_it() {
    let mut rules = rules();
    rules.cushion = 50;
    let reset_ms = NOW_MS + 15 * MINUTE_MS;
    let found = placement(
        &rules,
        &state(),
        succeeded(&[allowance(49, 15 * MINUTE_MS)]),
    );
    assert!(
        (reset_ms..reset_ms + 5 * MINUTE_MS).contains(&due_ms(&found)),
        "{found:?}"
    );
    assert_ne!(due_ms(&found), reset_ms);
    assert_eq!(found.reason, "cushion of app reached: next window");
    let enough = placement(
        &rules,
        &state(),
        succeeded(&[allowance(50, 15 * MINUTE_MS)]),
    );
    assert_eq!(enough.reason, "interval 5m of level basic");
    let own = JobState {
        cushion: Some(10),
        ..state()
    };
    assert_eq!(
        placement(&rules, &own, succeeded(&[allowance(49, 15 * MINUTE_MS)])).reason,
        "interval 5m of level basic"
    );
}

#[test]
fn of_several_windows_the_strictest_wins() {
    let windows = [
        allowance(0, MINUTE_MS),
        allowance(0, 60 * MINUTE_MS),
        allowance(9, 999 * MINUTE_MS),
    ];
    assert!(due_ms(&placement(&rules(), &state(), succeeded(&windows))) >= NOW_MS + 60 * MINUTE_MS);
}

#[test]
fn a_saturated_poll_goes_on_at_once() {
    let ended = Ended::Completed {
        succeeded: true,
        failure: None,
        saturated: true,
        allowances: &[],
    };
    assert_eq!(placement(&rules(), &state(), ended).next, Next::Due(NOW_MS));
}

#[test]
fn a_dead_letter_strikes_and_never_removes() {
    let mut rules = rules();
    rules
        .errors
        .insert(ErrorClass::Transient, ErrorRule::Remove);
    let found = placement(&rules, &state(), Ended::DeadLetter);
    assert_eq!(found.strike, Strike::Add { limit: 3 });
    assert!(due_ms(&found) > NOW_MS);
}

#[test]
fn a_run_asked_for_in_flight_comes_at_once() {
    let asked = JobState {
        run_now: true,
        ..state()
    };
    let found = placement(&rules(), &asked, succeeded(&[]));
    assert_eq!(found.next, Next::Now);
    assert_eq!(found.reason, "run now, asked for while in flight");
}

#[test]
fn a_run_asked_for_in_flight_does_not_keep_what_a_rule_removes() {
    let mut rules = rules();
    rules.errors.insert(ErrorClass::Gone, ErrorRule::Remove);
    let asked = JobState {
        run_now: true,
        ..state()
    };
    let gone = Failure::new(ErrorClass::Gone, "404");
    let found = placement(&rules, &asked, failed(&gone));
    assert_eq!(
        (found.next, found.reason.as_str()),
        (Next::Remove, "gone: removed by rule")
    );
}

#[test]
fn a_dead_letter_backs_off_like_a_passing_error() {
    let found = placement(&rules(), &state(), Ended::DeadLetter);
    assert_eq!(due_ms(&found), NOW_MS + 15_000);
    assert_eq!(
        found.reason,
        "dead letter: attempt 1 failed, backing off 15s"
    );
    assert_eq!(found.attempts, 1);
}

#[test]
fn each_class_of_error_has_its_default_backoff() {
    // Half of the bound after the first error in a row, and after many.
    for (class, first_s, last_s) in [
        (ErrorClass::RateLimited, 30, 1_800),
        (ErrorClass::Unauthorized, 150, 12 * 3_600),
        (ErrorClass::Invalid, 300, 12 * 3_600),
        (ErrorClass::Transient, 15, 1_800),
    ] {
        let failure = Failure::new(class, "");
        for (attempts, wait_s) in [(0, first_s), (100, last_s)] {
            let state = JobState {
                attempts,
                ..state()
            };
            let found = placement(&rules(), &state, failed(&failure));
            assert_eq!(due_ms(&found), NOW_MS + wait_s * 1_000, "{class}");
        }
    }
}

#[test]
fn a_wish_to_wait_lifts_no_hold() {
    let failure = Failure {
        retry_after_ms: Some(90_000),
        ..Failure::new(ErrorClass::Invalid, "422")
    };
    for (rule, hold) in [
        (ErrorRule::Pause, Hold::Paused),
        (ErrorRule::Park, Hold::Parked),
    ] {
        let mut rules = rules();
        rules.errors.insert(ErrorClass::Invalid, rule);
        let found = placement(&rules, &state(), failed(&failure));
        assert_eq!(found.next, Next::Hold(hold));
    }
}
