//! What the adaptive policy promises.

use std::time::Duration;

use polling_model::Generator;
use proptest::{num::f64::ANY, prelude::*};
use scheduler_lib::policy::adaptive::{Activity, Evidence, Model, Price, Terms};

const MINUTE_MS: i64 = 60_000;
const DAY_MIN: i64 = 24 * 60;

/// Before this the policy does not look further ahead.
const FARTHEST_MIN: i64 = 60 * DAY_MIN;

fn model() -> Model {
    Model::new(Duration::from_secs(24 * 3600))
}

/// A job whose poll at minute `polled` brought items of these minutes.
fn seen(polled: i64, items: &[i64]) -> Activity {
    let items: Vec<_> = items.iter().map(|item| item * MINUTE_MS).collect();
    Activity::since(0).polled(polled * MINUTE_MS, &items, &model())
}

fn items() -> impl Strategy<Value = Vec<i64>> {
    prop::collection::vec(0..600i64, 0..40).prop_map(|mut items| {
        items.sort_unstable();
        items
    })
}

fn terms() -> impl Strategy<Value = Terms> {
    (0.1..10.0, 1..200u32, 0.0..2000.0).prop_map(|(weight, page, loss_minutes)| Terms {
        weight,
        page,
        loss_minutes,
    })
}

proptest! {
    #[test]
    fn a_job_is_due_when_a_call_is_worth_its_price(
        items in items(), terms in terms(), price in 0.01..5000.0,
    ) {
        let worth = model().worth(&seen(600, &items), terms);
        let due_ms = worth.due_ms(price);
        prop_assert!(due_ms > 600 * MINUTE_MS);
        if due_ms < (600 + FARTHEST_MIN) * MINUTE_MS {
            prop_assert!(worth.at(due_ms) >= price * 0.999);
            prop_assert!(worth.at(due_ms - 1) <= price * 1.001);
        } else {
            prop_assert!(worth.at(due_ms) <= price * 1.001);
        }
    }

    #[test]
    fn a_call_is_worth_more_the_longer_it_waits_and_the_more_was_seen(
        items in items(), more in 0..600i64, terms in terms(), wait in 1..DAY_MIN,
    ) {
        let busier: Vec<_> = items.iter().copied().chain([more]).collect();
        let (less, more) = (seen(600, &items), seen(600, &busier));
        let (less, more) = (model().worth(&less, terms), model().worth(&more, terms));
        let now_ms = (600 + wait) * MINUTE_MS;
        prop_assert!(more.at(now_ms) > less.at(now_ms));
        prop_assert!(less.at(now_ms + MINUTE_MS) > less.at(now_ms));
    }

    #[test]
    fn whatever_is_told_a_job_stays_due_within_sixty_days(
        polls in prop::collection::vec((any::<i64>(), prop::collection::vec(any::<i64>(), 0..5)), 0..8),
        weight in ANY, page in any::<u32>(), loss_minutes in ANY, price in ANY,
    ) {
        let (mut model, mut evidence, mut activity) = (model(), Evidence::default(), Activity::since(0));
        for (now_ms, items) in polls {
            evidence.add(&activity, now_ms, &items, &model);
            activity = activity.polled(now_ms, &items, &model);
            model = model.learned(&evidence);
        }
        let worth = model.worth(&activity, Terms { weight, page, loss_minutes });
        let ahead_ms = worth.due_ms(price).saturating_sub(activity.polled_ms());
        let farthest_ms = FARTHEST_MIN * MINUTE_MS;
        prop_assert!(
            (1..=farthest_ms).contains(&ahead_ms) || activity.polled_ms() > i64::MAX - farthest_ms,
            "{ahead_ms}",
        );
        prop_assert!(worth.at(activity.polled_ms().saturating_add(farthest_ms)) >= 0.0);
        prop_assert!(Price::new(price).minutes() > 0.0);
    }

    #[test]
    fn the_price_moves_towards_where_as_many_ask_as_there_are_calls(
        price in 1e-6..1e6, asked in 0..1000u32, calls in 0..1000u32,
    ) {
        let before = Price::new(price);
        let after = before.follow(f64::from(asked), f64::from(calls));
        prop_assert_eq!(after.minutes().partial_cmp(&price), asked.partial_cmp(&calls));
        prop_assert!((0.8..1.25).contains(&(after.minutes() / price)));
    }
}

/// Without items there is the background alone, and then the worth is `w c s² / 2`.
#[test]
fn jobs_of_equal_rate_are_polled_as_the_root_of_their_weights() {
    let due_ms = |weight| {
        let terms = Terms {
            weight,
            loss_minutes: 0.0,
            ..Terms::default()
        };
        model().worth(&Activity::since(0), terms).due_ms(10.0)
    };
    let ratio = due_ms(1.0) as f64 / due_ms(4.0) as f64;
    assert!((ratio - 2.0).abs() < 1e-3, "{ratio}");
}

#[test]
fn after_a_hit_of_several_items_the_next_visit_comes_within_minutes() {
    let price = model()
        .worth(&Activity::since(0), Terms::default())
        .at(120 * MINUTE_MS);
    let burst = seen(600, &[590, 595, 596, 598, 599]);
    let due_ms = model().worth(&burst, Terms::default()).due_ms(price);
    assert!(due_ms - 600 * MINUTE_MS < 15 * MINUTE_MS, "{due_ms}");
}

#[test]
fn silence_returns_a_job_to_the_background() {
    let price = 5.0;
    let wait_min = |activity: &Activity| {
        let due_ms = model().worth(activity, Terms::default()).due_ms(price);
        (due_ms - activity.polled_ms()) as f64 / MINUTE_MS as f64
    };
    let mut job = seen(600, &[100, 200, 300, 400, 500, 599]);
    let mut waits = vec![wait_min(&job)];
    for day in 1..120 {
        job = job.polled((600 + day * DAY_MIN) * MINUTE_MS, &[], &model());
        waits.push(wait_min(&job));
    }
    assert!(waits.is_sorted(), "{waits:?}");
    let of_nobody = wait_min(&Activity::since(0));
    assert!(waits[0] < of_nobody / 5.0);
    assert!(waits[119] > of_nobody * 0.99);
}

/// 400 jobs with one item in two days each, by lot, polled every two hours for 30 days. The model
/// starts with an item in four days and most of them following others.
#[test]
fn the_background_is_learned_where_nothing_follows_from_anything() {
    let generator = Generator::from_seed(11);
    let (mut model, mut evidence) = (model(), Evidence::default());
    let mut jobs = vec![Activity::since(0); 400];
    for round in 1..=12 * 30 {
        let now_ms = round * 120 * MINUTE_MS;
        for job in &mut jobs {
            let item = (generator.fraction() < 1.0 / 24.0)
                .then(|| now_ms - (generator.fraction() * 120.0 * MINUTE_MS as f64) as i64);
            let items: Vec<_> = item.into_iter().collect();
            evidence.add(job, now_ms, &items, &model);
            *job = job.polled(now_ms, &items, &model);
        }
        model = model.learned(&evidence);
    }
    let terms = Terms {
        loss_minutes: 0.0,
        ..Terms::default()
    };
    let mean_worth = jobs.iter().map(|job| {
        let worth = model.worth(job, terms);
        worth.at(job.polled_ms() + DAY_MIN * MINUTE_MS)
    });
    // Half an item a day, waiting half a day on average.
    let (found, right) = (mean_worth.sum::<f64>() / 400.0, 0.5 * DAY_MIN as f64 / 2.0);
    assert!(
        (found / right - 1.0).abs() < 0.1,
        "{found} instead of {right}"
    );
}

/// What is expected in the hour after an item, once polls every five minutes for two days have shown
/// bursts of `burst` items, three minutes apart, one a day for each of 200 jobs.
fn worth_after_an_item(burst: i64) -> f64 {
    let (mut model, mut evidence) = (model(), Evidence::default());
    let mut jobs = vec![Activity::since(0); 200];
    for round in 1..=2 * 288 {
        let now_min = round * 5;
        for (job, start_min) in jobs.iter_mut().zip((0..).step_by(7)) {
            let items = (0..2 * burst)
                .map(|n| (n / burst) * DAY_MIN + start_min + n % burst * 3)
                .filter(|item| (now_min - 5..now_min).contains(item));
            let items: Vec<_> = items.map(|item| item * MINUTE_MS).collect();
            evidence.add(job, now_min * MINUTE_MS, &items, &model);
            *job = job.polled(now_min * MINUTE_MS, &items, &model);
        }
        if round % 12 == 0 {
            model = model.learned(&evidence);
        }
    }
    let seen = Activity::since(0).polled(MINUTE_MS, &[MINUTE_MS], &model);
    let terms = Terms {
        loss_minutes: 0.0,
        ..Terms::default()
    };
    model.worth(&seen, terms).at(61 * MINUTE_MS)
}

#[test]
fn where_items_come_in_bursts_one_makes_more_of_them_likely() {
    let start = model().worth(
        &Activity::since(0).polled(MINUTE_MS, &[MINUTE_MS], &model()),
        Terms {
            loss_minutes: 0.0,
            ..Terms::default()
        },
    );
    let start = start.at(61 * MINUTE_MS);
    let (single, bursts) = (worth_after_an_item(1), worth_after_an_item(5));
    assert!(single < 0.8 * start, "{single} {start}");
    assert!(bursts > 1.2 * start, "{bursts} {start}");
}

#[test]
fn the_price_settles_where_as_many_are_worth_it_as_there_are_calls() {
    let mut price = Price::new(1e6);
    for _ in 0..1000 {
        let asked = (0..100).filter(|worth| f64::from(*worth) >= price.minutes());
        price = price.follow(asked.count() as f64, 10.0);
    }
    assert!(
        (85.0..95.0).contains(&price.minutes()),
        "{}",
        price.minutes()
    );
}
