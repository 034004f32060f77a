//! The decision when a job is polled next.

#![allow(clippy::unwrap_used)]

use std::{sync::Arc, time::Duration};

use polling_model::{
    ErrorClass, ErrorCode, Failure, JobId, Nonce, ScopeKey, ServiceLevel, SlotRing, caps,
};
use proptest::prelude::*;
use scheduler_lib::{
    ledger::{Cushion, Denial, PROMISED, Standing, WindowStanding},
    policy::{
        Backoff, Denied, Due, Ended, ErrorRule, FixedIntervals, Frequency, JobTypeRules,
        LevelRules, Override, Placement, Seen, Situation, decide, postpone,
    },
    store::{Hold, JobState, Next, Place, Reason, Strike},
};

const NOW_MS: i64 = 1_000_000_000;
const MINUTE_MS: i64 = 60_000;

fn level(name: &str) -> ServiceLevel {
    ServiceLevel::new(name).unwrap()
}

fn rules() -> JobTypeRules {
    let mut rules = JobTypeRules::every(Duration::from_secs(300));
    rules
        .levels
        .insert(level("gold"), LevelRules::every(Duration::from_secs(60)));
    rules
}

fn state() -> JobState {
    JobState {
        job_type: "posts".parse().unwrap(),
        account: "42".parse().unwrap(),
        level: level("basic"),
        cushion: None,
        pace: None,
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
        reasons: Arc::default(),
    }
}

fn placement(rules: &JobTypeRules, state: &JobState, ended: Ended<'_>) -> Placement {
    placement_in(rules, state, ended, &[])
}

/// The same where the job's scopes stand like this.
fn placement_in(
    rules: &JobTypeRules,
    state: &JobState,
    ended: Ended<'_>,
    standings: &[(&str, Standing)],
) -> Placement {
    let id = JobId::new("posts:42").unwrap();
    let scopes = standings.iter().map(|(name, standing)| {
        let bound = JobState {
            scopes: vec![ScopeKey::new(*name).unwrap()],
            ..state.clone()
        };
        let claim = rules.claims(&bound).remove(0);
        (claim, standing.clone())
    });
    let scopes: Vec<_> = scopes.collect();
    decide(&Situation {
        id: &id,
        state,
        rules,
        level: &state.level,
        frequency: &FixedIntervals,
        scopes: &scopes,
        activity: None,
        ended,
        ring: SlotRing::SECONDS,
        now_ms: NOW_MS,
        jitter: 0.5,
    })
}

const SUCCEEDED: Ended<'static> = Ended::Completed {
    succeeded: true,
    failure: None,
    saturated: false,
};

fn failed(failure: &Failure) -> Ended<'_> {
    Ended::Completed {
        succeeded: false,
        failure: Some(failure),
        saturated: false,
    }
}

/// So many of 1000 calls left, in a window of 15 minutes that ends then.
fn left(free: u64, ends_in_ms: i64) -> Standing {
    Standing {
        windows: vec![WindowStanding {
            limit: 1000,
            free,
            granted: 0,
            ends_ms: NOW_MS + ends_in_ms,
            length_ms: 15 * MINUTE_MS,
        }],
        ..Standing::default()
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
    let found = placement(&rules(), &state(), SUCCEEDED);
    assert_eq!(due_ms(&found), NOW_MS - 500 + 5 * MINUTE_MS);
    assert_eq!(found.reason, "every 5m");
    let gold = JobState {
        level: level("gold"),
        ..state()
    };
    assert_eq!(
        due_ms(&placement(&rules(), &gold, SUCCEEDED)),
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
        due_ms(&placement(&rules(), &late, SUCCEEDED)),
        NOW_MS + 3 * MINUTE_MS
    );
    let exactly_one_late = JobState {
        due_ms: NOW_MS - 5 * MINUTE_MS,
        ..state()
    };
    assert_eq!(
        due_ms(&placement(&rules(), &exactly_one_late, SUCCEEDED)),
        NOW_MS + 5 * MINUTE_MS
    );
}

proptest! {
    #[test]
    fn the_next_time_is_after_now_after_the_last_and_on_the_grid(behind_ms in -100_000_000..100_000_000i64, interval_s in 1..100_000u64) {
        let rules = JobTypeRules::every(Duration::from_secs(interval_s));
        let state = JobState { due_ms: NOW_MS - behind_ms, ..state() };
        let next_ms = due_ms(&placement(&rules, &state, SUCCEEDED));
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
    fn whatever_is_known_of_limits_a_job_comes_back_in_bounded_time(
        free in 0..100u64, ends_in_ms in 1..caps::MAX_RESET_AHEAD_MS, refused_in_ms in 0..caps::MAX_RESET_AHEAD_MS,
        price in 0.0..1e12f64, retry_after_ms: Option<i64>,
    ) {
        let failure = Failure { retry_after_ms, ..Failure::new(ErrorClass::RateLimited, "429") };
        let standing = Standing { price, refused_until_ms: Some(NOW_MS + refused_in_ms), ..left(free, ends_in_ms) };
        let found = due_ms(&placement_in(&rules(), &state(), failed(&failure), &[("app", standing)]));
        let latest_ms = NOW_MS + caps::MAX_RESET_AHEAD_MS + 15 * MINUTE_MS + 1_000;
        prop_assert!((NOW_MS..=latest_ms).contains(&found), "{}", found);
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
    assert_eq!(
        found.reason,
        "transient (503): attempt 3 failed, backing off 20s"
    );
    assert_eq!(placement(&rules, &third, SUCCEEDED).attempts, 0);
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
    rules.cushion = Cushion::Calls(50);
    let end_ms = NOW_MS + 15 * MINUTE_MS;
    let with = |rules: &JobTypeRules, state: &JobState, free| {
        placement_in(
            rules,
            state,
            SUCCEEDED,
            &[("app", left(free, 15 * MINUTE_MS))],
        )
    };
    let found = with(&rules, &state(), 50);
    assert!(
        (end_ms + 1..end_ms + 15 * MINUTE_MS).contains(&due_ms(&found)),
        "{found:?}"
    );
    assert_eq!(
        found.reason,
        "50 of 1000 calls of app left, cushion 50: next window, in 15m; its turn is 1m 25s later"
    );
    let enough = with(&rules, &state(), 51);
    assert_eq!(enough.reason, "every 5m");
    let own = JobState {
        cushion: Some(Cushion::Calls(10)),
        ..state()
    };
    assert_eq!(with(&rules, &own, 50).reason, "every 5m");
    rules.levels.insert(
        level("basic"),
        LevelRules {
            cushion: Some(Cushion::Share(0.1)),
            ..LevelRules::default()
        },
    );
    assert!(with(&rules, &state(), 100).reason.contains("cushion 100"));
    assert_eq!(with(&rules, &state(), 101).reason, "every 5m");
}

#[test]
fn the_narrowest_word_about_a_cushion_counts() {
    let mut rules = rules();
    rules.cushion = Cushion::Calls(1);
    rules.scopes =
        serde_json::from_str(r#"[{"scope": "app", "cushion": 500}, "account:{account}"]"#).unwrap();
    let cushions = |rules: &JobTypeRules, state: &JobState| -> Vec<Cushion> {
        let claims = rules.claims(state).into_iter();
        claims.map(|claim| claim.cushion).collect()
    };
    let bound = JobState {
        scopes: vec![ScopeKey::new("token:7").unwrap()],
        ..state()
    };
    let calls = |calls: [u64; 3]| calls.map(Cushion::Calls);
    assert_eq!(cushions(&rules, &bound), calls([500, 1, 1]));
    let of_level = LevelRules {
        cushion: Some(Cushion::Calls(7)),
        ..LevelRules::default()
    };
    rules.levels.insert(level("basic"), of_level);
    assert_eq!(cushions(&rules, &bound), calls([7, 7, 7]));
    let own = JobState {
        cushion: Some(Cushion::Calls(9)),
        ..bound
    };
    assert_eq!(cushions(&rules, &own), calls([9, 9, 9]));
}

#[test]
fn in_a_scope_of_its_own_a_job_waits_until_the_window_ends_and_no_longer() {
    let limited = [("account:42", left(0, 15 * MINUTE_MS))];
    let found = placement_in(&rules(), &state(), SUCCEEDED, &limited);
    assert_eq!(due_ms(&found), NOW_MS + 15 * MINUTE_MS);
}

#[test]
fn a_scope_whose_name_happens_to_end_like_the_account_is_not_its_own() {
    let state = JobState {
        account: "p".parse().unwrap(),
        ..state()
    };
    let limited = [("app", left(0, 15 * MINUTE_MS))];
    let found = placement_in(&rules(), &state, SUCCEEDED, &limited);
    assert!(due_ms(&found) > NOW_MS + 15 * MINUTE_MS);
}

#[test]
fn a_long_window_begins_for_all_its_jobs_within_an_hour() {
    let mut day = left(0, 15 * MINUTE_MS);
    day.windows[0].length_ms = 24 * 60 * MINUTE_MS;
    let found = placement_in(&rules(), &state(), SUCCEEDED, &[("app", day)]);
    let begins_ms = NOW_MS + 15 * MINUTE_MS;
    assert!((begins_ms + 1..begins_ms + 60 * MINUTE_MS).contains(&due_ms(&found)));
}

#[test]
fn a_job_that_waits_for_a_price_is_looked_at_again_before_long() {
    let standing = Standing {
        price: 1e6,
        ..Standing::default()
    };
    let found = placement_in(&rules(), &settled(), SUCCEEDED, &[("app", standing)]);
    assert_eq!(due_ms(&found), NOW_MS + 10 * MINUTE_MS);
    assert!(
        found.reason.contains("stretched to at least 10m"),
        "{}",
        found.reason
    );
    let rules = rules();
    for (waited, again) in [(5, 5), (10, 5), (60, 30)] {
        let state = JobState {
            settled_ms: NOW_MS - waited * MINUTE_MS,
            ..state()
        };
        let due = postpone(&Denied {
            id: &JobId::new("posts:42").unwrap(),
            seen: seen(&rules, &state),
            frequency: &FixedIntervals,
            denial: &Denial::Price,
            price: 1e6,
            others: 0,
            ring: SlotRing::SECONDS,
            now_ms: NOW_MS,
        });
        assert_eq!(due.at_ms, NOW_MS + again * MINUTE_MS, "{waited}");
    }
}

#[test]
fn while_the_channel_refuses_calls_no_job_of_the_scope_comes() {
    let refused = Standing {
        refused_until_ms: Some(NOW_MS + 20 * MINUTE_MS),
        ..Standing::default()
    };
    let found = placement_in(&rules(), &state(), SUCCEEDED, &[("app", refused)]);
    assert!(due_ms(&found) >= NOW_MS + 20 * MINUTE_MS);
    assert_eq!(
        found.reason,
        "the channel refuses calls of app for 20m; its turn is 18s later"
    );
}

#[test]
fn of_several_windows_the_strictest_wins() {
    let scopes = [
        ("app", left(0, MINUTE_MS)),
        ("token:7", left(0, 60 * MINUTE_MS)),
        ("other", left(9, 999 * MINUTE_MS)),
    ];
    let found = placement_in(&rules(), &state(), SUCCEEDED, &scopes);
    assert!((NOW_MS + 60 * MINUTE_MS..NOW_MS + 75 * MINUTE_MS).contains(&due_ms(&found)));
}

/// A state that was polled just now.
fn settled() -> JobState {
    JobState {
        settled_ms: NOW_MS,
        ..state()
    }
}

#[test]
fn scarce_calls_stretch_intervals_as_the_root_of_the_weight() {
    let mut rules = rules();
    for (name, weight) in [("one", 1.0), ("two", 2.0)] {
        let of_level = LevelRules {
            weight,
            ..LevelRules::default()
        };
        rules.levels.insert(level(name), of_level);
    }
    let gap_ms = |name, price| {
        let state = JobState {
            level: level(name),
            ..settled()
        };
        let standing = Standing {
            price,
            ..Standing::default()
        };
        let found = placement_in(&rules, &state, SUCCEEDED, &[("app", standing)]);
        (due_ms(&found) - NOW_MS, found.reason)
    };
    let (one_ms, reason) = gap_ms("one", 11.0);
    let (two_ms, _) = gap_ms("two", 11.0);
    let ratio = one_ms as f64 / two_ms as f64;
    assert!((ratio - 2f64.sqrt()).abs() < 0.01, "{one_ms} {two_ms}");
    assert_eq!(
        reason,
        "every 5m, stretched to 9m 23s: calls are scarce, a poll has to save 8.80 min of delay"
    );
    // A poll after five minutes is worth 2.5 minutes: more than the price.
    assert_eq!(gap_ms("one", 2.0).1, "every 5m");
}

#[test]
fn scarce_calls_stretch_no_interval_beyond_the_max_age() {
    let mut rules = rules();
    rules.max_age = Some(Duration::from_secs(420));
    let standing = Standing {
        price: 1e6,
        ..Standing::default()
    };
    let found = placement_in(&rules, &settled(), SUCCEEDED, &[("app", standing)]);
    assert_eq!(due_ms(&found), NOW_MS + 7 * MINUTE_MS);
    assert_eq!(found.reason, "its greatest age of 7m (level basic)");
}

fn seen<'a>(rules: &JobTypeRules, state: &'a JobState) -> Seen<'a> {
    Seen::new(rules, state, &state.level, state.settled_ms, NOW_MS)
}

#[test]
fn what_is_promised_is_worth_more_than_any_price() {
    let mut rules = rules();
    rules.max_age = Some(Duration::from_secs(1800));
    let worth = |state: &JobState| FixedIntervals.worth(&seen(&rules, state), NOW_MS);
    let polled_before = |minutes: i64| JobState {
        settled_ms: NOW_MS - minutes * MINUTE_MS,
        ..state()
    };
    assert!((worth(&polled_before(10)) - 10.0).abs() < 1e-9);
    let asked_for = JobState {
        reasons: [Reason {
            at_ms: None,
            text: "run now".into(),
        }]
        .into(),
        ..polled_before(10)
    };
    let reason = |minutes: i64, text: &str| Reason {
        at_ms: Some(NOW_MS - minutes * MINUTE_MS),
        text: text.into(),
    };
    let then = |job: &JobState, newest: Reason| JobState {
        reasons: [newest].iter().chain(&*job.reasons).cloned().collect(),
        ..job.clone()
    };
    let put_off = then(&asked_for, reason(1, "others had the calls"));
    for promised in [state(), polled_before(30), asked_for.clone(), put_off] {
        assert!(worth(&promised) >= PROMISED, "{promised:?}");
    }
    let polled_since = then(&asked_for, reason(10, "its interval"));
    assert!(worth(&polled_since) < PROMISED);
}

#[test]
fn a_pinned_job_comes_at_its_interval_whatever_its_level_and_the_price() {
    let mut rules = rules();
    rules.max_age = Some(Duration::from_secs(3600));
    let pinned = JobState {
        pace: Some(Override::Pin {
            interval: Duration::from_secs(120),
        }),
        due_ms: NOW_MS,
        ..settled()
    };
    let job = Seen::new(&rules, &pinned, &pinned.level, NOW_MS, NOW_MS);
    for price in [0.0, 400.0] {
        let due = FixedIntervals.due(&job, price, NOW_MS);
        assert_eq!(due.at_ms, NOW_MS + 2 * MINUTE_MS);
        assert_eq!(due.reason, "pinned to 2m by hand");
    }
    let worth_after = |minutes: i64| FixedIntervals.worth(&job, NOW_MS + minutes * MINUTE_MS);
    assert!(worth_after(1) < PROMISED && worth_after(2) >= PROMISED);
}

#[test]
fn a_boost_counts_until_it_ends_and_lifts_no_weight_of_zero() {
    let mut rules = rules();
    let boosted = JobState {
        pace: Some(Override::Boost {
            factor: 900.0,
            until_ms: NOW_MS + 1,
        }),
        ..settled()
    };
    let mut weight = |weight: f64, now_ms: i64| {
        let level = LevelRules {
            weight,
            max_age: Some(Duration::from_secs(3600)),
            ..LevelRules::default()
        };
        rules.levels.insert(boosted.level.clone(), level);
        Seen::new(&rules, &boosted, &boosted.level, NOW_MS, now_ms).weight
    };
    assert!((weight(0.5, NOW_MS) - 450.0).abs() < 1e-9);
    assert!((weight(5.0, NOW_MS) - 1000.0).abs() < 1e-9, "bounded");
    assert!((weight(0.5, NOW_MS + 1) - 0.5).abs() < 1e-9);
    assert!(weight(0.0, NOW_MS).abs() < 1e-9);
}

#[test]
fn a_burst_is_worth_many_items_until_its_job_is_polled_again() {
    let (rules, before) = (rules(), settled());
    let ended = Ended::Completed {
        succeeded: true,
        failure: None,
        saturated: true,
    };
    let told = |reason: String, settled_ms: i64| JobState {
        reasons: [
            Reason {
                at_ms: Some(NOW_MS + MINUTE_MS),
                text: "put off".into(),
            },
            Reason {
                at_ms: Some(NOW_MS),
                text: reason.into(),
            },
        ]
        .into(),
        settled_ms,
        ..before.clone()
    };
    let worth = |state: &JobState| FixedIntervals.worth(&seen(&rules, state), NOW_MS);
    let saturated = placement(&rules, &before, ended).reason;
    assert!((worth(&told(saturated.clone(), NOW_MS)) - 50.0).abs() < 1e-9);
    let polled_again = JobState {
        settled_ms: NOW_MS + MINUTE_MS,
        ..told(saturated, NOW_MS)
    };
    assert!((worth(&polled_again) - 2.5).abs() < 1e-9);
}

fn postponed(denial: &Denial, others: u64) -> Due {
    let (rules, state) = (rules(), settled());
    postpone(&Denied {
        id: &JobId::new("posts:42").unwrap(),
        seen: seen(&rules, &state),
        frequency: &FixedIntervals,
        denial,
        price: 10.0,
        others,
        ring: SlotRing::MINUTES,
        now_ms: NOW_MS,
    })
}

fn app() -> ScopeKey {
    ScopeKey::new("app").unwrap()
}

#[test]
fn a_job_without_a_call_comes_back_later_and_says_why() {
    let window = left(40, 10 * MINUTE_MS).windows.remove(0);
    let cushion = postponed(
        &Denial::Cushion {
            scope: app(),
            window: window.clone(),
            cushion: 50,
        },
        9,
    );
    let ends_ms = NOW_MS + 10 * MINUTE_MS;
    assert!((ends_ms..ends_ms + 15 * MINUTE_MS).contains(&cushion.at_ms));
    assert_eq!(
        cushion.reason,
        "40 of 1000 calls of app left, cushion 50: next window, in 10m; its turn is 10m 29s later"
    );
    let refused = postponed(
        &Denial::Refused {
            scope: app(),
            until_ms: ends_ms,
        },
        9,
    );
    assert!((ends_ms..ends_ms + 5 * MINUTE_MS).contains(&refused.at_ms));
    assert_eq!(
        refused.reason,
        "the channel refuses calls of app for 10m; its turn is 3m 30s later"
    );
    let price = postponed(&Denial::Price, 9);
    assert_eq!(
        price.reason,
        "calls are scarce: waits until a poll saves 10 min of delay"
    );
    // Worth that after ten minutes; looked at again after five.
    assert_eq!(price.at_ms, NOW_MS + 5 * MINUTE_MS);
    let paced = Denial::Paced {
        scope: app(),
        window,
        turn: 10,
    };
    let next_ms = SlotRing::MINUTES.start_ms(SlotRing::MINUTES.current(NOW_MS).plus(1));
    let few = postponed(&paced, 9);
    assert_eq!(few.at_ms, next_ms);
    assert_eq!(
        few.reason,
        "10 calls of app may be made every 1m, and others had them: a later turn"
    );
    let many = postponed(&paced, 99);
    assert!((next_ms..next_ms + 10 * MINUTE_MS).contains(&many.at_ms));
}

#[test]
fn a_saturated_poll_goes_on_at_once() {
    let ended = Ended::Completed {
        succeeded: true,
        failure: None,
        saturated: true,
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
    let found = placement(&rules(), &asked, SUCCEEDED);
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
        (Next::Remove, "gone (404): removed by rule")
    );
}

#[test]
fn a_dead_letter_backs_off_like_a_passing_error() {
    let found = placement(&rules(), &state(), Ended::DeadLetter);
    assert_eq!(due_ms(&found), NOW_MS + 15_000);
    assert_eq!(
        found.reason,
        "workers gave up on its message: attempt 1 failed, backing off 15s"
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
