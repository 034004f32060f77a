//! The loops over the adapters in memory, under paused time: days pass in a moment.
#![allow(clippy::unwrap_used)]

mod backlog;
mod bench;
mod by_hand;
mod limits;
mod moving;
mod settling;
mod steering;

use std::time::Duration;

use polling_model::{Context, ErrorClass, Failure, Outcome};
use polling_transport::Queue;
use scheduler_lib::{
    Registration, RegistryError,
    store::{Hold, Place},
};
use tokio::time::sleep;

use crate::bench::{Bench, completion, succeeded};

#[tokio::test(start_paused = true)]
async fn a_job_cycles_at_its_interval_for_ever() {
    let bench = Bench::start();
    let id = bench.register("42").await;
    let mut due_ms = Vec::new();
    for _ in 0..300 {
        due_ms.push(bench.poll().await.due_ms);
    }
    assert!(
        due_ms.windows(2).all(|pair| pair[1] - pair[0] == 300_000),
        "{due_ms:?}"
    );
    assert_eq!(bench.polls(&id).await, 300);
    bench.assert_conserved().await;
}

#[tokio::test(start_paused = true)]
async fn an_unanswered_job_is_reaped_and_polled_again() {
    let bench = Bench::start();
    bench.register("42").await;
    let (lost, first) = bench.receive().await;
    bench.work.ack(&lost.receipt).await.unwrap();
    let again = bench.poll().await;
    assert_eq!(again.id, first.id);
    assert_eq!(again.token.generation, 2);
    bench.assert_conserved().await;
}

#[tokio::test(start_paused = true)]
async fn a_repeated_completion_changes_nothing() {
    let bench = Bench::start();
    let id = bench.register("42").await;
    let job = bench.poll().await;
    let before = bench.registry.get(&id).await.unwrap();
    let context = Context::from_iter([("polls", 99.into())]);
    bench.complete(&job, succeeded(context)).await;
    assert_eq!(bench.registry.get(&id).await.unwrap(), before);
    assert!(
        bench.completed.messages().is_empty(),
        "a stale completion is acknowledged"
    );
}

#[tokio::test(start_paused = true)]
async fn a_scheduler_that_was_down_finds_the_completions_before_it_reaps() {
    let mut bench = Bench::start();
    let id = bench.register("42").await;
    let (message, job) = bench.receive().await;
    bench.stop().await;
    let context = Context::from_iter([("polls", 1.into())]);
    bench.complete(&job, succeeded(context)).await;
    bench.work.ack(&message.receipt).await.unwrap();
    sleep(Duration::from_secs(25 * 3600)).await;
    bench.restart();
    let next = bench.poll().await;
    assert_eq!(next.context.get_i64("polls"), Some(1));
    assert_eq!(next.token.generation, 2);
    assert_eq!(bench.polls(&id).await, 2);
    let status = bench.monitor.status().into_values().next().unwrap();
    assert_eq!(status.reaped, 0, "the completion came first");
}

#[tokio::test(start_paused = true)]
async fn after_a_downtime_each_job_is_polled_once_and_then_on_its_grid() {
    let mut bench = Bench::start();
    for account in 0..50 {
        bench.register(&account.to_string()).await;
    }
    bench.stop().await;
    sleep(Duration::from_secs(8 * 24 * 3600)).await;
    bench.restart();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..50 {
        assert!(
            seen.insert(bench.poll().await.id),
            "a job came twice before another came once"
        );
    }
    bench.assert_conserved().await;
}

#[tokio::test(start_paused = true)]
async fn dead_letters_end_in_quarantine_and_resume_ends_it() {
    let bench = Bench::start();
    let id = bench.register("42").await;
    // A worker that never finishes: each message is received three times, then is a dead letter.
    let failing = async {
        loop {
            let _ = bench
                .work
                .receive(10, Duration::from_secs(20))
                .await
                .unwrap();
        }
    };
    tokio::select! {
        biased;
        () = async {
            while bench.place(&id).await != Place::Held(Hold::Quarantined) {
                sleep(Duration::from_secs(10)).await;
            }
        } => {}
        () = failing => {}
    }
    let state = bench.registry.get(&id).await.unwrap().state;
    assert_eq!(state.strikes, 3);
    assert_eq!(
        state.reason(),
        "quarantined: workers gave up on its message 3 times in a row"
    );
    assert!(bench.registry.resume(&id).await.unwrap());
    bench.poll().await;
    assert_eq!(bench.registry.get(&id).await.unwrap().state.strikes, 0);
    bench.assert_conserved().await;
}

#[tokio::test(start_paused = true)]
async fn what_nobody_can_decode_reaches_the_operators_list() {
    let bench = Bench::start();
    bench.completed.send(vec!["no completion".to_owned()]).await;
    while bench.registry.undecodable(10).await.unwrap().is_empty() {
        sleep(Duration::from_secs(10)).await;
    }
    let kept = bench.registry.undecodable(10).await.unwrap();
    assert_eq!(kept[0].body, "no completion");
    sleep(Duration::from_secs(1)).await;
    assert!(bench.dead_letter.messages().is_empty() && bench.completed.messages().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_message_of_an_unknown_version_is_quarantined_by_its_job() {
    let bench = Bench::start();
    let id = bench.register("42").await;
    let (message, _) = bench.receive().await;
    let newer = message.body.replacen("\"v\":1", "\"v\":2", 1);
    for strikes in 1..=3 {
        bench.dead_letter.send(vec![newer.clone()]).await;
        sleep(Duration::from_secs(1)).await;
        let state = bench.registry.get(&id).await.unwrap().state;
        assert_eq!(state.strikes, strikes);
    }
    assert_eq!(bench.place(&id).await, Place::Held(Hold::Quarantined));
    assert!(bench.registry.undecodable(10).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_completion_that_died_on_its_queue_is_settled_from_the_dead_letters() {
    let bench = Bench::start();
    let id = bench.register("42").await;
    let (message, job) = bench.receive().await;
    let context = Context::from_iter([("polls", 1.into())]);
    bench
        .dead_letter
        .send(vec![completion(&job, succeeded(context))])
        .await;
    bench.work.ack(&message.receipt).await.unwrap();
    sleep(Duration::from_secs(1)).await;
    assert_eq!(bench.polls(&id).await, 1);
    assert_eq!(bench.registry.get(&id).await.unwrap().state.strikes, 0);
}

#[tokio::test(start_paused = true)]
async fn a_completion_while_paused_is_kept_and_the_job_stays_held() {
    let bench = Bench::start();
    let id = bench.register("42").await;
    let (message, job) = bench.receive().await;
    assert!(bench.registry.pause(&id).await.unwrap());
    let context = Context::from_iter([("polls", 1.into())]);
    bench.complete(&job, succeeded(context)).await;
    bench.work.ack(&message.receipt).await.unwrap();
    assert_eq!(bench.polls(&id).await, 1);
    assert_eq!(bench.place(&id).await, Place::Held(Hold::Paused));
    bench.registry.resume(&id).await.unwrap();
    assert_eq!(bench.poll().await.context.get_i64("polls"), Some(1));
}

#[tokio::test(start_paused = true)]
async fn run_now_does_not_wait_for_the_next_slot() {
    let bench = Bench::start();
    let id = bench.register("42").await;
    bench.poll().await;
    let before_ms = bench.clock.now_ms();
    bench.registry.run_now(&id).await.unwrap();
    let (message, job) = bench.receive().await;
    assert!(bench.clock.now_ms() - before_ms < 1_000);
    bench.registry.run_now(&id).await.unwrap();
    bench
        .complete(
            &job,
            Outcome::Failed {
                failure: Failure::new(ErrorClass::Transient, "503"),
            },
        )
        .await;
    bench.work.ack(&message.receipt).await.unwrap();
    bench.poll().await;
    assert!(
        bench.clock.now_ms() - before_ms < 5_000,
        "asked for in flight, it came right after"
    );
}

#[tokio::test(start_paused = true)]
async fn an_unknown_job_type_is_refused_with_those_known() {
    let bench = Bench::start();
    let registration = Registration::new("likes".parse().unwrap(), "42".parse().unwrap());
    let error = bench.registry.register(registration).await.unwrap_err();
    assert!(matches!(error, RegistryError::UnknownJobType { .. }));
    assert_eq!(
        error.to_string(),
        "job type likes is unknown to this channel: known are posts"
    );
    assert_eq!(bench.registry.counts().await.unwrap().registered, 0);
}
