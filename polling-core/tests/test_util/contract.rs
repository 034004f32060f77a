use std::time::Duration;

use polling_core::{
    ErrorClass,
    test_util::{
        FakeChannel, Reply, Rig,
        contract::{Subject as _, verify},
    },
};

use crate::{
    broken::{Case, Fault},
    http_poller::{Posts, Timeline},
};

#[tokio::test(start_paused = true)]
async fn a_poller_over_http_keeps_the_contract() {
    verify(Timeline::start).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_poller_without_a_fault_keeps_the_contract() {
    verify(async || Case::new(Fault::None)).await.unwrap();
}

const REPEATS: &str = "a repeated poll publishes the same event ids, and no others";
const BURSTS: &str = "nothing is skipped across bursts";
const LIMIT: &str = "a limit is told";
const HALF_WAY: &str = "a poll that is refused half-way keeps what it has";
const CANCELLED: &str = "a poll may be dropped at any await";
const RESTS: &str = "a poller comes to rest";
const SUCCEEDS: &str = "a poll that the channel answers succeeds";

/// The rule that is broken, and words of what was found.
const FOUND: [(Fault, &str, &str); 15] = [
    (Fault::RandomIds, REPEATS, "published others"),
    (Fault::OwnSeen, REPEATS, "published others"),
    (Fault::SkipsBursts, BURSTS, "were never published"),
    (Fault::MarksNewestLast, BURSTS, "were never published"),
    (
        Fault::LimitHidden,
        LIMIT,
        "as rate_limited, but it failed as transient",
    ),
    (Fault::NoReset, LIMIT, "retry_after"),
    (Fault::LimitSwallowed, LIMIT, "succeeded"),
    (
        Fault::StopHidden,
        LIMIT,
        "as rate_limited, but it was stopped as transient",
    ),
    (Fault::LosesPages, HALF_WAY, "never published"),
    (Fault::LosesPlace, HALF_WAY, "never published"),
    (Fault::OwnCursor, REPEATS, "published others"),
    (Fault::StaysBusy, CANCELLED, "were never published"),
    (Fault::AlwaysSaturated, RESTS, "within 200 polls it did not"),
    (Fault::FailsOnBursts, SUCCEEDS, "failed as invalid"),
    (Fault::Panics, SUCCEEDS, "a bug (panic)"),
];

#[tokio::test(start_paused = true)]
async fn each_fault_breaks_its_rule() {
    for (fault, rule, words) in FOUND {
        let violation = verify(async || Case::new(fault)).await;
        let violation = violation.expect_err(&format!("{fault:?} should have been found"));
        assert_eq!(violation.rule(), rule, "{fault:?}: {violation}");
        let found = violation.to_string();
        assert!(found.contains(words), "{fault:?}: {found}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_poll_refused_on_its_fourth_page_keeps_three() {
    let timeline = Timeline::start().await;
    timeline.add(55);
    timeline.limit(Some(3));
    let mut rig = Rig::new(timeline.poller());
    let newest_first = |from: u64, to: u64| (to..=from).rev().map(|id| id.to_string());
    let first = rig.poll().await;
    first.assert_failed(ErrorClass::RateLimited);
    first.assert_published(newest_first(55, 26));
    timeline.limit(None);
    let second = rig.poll().await;
    second
        .assert_succeeded()
        .assert_published(newest_first(25, 1));
}

#[tokio::test(start_paused = true)]
async fn a_bad_answer_is_an_error_of_the_job_and_costs_nothing() {
    let script = [
        Reply::json("{\"not\": \"a list\"}"),
        Reply::hang_up(),
        Reply::json("[]").after(Duration::from_secs(3600)),
        Reply::json("[2, 1]"),
    ];
    let channel = FakeChannel::script(script).await.unwrap();
    let mut rig = Rig::new(Posts::new(channel.url("/posts")));
    rig.poll().await.assert_failed(ErrorClass::Invalid);
    rig.poll().await.assert_failed(ErrorClass::Transient);
    rig.poll().await.assert_failed(ErrorClass::Transient);
    rig.poll()
        .await
        .assert_succeeded()
        .assert_published(["2", "1"]);
}
