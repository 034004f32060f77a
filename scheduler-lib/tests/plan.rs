//! What a plan promises.
#![allow(clippy::unwrap_used)]

use std::{collections::BTreeMap, time::Duration};

use proptest::prelude::*;
use scheduler_lib::{
    ledger::Cushion,
    plan::{Breaking, JobGroup, Plan, PlanError, PlanInput, PlannedLimit, Rates, plan},
    policy::{Adaptive, JobTypeRules, LevelRules, LimitRule, ScopeRule},
};

const MINUTE: Duration = Duration::from_secs(60);

fn limit(calls: u64, minutes: u32) -> LimitRule {
    LimitRule {
        calls,
        window: minutes * MINUTE,
    }
}

fn scope(template: &str, limit: Option<LimitRule>) -> ScopeRule {
    ScopeRule {
        scope: template.parse().unwrap(),
        cushion: None,
        limit,
    }
}

fn every(minutes: u32) -> JobTypeRules {
    JobTypeRules::every(minutes * MINUTE)
}

/// Rules of one scope `app`.
fn within(minutes: u32, calls: u64, window_minutes: u32) -> JobTypeRules {
    JobTypeRules {
        scopes: vec![scope("app", Some(limit(calls, window_minutes)))],
        ..every(minutes)
    }
}

fn weighted(weight: f64) -> LevelRules {
    LevelRules {
        weight,
        ..LevelRules::default()
    }
}

fn group(level: &str, jobs: u64, per_day: f64) -> JobGroup {
    JobGroup {
        job_type: "posts".parse().unwrap(),
        level: level.parse().unwrap(),
        jobs,
        accounts: None,
        rates: Rates::same(per_day).unwrap(),
    }
}

fn input(rules: JobTypeRules, groups: impl IntoIterator<Item = JobGroup>) -> PlanInput {
    PlanInput {
        groups: groups.into_iter().collect(),
        slot_width: Duration::from_secs(1),
        ..PlanInput::new(BTreeMap::from([("posts".parse().unwrap(), rules)]))
    }
}

fn near(one: f64, two: f64) -> bool {
    (one / two - 1.0).abs() < 1e-6
}

#[test]
fn a_scope_may_have_a_cushion_of_its_own() {
    let mut rules = within(5, 1_000, 60);
    rules.cushion = Cushion::Calls(100);
    let cushion = |rules: &JobTypeRules| {
        let plan = plan(&input(rules.clone(), [group("gold", 10, 1.0)])).unwrap();
        plan.scopes[0].windows[0].cushion
    };
    assert!(near(cushion(&rules), 100.0));
    rules.scopes[0].cushion = Some(Cushion::Share(0.25));
    assert!(near(cushion(&rules), 250.0));
}

#[test]
fn with_room_the_price_is_0_and_intervals_are_as_configured() {
    let plan = plan(&input(within(5, 5_000, 15), [group("gold", 1_000, 1.0)])).unwrap();
    let (level, scope) = (&plan.levels[0], &plan.scopes[0]);
    assert!(near(level.mean_interval_minutes, 5.0));
    assert!(near(level.staleness_minutes, 2.5));
    assert_eq!(scope.price_minutes.to_bits(), 0.0f64.to_bits());
    assert!(near(scope.windows[0].use_share, 0.6));
    assert!(plan.alarms.is_empty() && plan.notes.is_empty());
    assert!(near(plan.breaks[0].accounts.unwrap(), 5.0 / 3.0));
    assert!(near(plan.breaks[0].least_limit, 3_000.0));
}

#[test]
fn weights_of_4_to_1_make_gaps_of_1_to_2_when_calls_are_scarce() {
    let mut rules = within(1, 100, 15);
    rules.levels.insert("gold".parse().unwrap(), weighted(4.0));
    for adaptive in [
        None,
        Some(Adaptive {
            page: 20,
            loss: Duration::ZERO,
        }),
    ] {
        let rules = JobTypeRules {
            adaptive,
            ..rules.clone()
        };
        let groups = [group("gold", 500, 1.0), group("default", 500, 1.0)];
        let plan = plan(&input(rules, groups)).unwrap();
        let [gold, other] = [0, 1].map(|at| plan.levels[at].mean_interval_minutes);
        assert!(near(other, 2.0 * gold), "{gold} {other}");
        // 500 / T + 500 / 2T = 100 / 15 min
        assert!(near(gold, 112.5), "{gold}");
    }
}

/// With nothing else changed. One group has n / T = B, whatever its price is; that goes with T².
#[test]
fn half_the_calls_make_intervals_twice_as_long_and_the_price_four_times_as_high() {
    for adaptive in [
        None,
        Some(Adaptive {
            page: 20,
            loss: Duration::ZERO,
        }),
    ] {
        let of = |calls| {
            let rules = JobTypeRules {
                adaptive,
                ..within(1, calls, 15)
            };
            plan(&input(rules, [group("default", 1_000, 3.0)])).unwrap()
        };
        let (whole, half) = (of(1_000), of(500));
        assert!(near(whole.levels[0].mean_interval_minutes, 15.0));
        assert!(near(half.levels[0].mean_interval_minutes, 30.0));
        assert!(near(
            half.scopes[0].price_minutes,
            4.0 * whole.scopes[0].price_minutes
        ));
        assert!(near(half.levels[0].staleness_minutes, 15.0));
    }
}

#[test]
fn adaptive_jobs_are_polled_as_the_root_of_what_they_bring() {
    let rules = JobTypeRules {
        adaptive: Some(Adaptive {
            page: 20,
            loss: Duration::ZERO,
        }),
        ..within(1, 100, 15)
    };
    let plan = plan(&input(
        rules,
        [group("busy", 100, 9.0), group("quiet", 100, 1.0)],
    ))
    .unwrap();
    let [busy, quiet] = [0, 1].map(|at| plan.levels[at].polls_per_day);
    assert!(near(busy, 3.0 * quiet));
}

#[test]
fn jobs_that_may_lose_items_are_polled_more_often() {
    let of = |loss| {
        let rules = JobTypeRules {
            adaptive: Some(Adaptive { page: 5, loss }),
            ..within(1, 100, 15)
        };
        let groups = [group("busy", 10, 500.0), group("quiet", 2_000, 1.0)];
        plan(&input(rules, groups)).unwrap()
    };
    let (without, with) = (of(Duration::ZERO), of(720 * MINUTE));
    assert!(with.levels[0].lost < without.levels[0].lost);
    assert!(with.levels[0].polls_per_day > without.levels[0].polls_per_day);
}

#[test]
fn a_weight_of_0_takes_what_nobody_else_wants_or_its_max_age() {
    let mut rules = within(10, 150, 15);
    let last = LevelRules {
        max_age: Some(120 * MINUTE),
        ..weighted(0.0)
    };
    rules.levels.insert("last".parse().unwrap(), last);
    let of = |jobs| {
        let groups = [group("default", jobs, 1.0), group("last", 50, 1.0)];
        plan(&input(rules.clone(), groups)).unwrap()
    };
    let (room, scarce) = (of(80), of(1_000));
    assert!(near(room.levels[0].mean_interval_minutes, 10.0));
    assert!(near(room.levels[1].mean_interval_minutes, 25.0), "{room:?}");
    assert!(near(scarce.levels[1].mean_interval_minutes, 120.0));
    assert!(near(scarce.levels[1].held_by_max_age, 1.0));
}

#[test]
fn promises_that_do_not_fit_are_an_alarm_and_the_lowest_weight_gives_way() {
    let mut rules = JobTypeRules {
        max_age: Some(30 * MINUTE),
        ..within(10, 150, 15)
    };
    rules.levels.insert("gold".parse().unwrap(), weighted(4.0));
    let groups = [group("gold", 200, 1.0), group("default", 200, 1.0)];
    let plan = plan(&input(rules, groups)).unwrap();
    let kept = [0, 1].map(|at| plan.levels[at].promise_kept.unwrap());
    assert!(near(kept[0], 1.0) && near(kept[1], 0.5), "{kept:?}");
    assert!(near(plan.levels[1].mean_interval_minutes, 60.0));
    assert!(
        plan.alarms[0].contains("posts.default gives way first"),
        "{:?}",
        plan.alarms
    );
    assert!(
        plan.alarms[0].contains("it would need 200"),
        "{:?}",
        plan.alarms
    );
    assert!(
        plan.alarms[1].contains("posts.default: only 50 %"),
        "{:?}",
        plan.alarms
    );
    assert_eq!(plan.breaks[0].what, Breaking::Intervals);
    assert!(near(plan.breaks[1].accounts.unwrap(), 0.75));
}

#[test]
fn a_scope_of_accounts_is_one_of_each_and_growth_does_not_matter_to_it() {
    let rules = JobTypeRules {
        scopes: vec![scope("account:{account}", Some(limit(30, 60)))],
        cushion: Cushion::Calls(10),
        ..every(1)
    };
    // Each account has 2 jobs, and 20 calls an hour for them.
    let accounts = JobGroup {
        accounts: Some(500),
        ..group("default", 1_000, 1.0)
    };
    for factor in [1.0, 7.0] {
        let input = PlanInput {
            accounts: factor,
            ..input(rules.clone(), [accounts.clone()])
        };
        let plan = plan(&input).unwrap();
        assert!(near(plan.levels[0].mean_interval_minutes, 6.0), "{plan:?}");
        assert_eq!(plan.scopes[0].copies, (500.0 * factor) as u64);
        assert_eq!(plan.breaks[0].accounts, None);
        assert!(near(plan.breaks[0].least_limit, 130.0));
    }
}

#[test]
fn busy_accounts_reach_their_own_limit_first() {
    let rules = JobTypeRules {
        adaptive: Some(Adaptive::default()),
        scopes: vec![
            scope("app", Some(limit(1_000, 60))),
            scope("account:{account}", Some(limit(6, 60))),
        ],
        ..every(1)
    };
    let rates = Rates::of([200.0, 1.0, 1.0, 1.0]).unwrap();
    let groups = [JobGroup {
        rates,
        ..group("default", 400, 1.0)
    }];
    let plan = plan(&input(rules, groups)).unwrap();
    let account = &plan.scopes[0];
    assert_eq!(account.scope, "account:{account}");
    assert!(near(account.windows[0].used, 6.0), "{account:?}");
    assert!(account.price_minutes > 0.0);
    // The others have what the busy ones may not take: (1000 − 100 · 6) / 300 an hour.
    assert!(near(plan.scopes[1].windows[0].used, 1_000.0));
    assert!(near(plan.levels[0].polls_per_day, 60.0));
}

#[test]
fn a_call_counts_in_all_its_scopes_and_the_strictest_wins() {
    let rules = JobTypeRules {
        scopes: vec![
            scope("app", Some(limit(600, 60))),
            scope("level:{level}", Some(limit(100, 60))),
        ],
        cost: 2,
        ..every(1)
    };
    let plan = plan(&input(
        rules,
        [group("gold", 100, 1.0), group("tin", 100, 1.0)],
    ))
    .unwrap();
    for level in &plan.levels {
        assert!(near(level.mean_interval_minutes, 120.0));
    }
    assert_eq!(plan.scopes[0].price_minutes.to_bits(), 0.0f64.to_bits());
    assert_eq!(plan.scopes[2].scope, "level:tin");
}

#[test]
fn given_limits_replace_those_of_the_rules_and_all_windows_hold() {
    let mut input = input(within(1, 5, 60), [group("default", 60, 1.0)]);
    let given = |scope: &str, limit| PlannedLimit {
        scope: scope.parse().unwrap(),
        limit,
    };
    input.limits = vec![
        given("app", limit(60, 1)),
        given("app", limit(1_440, 1_440)),
        given("reported", limit(1_000_000, 1)),
    ];
    input.others = vec![("app".parse().unwrap(), 0.5)];
    let plan = plan(&input).unwrap();
    assert_eq!(plan.scopes[0].windows.len(), 2);
    assert!(near(plan.scopes[0].windows[1].used, 720.0));
    assert!(near(plan.levels[0].mean_interval_minutes, 120.0));
    assert!(
        plan.notes[0].contains("no rules name scope reported"),
        "{:?}",
        plan.notes
    );
}

#[test]
fn without_a_call_left_nobody_is_polled_and_the_plan_says_so() {
    let none = [limit(0, 15), limit(100, 15)];
    for given in none {
        let rules = JobTypeRules {
            cushion: Cushion::Calls(100),
            ..within(5, 100, 15)
        };
        let mut input = input(rules, [group("default", 100, 1.0)]);
        input.limits = vec![PlannedLimit {
            scope: "app".parse().unwrap(),
            limit: given,
        }];
        let plan = plan(&input).unwrap();
        assert!(plan.levels[0].staleness_minutes.is_infinite());
        assert!(
            plan.alarms[0].contains("nobody is polled"),
            "{:?}",
            plan.alarms
        );
        let json = serde_json::to_value(&plan).unwrap();
        assert!(json["levels"][0]["staleness_minutes"].is_null());
    }
}

#[test]
fn of_no_jobs_the_plan_tells_what_one_would_get() {
    let groups = [group("default", 1_000, 1.0), group("gold", 0, 0.0)];
    let plan = plan(&input(within(1, 500, 15), groups)).unwrap();
    assert!(near(plan.levels[1].mean_interval_minutes, 30.0));
    assert_eq!(plan.levels[1].jobs, 0);
}

#[test]
fn without_scopes_and_without_jobs_there_is_a_plan_too() {
    let none = plan(&PlanInput::new(BTreeMap::new())).unwrap();
    assert!(none.levels.is_empty() && none.breaks.is_empty());
    let free = plan(&input(every(7), [group("default", 10, 1.0)])).unwrap();
    assert!(near(free.levels[0].mean_interval_minutes, 7.0));
    assert!(free.notes[0].contains("nothing holds anybody back"));
}

#[test]
fn what_makes_no_sense_is_refused_with_what_is_needed() {
    let sane = input(within(5, 100, 15), [group("default", 1, 1.0)]);
    let refused = |change: &dyn Fn(&mut PlanInput), words: &str| {
        let mut input = sane.clone();
        change(&mut input);
        let error = plan(&input).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    };
    refused(
        &|input| input.groups[0].job_type = "likes".parse().unwrap(),
        "known are posts",
    );
    refused(
        &|input| input.groups[0].jobs = u64::MAX,
        "at most 1000000000",
    );
    for factor in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        refused(&|input| input.accounts = factor, "above 0");
    }
    for share in [-0.1, 1.1, f64::NAN] {
        refused(
            &|input| input.others = vec![("app".parse().unwrap(), share)],
            "needs 0 to 1",
        );
    }
    let app = |minutes| PlannedLimit {
        scope: "app".parse().unwrap(),
        limit: limit(1, minutes),
    };
    refused(&|input| input.limits = vec![app(0)], "needs 1s to 31d");
    refused(
        &|input| input.rules.values_mut().for_each(|rules| rules.cost = 0),
        "the rules of job type posts are wrong",
    );
    assert!(matches!(Rates::same(f64::NAN), Err(PlanError::Rate { .. })));
}

#[derive(Debug, Clone)]
struct Level {
    jobs: u64,
    interval_minutes: u32,
    max_age: Option<u32>,
    weight: f64,
    per_day: f64,
    cushion: Option<u64>,
}

prop_compose! {
    fn level()(
        jobs in 0..2_000u64,
        interval_minutes in 1..120u32,
        max_age in prop::option::weighted(0.3, 1..50u32),
        weight in prop_oneof![Just(1.0), 0.01..10.0f64],
        per_day in prop_oneof![Just(0.0), 0.01..300.0f64],
        cushion in prop::option::weighted(0.2, 0..200u64),
    ) -> Level {
        let max_age = max_age.map(|factor| interval_minutes * factor);
        Level { jobs, interval_minutes, max_age, weight, per_day, cushion }
    }
}

prop_compose! {
    fn inputs()(
        levels in prop::collection::vec(level(), 1..5),
        adaptive in prop::option::of(1..100u32),
        cost in 1..4u32,
        app in prop::option::weighted(0.8, 0..20_000u64),
        by_level in prop::option::of(1..5_000u64),
        by_account in prop::option::of(1..50u64),
        others in 0.0..1.0f64,
    ) -> PlanInput {
        let mut rules = every(1);
        rules.adaptive = adaptive.map(|page| Adaptive { page, ..Adaptive::default() });
        rules.cost = cost;
        for (template, calls) in [("level:{level}", by_level), ("account:{account}", by_account)] {
            rules.scopes.extend(calls.map(|calls| scope(template, Some(limit(calls, 15)))));
        }
        rules.scopes.push(scope("app", None));
        let mut groups = Vec::new();
        for (at, level) in levels.iter().enumerate() {
            let name = format!("l{at}");
            rules.levels.insert(name.parse().unwrap(), LevelRules {
                interval: Some(level.interval_minutes * MINUTE),
                max_age: level.max_age.map(|minutes| minutes * MINUTE),
                weight: level.weight,
                cushion: level.cushion.map(Cushion::Calls),
            });
            groups.push(group(&name, level.jobs, level.per_day));
        }
        let mut input = input(rules, groups);
        input.limits = app
            .map(|calls| PlannedLimit { scope: "app".parse().unwrap(), limit: limit(calls, 15) })
            .into_iter()
            .collect();
        input.others = vec![("app".parse().unwrap(), others)];
        input
    }
}

/// Whether a scope holds anybody back, beyond what is no difference.
fn stretched(plan: &Plan) -> bool {
    plan.levels
        .iter()
        .filter(|level| !level.adaptive)
        .any(|level| level.mean_interval_minutes > level.interval_minutes * (1.0 + 1e-7))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn use_never_exceeds_what_is_available_and_scarce_calls_are_all_used(input in inputs()) {
        let plan = plan(&input).unwrap();
        for scope in &plan.scopes {
            for window in &scope.windows {
                prop_assert!(window.used <= window.available * (1.0 + 2e-9), "{window:?}");
                prop_assert!(window.used <= window.wanted * (1.0 + 1e-9), "{window:?}");
            }
            let full = scope.windows.iter().any(|window| window.used >= window.available * (1.0 - 1e-4));
            let none = scope.copies == 0;
            prop_assert!(scope.price_minutes <= 0.0 || full || none, "{scope:?}");
        }
        for level in &plan.levels {
            let bound = level.max_age_minutes.unwrap_or(f64::INFINITY).max(level.interval_minutes);
            let kept = level.promise_kept.unwrap_or(1.0);
            prop_assert!(level.mean_interval_minutes >= level.interval_minutes * (1.0 - 1e-9));
            prop_assert!(kept < 1.0 || level.mean_interval_minutes <= bound * (1.0 + 1e-9), "{level:?}");
            prop_assert!((0.0..=1.0).contains(&level.lost) && (0.0..=1.0).contains(&kept));
        }
    }

    #[test]
    fn what_is_told_to_hold_does_and_more_does_not(mut input in inputs(), at in 0..20usize) {
        let told = plan(&input).unwrap();
        let accounts = told.breaks.iter().filter_map(|found| Some((found, found.accounts?)));
        let all: Vec<_> = accounts.filter(|(_, factor)| (1e-5..1e5).contains(factor)).collect();
        if all.is_empty() {
            return Ok(());
        }
        let (found, factor) = all[at % all.len()];
        let holds = |plan: &Plan| {
            let of = |one: &&scheduler_lib::plan::Break| one.what == found.what && one.scope == found.scope;
            plan.breaks.iter().find(of).unwrap().holds()
        };
        input.accounts = factor * 0.999_999;
        prop_assert!(holds(&plan(&input).unwrap()));
        input.accounts = factor * 1.000_1;
        let beyond = plan(&input).unwrap();
        prop_assert!(!holds(&beyond));
        match found.what {
            Breaking::Intervals => prop_assert!(stretched(&beyond)),
            _ => prop_assert!(beyond.levels.iter().any(|level| level.promise_kept.is_some_and(|kept| kept < 1.0))),
        }
    }

    #[test]
    fn down_to_the_limit_told_it_holds_and_below_it_does_not(mut input in inputs(), promises: bool) {
        if input.limits.is_empty() {
            let limit = limit(100, 15);
            input.limits.push(PlannedLimit { scope: "app".parse().unwrap(), limit });
        }
        let what = if promises { Breaking::Promises } else { Breaking::Intervals };
        let of_app = |plan: &Plan| {
            plan.breaks.iter().find(|found| found.what == what && found.scope == "app").cloned()
        };
        let Some(told) = of_app(&plan(&input).unwrap()) else {
            return Ok(());
        };
        for (calls, holds) in [(told.least_limit.ceil(), true), (told.least_limit.floor() - 1.0, false)] {
            if (1.0..1e9).contains(&calls) {
                input.limits[0].limit.calls = calls as u64;
                prop_assert_eq!(of_app(&plan(&input).unwrap()).unwrap().holds(), holds);
            }
        }
    }

    /// The first break: up to it all intervals are as configured.
    #[test]
    fn up_to_the_first_break_nothing_stretches(mut input in inputs()) {
        let told = plan(&input).unwrap();
        let of_accounts = told.breaks.iter().filter_map(|found| found.accounts);
        let first = of_accounts.fold(f64::INFINITY, f64::min);
        let by_account = told.breaks.iter().any(|found| found.accounts.is_none() && !found.holds());
        if by_account || !(1e-5..1e5).contains(&first) {
            return Ok(());
        }
        input.accounts = first * 0.999_999;
        prop_assert!(!stretched(&plan(&input).unwrap()));
    }

    #[test]
    fn no_split_of_the_calls_has_less_delay(
        levels in prop::collection::vec((1..300u64, 0.1..5.0f64, 0.1..50.0f64), 3),
        calls in 20..200u64,
        first_at_most in 5..100u64,
    ) {
        let mut rules = within(1, calls, 60);
        rules.adaptive = Some(Adaptive { page: 20, loss: Duration::ZERO });
        rules.scopes.push(scope("level:{level}", None));
        let names = ["first", "second", "third"];
        for (name, (_, weight, _)) in names.iter().zip(&levels) {
            rules.levels.insert(name.parse().unwrap(), weighted(*weight));
        }
        let groups = names.iter().zip(&levels).map(|(name, (jobs, _, rate))| group(name, *jobs, *rate));
        let mut input = input(rules, groups);
        let first = PlannedLimit { scope: "level:first".parse().unwrap(), limit: limit(first_at_most, 60) };
        input.limits = vec![first];
        let plan = plan(&input).unwrap();
        // Calls an hour of a level, and the weighed delay of its items.
        let cost = |at: usize, calls: f64| {
            let (jobs, weight, rate) = levels[at];
            let jobs = jobs as f64;
            if calls / jobs > 60.0 + 1e-9 { f64::INFINITY } else { jobs * weight * rate * 30.0 * jobs / calls }
        };
        let found: f64 = plan.levels.iter().enumerate()
            .map(|(at, level)| cost(at, level.jobs as f64 * level.polls_per_day / 24.0))
            .sum();
        let mut best = f64::INFINITY;
        for one in 1..200 {
            for two in 1..200 {
                let first = f64::from(one) / 200.0 * first_at_most.min(calls) as f64;
                let rest = calls as f64 - first;
                let second = f64::from(two) / 200.0 * rest;
                let most = |at: usize, calls: f64| calls.min(levels[at].0 as f64 * 60.0);
                best = best.min(cost(0, most(0, first)) + cost(1, most(1, second)) + cost(2, most(2, rest - second)));
            }
        }
        prop_assert!(found <= best * (1.0 + 1e-6), "{found} {best}");
    }

    #[test]
    fn no_numbers_make_it_panic(
        mut input in inputs(),
        rate: f64,
        factor: f64,
        share: f64,
        jobs: u64,
        accounts: u64,
        calls: u64,
        window_ms: u64,
    ) {
        if let Ok(rates) = Rates::same(rate) {
            input.groups[0].rates = rates;
        }
        let _ = plan(&PlanInput { accounts: factor, ..input.clone() });
        let _ = plan(&PlanInput { others: vec![("app".parse().unwrap(), share)], ..input.clone() });
        input.groups[0].accounts = Some(accounts % 1_000_000_000);
        input.groups[0].jobs = jobs % 1_000_000_000;
        let limit = LimitRule { calls, window: Duration::from_millis(window_ms) };
        input.limits.push(PlannedLimit { scope: "app".parse().unwrap(), limit });
        if let Ok(plan) = plan(&input) {
            for level in &plan.levels {
                prop_assert!(!level.staleness_minutes.is_nan() && !level.polls_per_day.is_nan());
            }
        }
    }
}
