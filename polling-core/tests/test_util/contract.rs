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

/// The rule that a poller breaks, and what was found.
async fn broken(fault: Fault) -> (&'static str, String) {
    let violation = verify(async || Case::new(fault)).await;
    let violation = violation.expect_err("the fault should have been found");
    (violation.rule(), violation.to_string())
}

#[tokio::test(start_paused = true)]
async fn a_cursor_advanced_past_unpublished_items_is_found() {
    let (rule, found) = broken(Fault::SkipsBursts).await;
    assert_eq!(rule, "nothing is skipped across bursts");
    assert!(found.contains("were never published"), "{found}");
}

#[tokio::test(start_paused = true)]
async fn random_event_ids_are_found() {
    let (rule, found) = broken(Fault::RandomIds).await;
    assert!(
        rule.starts_with("a repeated poll publishes the same event ids"),
        "{found}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_is_not_told_is_found() {
    assert_eq!(broken(Fault::LimitHidden).await.0, "a limit is told");
    let (rule, found) = broken(Fault::NoReset).await;
    assert_eq!(rule, "a limit is told");
    assert!(found.contains("retry_after"), "{found}");
}

#[tokio::test(start_paused = true)]
async fn pages_that_a_refusal_loses_are_found() {
    let (rule, found) = broken(Fault::LosesPages).await;
    assert_eq!(
        rule, "a poll that is refused half-way keeps what it has",
        "{found}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_cursor_kept_outside_of_the_context_is_found() {
    let (rule, found) = broken(Fault::OwnCursor).await;
    assert_eq!(rule, "a poll may be dropped at any await", "{found}");
}

#[tokio::test(start_paused = true)]
async fn a_poller_that_never_rests_is_found() {
    let (_, found) = broken(Fault::AlwaysSaturated).await;
    assert!(found.contains("did not come to rest"), "{found}");
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_found() {
    let (_, found) = broken(Fault::Panics).await;
    assert!(found.contains("a bug (panic)"), "{found}");
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
