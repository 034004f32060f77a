//! What every ledger does.

use polling_model::Allowance;
use scheduler_lib::ledger::{Cushion, Denial, Heard, Ledger, Limit, Request, WindowStanding};

use crate::{MINUTE_MS, at, calls, claim, grant, granted, hear, said, scope};

/// A test for each case, with these attributes, of what `$ledger` makes.
#[macro_export]
macro_rules! ledger_cases {
    (@all $attributes:tt $ledger:expr; $($name:ident)*) => {
        $($crate::ledger_cases! { @one $attributes $ledger; $name })*
    };
    (@one [$($attributes:tt)*] $ledger:expr; $name:ident) => {
        $($attributes)*
        async fn $name() {
            $crate::cases::$name(&$ledger).await;
        }
    };
    ($attributes:tt $ledger:expr) => {
        $crate::ledger_cases! { @all $attributes $ledger;
            a_scope_of_which_nothing_is_known_grants_all
            no_more_is_granted_than_is_left_above_the_cushion
            a_cushion_may_be_a_share_of_the_limit
            what_is_given_back_can_be_granted_again
            the_channel_knows_better_for_others_use_the_limit_too
            an_old_report_does_not_raise_what_is_left
            calls_not_heard_of_count_beside_what_the_channel_says
            a_call_without_a_word_about_the_limit_is_counted
            the_next_window_grants_the_limit_less_what_may_come_late
            a_window_long_over_is_forgotten
            a_limit_may_shrink_in_mid_window
            all_windows_of_a_scope_hold
            a_call_may_count_in_several_scopes
            a_call_may_cost_more_than_one
            a_refusal_stops_the_scope_and_one_call_tries_first
            a_call_made_before_the_refusal_does_not_lift_it
            absurd_words_are_taken_within_bounds
            a_response_of_an_absurd_time_makes_no_window_of_days
            a_window_of_which_nothing_is_said_counts_the_calls
            no_more_windows_are_kept_than_a_scope_may_have
            a_refusal_is_told_until_it_ends
            calls_of_the_window_before_are_the_first_to_end
            what_is_said_of_the_window_before_changes_nothing
            a_window_that_ends_later_than_known_is_a_new_one
            calls_are_spread_over_the_turns_of_a_window
            what_one_turn_leaves_the_others_may_use
            a_price_rises_until_no_more_is_asked_for_than_there_are_calls
            calls_below_the_price_take_what_nobody_asked_for
            a_configured_limit_holds_before_the_channel_tells_of_any
            a_configured_limit_may_change
            what_the_channel_tells_wins_over_what_was_configured
            a_call_that_was_not_made_uses_up_nothing
            a_clock_that_was_ahead_is_forgotten
            in_a_long_window_calls_never_heard_of_count_as_used_until_the_channel_tells
        }
    };
}

mod memory {
    use scheduler_lib::ledger::MemoryLedger;

    crate::ledger_cases! { [#[tokio::test]] MemoryLedger::new() }
}

pub(crate) async fn a_scope_of_which_nothing_is_known_grants_all(ledger: &dyn Ledger) {
    assert_eq!(granted(ledger, &calls(1000, 50), 0).await, 1000);
    let standing = ledger.standing(&[scope("app")], at(0)).await.unwrap();
    assert_eq!(standing[0].windows, []);
}

pub(crate) async fn no_more_is_granted_than_is_left_above_the_cushion(ledger: &dyn Ledger) {
    hear(ledger, said(0, 100, 1000, 15), 0).await;
    assert_eq!(granted(ledger, &calls(50, 30), 1).await, 50);
    let grant = grant(ledger, &calls(50, 30), 1).await;
    assert_eq!(grant.calls, 20);
    let denial = Denial::Cushion {
        scope: scope("app"),
        window: WindowStanding {
            limit: 1000,
            free: 50,
            granted: 50,
            ends_ms: at(15),
            length_ms: 15 * MINUTE_MS,
        },
        cushion: 30,
    };
    assert_eq!(grant.denial, Some(denial));
    assert_eq!(granted(ledger, &calls(50, 0), 1).await, 30);
}

pub(crate) async fn a_cushion_may_be_a_share_of_the_limit(ledger: &dyn Ledger) {
    hear(ledger, said(0, 100, 999, 15), 0).await;
    let request = Request {
        claims: vec![claim("app", Cushion::Share(0.05))],
        ..calls(1000, 0)
    };
    assert_eq!(granted(ledger, &request, 1).await, 50);
}

pub(crate) async fn what_is_given_back_can_be_granted_again(ledger: &dyn Ledger) {
    hear(ledger, said(0, 100, 1000, 15), 0).await;
    assert_eq!(granted(ledger, &calls(100, 0), 1).await, 100);
    ledger.give_back(&calls(100, 0), 60, at(1)).await.unwrap();
    assert_eq!(granted(ledger, &calls(100, 0), 1).await, 60);
}

pub(crate) async fn the_channel_knows_better_for_others_use_the_limit_too(ledger: &dyn Ledger) {
    hear(ledger, said(0, 100, 1000, 15), 0).await;
    hear(ledger, said(2, 10, 1000, 15), 2).await;
    assert_eq!(granted(ledger, &calls(100, 0), 3).await, 10);
    hear(
        ledger,
        Heard {
            ended: 10,
            used: 10,
            ..said(4, 500, 1000, 15)
        },
        4,
    )
    .await;
    assert_eq!(granted(ledger, &calls(1000, 0), 5).await, 500);
}

pub(crate) async fn an_old_report_does_not_raise_what_is_left(ledger: &dyn Ledger) {
    hear(ledger, said(3, 10, 1000, 15), 3).await;
    hear(ledger, said(2, 80, 1000, 15), 4).await;
    assert_eq!(granted(ledger, &calls(100, 0), 5).await, 10);
    hear(ledger, said(2, 4, 1000, 15), 6).await;
    ledger.give_back(&calls(10, 0), 10, at(6)).await.unwrap();
    assert_eq!(granted(ledger, &calls(100, 0), 6).await, 4);
}

pub(crate) async fn calls_not_heard_of_count_beside_what_the_channel_says(ledger: &dyn Ledger) {
    hear(ledger, said(0, 100, 1000, 15), 0).await;
    assert_eq!(granted(ledger, &calls(40, 0), 1).await, 40);
    // One of the 40 has ended; the channel cannot know of the others.
    hear(
        ledger,
        Heard {
            ended: 1,
            used: 1,
            ..said(2, 99, 1000, 15)
        },
        2,
    )
    .await;
    assert_eq!(granted(ledger, &calls(100, 0), 3).await, 60);
}

pub(crate) async fn a_call_without_a_word_about_the_limit_is_counted(ledger: &dyn Ledger) {
    hear(ledger, said(0, 100, 1000, 15), 0).await;
    assert_eq!(granted(ledger, &calls(40, 0), 1).await, 40);
    let silent = Heard {
        ended: 40,
        used: 40,
        allowances: Vec::new(),
        ..said(2, 0, 0, 0)
    };
    hear(ledger, silent, 2).await;
    assert_eq!(granted(ledger, &calls(100, 0), 3).await, 60);
}

pub(crate) async fn the_next_window_grants_the_limit_less_what_may_come_late(ledger: &dyn Ledger) {
    hear(ledger, said(0, 100, 200, 15), 0).await;
    assert_eq!(granted(ledger, &calls(100, 0), 1).await, 100);
    assert_eq!(granted(ledger, &calls(1000, 0), 15).await, 100);
    // What was granted in the window before the last is lost, not late.
    assert_eq!(granted(ledger, &calls(1000, 0), 30).await, 100);
}

pub(crate) async fn a_window_long_over_is_forgotten(ledger: &dyn Ledger) {
    hear(ledger, said(0, 0, 200, 15), 0).await;
    assert_eq!(granted(ledger, &calls(1000, 0), 14).await, 0);
    assert_eq!(granted(ledger, &calls(1000, 0), 31).await, 1000);
}

pub(crate) async fn a_limit_may_shrink_in_mid_window(ledger: &dyn Ledger) {
    hear(ledger, said(0, 100, 1000, 15), 0).await;
    hear(ledger, said(1, 90, 50, 15), 1).await;
    assert_eq!(granted(ledger, &calls(100, 0), 2).await, 50);
}

pub(crate) async fn all_windows_of_a_scope_hold(ledger: &dyn Ledger) {
    let window = |remaining, minutes: i64| Allowance {
        remaining: Some(remaining),
        window_ms: Some(minutes * 60_000),
        ..Allowance::of(scope("app"))
    };
    let heard = Heard {
        allowances: vec![window(100, 15), window(30, 1), window(500, 1440)],
        ..said(0, 0, 0, 0)
    };
    hear(ledger, heard, 0).await;
    assert_eq!(granted(ledger, &calls(200, 0), 0).await, 30);
    let standing = &ledger.standing(&[scope("app")], at(0)).await.unwrap()[0];
    let free: Vec<_> = standing.windows.iter().map(|window| window.free).collect();
    assert_eq!(free, [0, 70, 470]);
}

pub(crate) async fn a_call_may_count_in_several_scopes(ledger: &dyn Ledger) {
    let of_account = |heard: Heard| Heard {
        scope: scope("account:7"),
        allowances: heard
            .allowances
            .into_iter()
            .map(|one| Allowance {
                scope: scope("account:7"),
                ..one
            })
            .collect(),
        ..heard
    };
    let news = [said(0, 100, 1000, 15), of_account(said(0, 20, 50, 15))];
    ledger.hear(&news, at(0)).await.unwrap();
    let both = Request {
        claims: vec![
            claim("app", Cushion::Calls(0)),
            claim("account:7", Cushion::Calls(5)),
        ],
        ..calls(80, 0)
    };
    assert_eq!(granted(ledger, &both, 1).await, 15);
    // Only what was granted in both counts in each.
    assert_eq!(granted(ledger, &calls(1000, 0), 1).await, 85);
    let account = Request {
        claims: vec![claim("account:7", Cushion::Calls(0))],
        ..calls(80, 0)
    };
    assert_eq!(granted(ledger, &account, 1).await, 5);
}

pub(crate) async fn a_call_may_cost_more_than_one(ledger: &dyn Ledger) {
    hear(ledger, said(0, 100, 1000, 15), 0).await;
    let request = Request {
        cost: 30,
        ..calls(10, 0)
    };
    assert_eq!(granted(ledger, &request, 1).await, 3);
    assert_eq!(granted(ledger, &calls(1000, 0), 1).await, 10);
    ledger.give_back(&request, 1, at(1)).await.unwrap();
    assert_eq!(granted(ledger, &calls(1000, 0), 1).await, 30);
}

pub(crate) async fn a_refusal_stops_the_scope_and_one_call_tries_first(ledger: &dyn Ledger) {
    let refused = Heard {
        refused_until_ms: Some(at(5)),
        ..said(0, 100, 1000, 15)
    };
    hear(ledger, refused, 0).await;
    let refused = |until_ms| {
        let scope = scope("app");
        Some(Denial::Refused { scope, until_ms })
    };
    let tried = grant(ledger, &calls(50, 0), 4).await;
    assert_eq!((tried.calls, tried.denial), (0, refused(at(5))));
    let tried = grant(ledger, &calls(50, 0), 5).await;
    assert_eq!((tried.calls, tried.denial), (1, refused(at(5) + 10_000)));
    assert_eq!(granted(ledger, &calls(50, 0), 5).await, 0);
    // Nothing is heard of it: another tries.
    assert_eq!(granted(ledger, &calls(50, 0), 6).await, 1);
    hear(
        ledger,
        Heard {
            ended: 1,
            used: 1,
            ..said(6, 99, 1000, 15)
        },
        6,
    )
    .await;
    assert_eq!(granted(ledger, &calls(50, 0), 6).await, 50);
}

pub(crate) async fn a_call_made_before_the_refusal_does_not_lift_it(ledger: &dyn Ledger) {
    let refused = Heard {
        refused_until_ms: Some(at(5)),
        ..said(2, 0, 1000, 15)
    };
    hear(ledger, refused, 2).await;
    hear(ledger, said(1, 100, 1000, 15), 3).await;
    assert_eq!(granted(ledger, &calls(50, 0), 4).await, 0);
}

pub(crate) async fn absurd_words_are_taken_within_bounds(ledger: &dyn Ledger) {
    let absurd = Heard {
        scope: scope("app"),
        ended: u64::MAX,
        used: u64::MAX,
        allowances: vec![
            Allowance {
                limit: Some(u64::MAX),
                remaining: Some(u64::MAX),
                reset_at_ms: Some(i64::MAX),
                window_ms: Some(i64::MIN),
                ..Allowance::of(scope("app"))
            },
            Allowance::of(scope("app")),
        ],
        at_ms: i64::MIN,
        refused_until_ms: Some(i64::MIN),
    };
    hear(ledger, absurd, 0).await;
    let standing = &ledger.standing(&[scope("app")], at(0)).await.unwrap()[0];
    let [window] = &standing.windows[..] else {
        panic!("{standing:?}");
    };
    assert_eq!(window.limit, 1_000_000_000);
    assert!(window.ends_ms <= at(31 * 24 * 60));
    let request = Request {
        cost: u32::MAX,
        ..calls(1000, u64::MAX)
    };
    assert_eq!(granted(ledger, &request, 1).await, 0);
    ledger.give_back(&request, usize::MAX, at(1)).await.unwrap();
}

pub(crate) async fn a_response_of_an_absurd_time_makes_no_window_of_days(ledger: &dyn Ledger) {
    for at_ms in [i64::MIN, i64::MAX] {
        let heard = Heard {
            at_ms,
            ..said(0, 100, 1000, 15)
        };
        hear(ledger, heard, 0).await;
        let standing = &ledger.standing(&[scope("app")], at(0)).await.unwrap()[0];
        assert!(standing.windows[0].length_ms <= 75 * MINUTE_MS);
    }
}

/// `remaining` calls left of a window of so many minutes.
fn window(remaining: Option<u64>, minutes: i64) -> Allowance {
    Allowance {
        limit: Some(1000),
        remaining,
        window_ms: Some(minutes * MINUTE_MS),
        ..Allowance::of(scope("app"))
    }
}

pub(crate) async fn a_window_of_which_nothing_is_said_counts_the_calls(ledger: &dyn Ledger) {
    let heard = |used, allowances, minutes| Heard {
        ended: used,
        used,
        allowances,
        ..said(minutes, 0, 0, 0)
    };
    let windows = [1, 2, 3].map(|hours| window(Some(100), hours * 60));
    hear(ledger, heard(0, windows.to_vec(), 0), 0).await;
    assert_eq!(granted(ledger, &calls(40, 0), 1).await, 40);
    // Of the second it says how many are left, of the third only the limit, of the first nothing.
    let news = vec![window(Some(90), 120), window(None, 180)];
    hear(ledger, heard(40, news, 2), 2).await;
    let standing = &ledger.standing(&[scope("app")], at(2)).await.unwrap()[0];
    let free: Vec<_> = standing.windows.iter().map(|window| window.free).collect();
    assert_eq!(free, [60, 90, 60]);
}

pub(crate) async fn no_more_windows_are_kept_than_a_scope_may_have(ledger: &dyn Ledger) {
    let heard = Heard {
        allowances: (1..=9).map(|hours| window(Some(100), hours * 60)).collect(),
        ..said(0, 0, 0, 0)
    };
    hear(ledger, heard, 0).await;
    let standing = &ledger.standing(&[scope("app")], at(0)).await.unwrap()[0];
    assert_eq!(standing.windows.len(), 8);
}

pub(crate) async fn a_refusal_is_told_until_it_ends(ledger: &dyn Ledger) {
    let refused = Heard {
        refused_until_ms: Some(at(5)),
        ..said(0, 100, 1000, 15)
    };
    hear(ledger, refused, 0).await;
    for (minutes, told) in [(4, Some(at(5))), (5, None)] {
        let standing = ledger.standing(&[scope("app")], at(minutes)).await.unwrap();
        assert_eq!(standing[0].refused_until_ms, told);
    }
}

pub(crate) async fn calls_of_the_window_before_are_the_first_to_end(ledger: &dyn Ledger) {
    hear(ledger, said(0, 200, 200, 15), 0).await;
    assert_eq!(granted(ledger, &calls(40, 0), 14).await, 40);
    assert_eq!(granted(ledger, &calls(10, 0), 15).await, 10);
    let ended = Heard {
        ended: 45,
        used: 45,
        ..said(16, 155, 200, 30)
    };
    hear(ledger, ended, 16).await;
    assert_eq!(granted(ledger, &calls(1000, 0), 16).await, 150);
    // Of the window before nothing is out any more.
    assert_eq!(granted(ledger, &calls(1000, 0), 30).await, 45);
}

pub(crate) async fn what_is_said_of_the_window_before_changes_nothing(ledger: &dyn Ledger) {
    hear(ledger, said(0, 100, 200, 15), 0).await;
    assert_eq!(granted(ledger, &calls(0, 0), 15).await, 0);
    hear(ledger, said(14, 5, 200, 15), 16).await;
    assert_eq!(granted(ledger, &calls(1000, 0), 16).await, 200);
}

pub(crate) async fn a_window_that_ends_later_than_known_is_a_new_one(ledger: &dyn Ledger) {
    hear(ledger, said(1, 10, 200, 15), 1).await;
    // Said at the same second, of the window that has just begun.
    hear(ledger, said(1, 190, 200, 30), 1).await;
    assert_eq!(granted(ledger, &calls(1000, 0), 1).await, 190);
    // The same end, told in whole seconds, is no later one.
    let rounded = Heard {
        allowances: vec![Allowance {
            limit: Some(200),
            remaining: Some(200),
            reset_at_ms: Some(at(30) + 1000),
            ..Allowance::of(scope("app"))
        }],
        ..said(1, 0, 0, 0)
    };
    hear(ledger, rounded, 1).await;
    assert_eq!(granted(ledger, &calls(1000, 0), 1).await, 0);
}

/// The same, asked for once a minute.
fn paced(calls: usize, cushion: u64) -> Request {
    Request {
        turn_ms: MINUTE_MS,
        ..crate::calls(calls, cushion)
    }
}

pub(crate) async fn calls_are_spread_over_the_turns_of_a_window(ledger: &dyn Ledger) {
    hear(ledger, said(0, 1000, 1000, 10), 0).await;
    // Two replicas share a turn.
    assert_eq!(granted(ledger, &paced(80, 100), 0).await, 80);
    let rest = grant(ledger, &paced(80, 100), 0).await;
    assert_eq!(rest.calls, 10);
    assert!(
        matches!(&rest.denial, Some(Denial::Paced { turn: 90, .. })),
        "{rest:?}"
    );
    let whatever = Request {
        fill: true,
        ..paced(200, 100)
    };
    for minute in 1..10 {
        assert_eq!(granted(ledger, &whatever, minute).await, 90);
    }
}

pub(crate) async fn what_one_turn_leaves_the_others_may_use(ledger: &dyn Ledger) {
    hear(ledger, said(0, 100, 100, 10), 0).await;
    assert_eq!(granted(ledger, &paced(1, 0), 0).await, 1);
    assert_eq!(granted(ledger, &paced(50, 0), 5).await, 20);
    assert_eq!(granted(ledger, &paced(200, 0), 9).await, 79);
}

pub(crate) async fn a_price_rises_until_no_more_is_asked_for_than_there_are_calls(
    ledger: &dyn Ledger,
) {
    hear(ledger, said(0, 100_000, 100_000, 1000), 0).await;
    let request = Request {
        worths: (1..=1000).rev().map(f64::from).collect(),
        ..paced(0, 0)
    };
    // A hundred a minute: only those that are worth 901 and more.
    for minute in 0..100 {
        assert!(granted(ledger, &request, minute).await <= 101);
    }
    let standing = &ledger.standing(&[scope("app")], at(100)).await.unwrap()[0];
    assert!((880.0..=920.0).contains(&standing.price), "{standing:?}");
    // Nobody asks any more: a call need not be worth much.
    for minute in 100..200 {
        granted(ledger, &paced(1, 0), minute).await;
    }
    let standing = &ledger.standing(&[scope("app")], at(200)).await.unwrap()[0];
    assert!(standing.price < 1.0, "{standing:?}");
}

pub(crate) async fn calls_below_the_price_take_what_nobody_asked_for(ledger: &dyn Ledger) {
    hear(ledger, said(0, 1000, 1000, 10), 0).await;
    assert_eq!(granted(ledger, &paced(400, 0), 0).await, 100);
    // The price is 1 from now on.
    let mut cheap = paced(400, 0);
    cheap.worths.fill(0.5);
    let none = grant(ledger, &cheap, 1).await;
    assert_eq!((none.calls, none.denial), (0, Some(Denial::Price)));
    assert!((none.price - 1.0).abs() < 1e-9);
    assert_eq!(granted(ledger, &paced(60, 0), 1).await, 60);
    cheap.fill = true;
    assert_eq!(granted(ledger, &cheap, 1).await, 40);
}

/// With a configured limit of so many calls in 15 minutes.
fn configured(calls: u64) -> Request {
    let mut request = crate::calls(1000, 0);
    request.claims[0].limit = Some(Limit {
        calls,
        window_ms: 15 * MINUTE_MS,
    });
    request
}

pub(crate) async fn a_configured_limit_holds_before_the_channel_tells_of_any(ledger: &dyn Ledger) {
    assert_eq!(granted(ledger, &configured(300), 0).await, 300);
    assert_eq!(granted(ledger, &configured(300), 1).await, 0);
    let ended = Heard {
        ended: 300,
        used: 300,
        allowances: Vec::new(),
        ..said(2, 0, 0, 0)
    };
    hear(ledger, ended, 2).await;
    assert_eq!(granted(ledger, &configured(300), 2).await, 0);
    assert_eq!(granted(ledger, &configured(300), 17).await, 300);
}

pub(crate) async fn a_configured_limit_may_change(ledger: &dyn Ledger) {
    assert_eq!(granted(ledger, &configured(300), 0).await, 300);
    assert_eq!(granted(ledger, &configured(350), 1).await, 50);
    assert_eq!(granted(ledger, &configured(100), 1).await, 0);
}

pub(crate) async fn what_the_channel_tells_wins_over_what_was_configured(ledger: &dyn Ledger) {
    assert_eq!(granted(ledger, &configured(10), 0).await, 10);
    let told = Heard {
        ended: 10,
        used: 10,
        allowances: vec![window(Some(600), 15)],
        ..said(1, 0, 0, 0)
    };
    hear(ledger, told, 1).await;
    assert_eq!(granted(ledger, &configured(10), 1).await, 600);
}

pub(crate) async fn a_call_that_was_not_made_uses_up_nothing(ledger: &dyn Ledger) {
    hear(ledger, said(0, 100, 1000, 15), 0).await;
    assert_eq!(granted(ledger, &calls(100, 0), 1).await, 100);
    let unmade = Heard {
        ended: 30,
        allowances: Vec::new(),
        ..said(2, 0, 0, 0)
    };
    hear(ledger, unmade, 2).await;
    assert_eq!(granted(ledger, &calls(100, 0), 3).await, 30);
}

pub(crate) async fn in_a_long_window_calls_never_heard_of_count_as_used_until_the_channel_tells(
    ledger: &dyn Ledger,
) {
    const DAY: i64 = 24 * 60;
    hear(ledger, said(0, 1000, 1000, DAY), 0).await;
    assert_eq!(granted(ledger, &calls(400, 0), 1).await, 400);
    assert_eq!(granted(ledger, &calls(0, 0), 61).await, 0);
    hear(ledger, said(100, 980, 1000, DAY), 100).await;
    assert_eq!(granted(ledger, &calls(1000, 0), 119).await, 580);
    // Two hours after the grant nobody waits for them any more.
    hear(ledger, said(120, 970, 1000, DAY), 122).await;
    assert_eq!(granted(ledger, &calls(1000, 0), 122).await, 390);
}

pub(crate) async fn a_clock_that_was_ahead_is_forgotten(ledger: &dyn Ledger) {
    hear(ledger, said(0, 100, 1000, 15), 0).await;
    hear(ledger, said(600, 50, 1000, 615), 600).await;
    let standing = &ledger.standing(&[scope("app")], at(1)).await.unwrap()[0];
    assert!(standing.windows[0].ends_ms <= at(17), "{standing:?}");
    hear(ledger, said(2, 900, 1000, 16), 2).await;
    assert_eq!(granted(ledger, &calls(1000, 0), 2).await, 900);
}
