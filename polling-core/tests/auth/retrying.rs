//! A 401 is answered with a fresh token, once.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use futures_util::future::join_all;
use polling_core::{
    AccountId, Allowance, ErrorClass, PollError, TokioClock,
    auth::{TokenSourceExt as _, Tokens},
};
use tokio::time::advance;

use crate::channel::{Answer, Channel, START_MS};

fn account() -> AccountId {
    "42".parse().unwrap()
}

/// Calls a channel that takes `good` only; counts the calls.
async fn call(tokens: &Tokens, good: &str, calls: &AtomicUsize) -> Result<String, PollError> {
    let allowance = Allowance::of("app".parse().unwrap());
    let account = account();
    let call = tokens.with_token(&account, |token| {
        calls.fetch_add(1, Relaxed);
        let allowance = allowance.clone();
        async move {
            tokio::time::sleep(Duration::from_millis(10)).await;
            match token.expose() == good {
                true => Ok(token.expose().to_owned()),
                false => Err(PollError::unauthorized("HTTP status 401").with_allowance(allowance)),
            }
        }
    });
    call.await
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_replaced_and_the_call_made_once_more() {
    let channel = Channel::paused();
    let (worker, calls) = (channel.worker(), AtomicUsize::new(0));
    assert_eq!(call(&worker, "access-1", &calls).await.unwrap(), "access-1");
    advance(Duration::from_secs(60)).await;
    assert_eq!(call(&worker, "access-2", &calls).await.unwrap(), "access-2");
    assert_eq!((calls.load(Relaxed), channel.endpoint.calls()), (3, 2));
}

#[tokio::test(start_paused = true)]
async fn fifty_refusals_at_once_cause_one_refresh() {
    let channel = Channel::paused();
    let (workers, calls): (Vec<_>, _) = (
        (0..50).map(|_| channel.worker()).collect(),
        AtomicUsize::new(0),
    );
    for worker in &workers {
        call(worker, "access-1", &calls).await.unwrap();
    }
    advance(Duration::from_secs(60)).await;
    let answers = join_all(
        workers
            .iter()
            .map(|worker| call(worker, "access-2", &calls)),
    )
    .await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(channel.endpoint.calls(), 2);
    assert_eq!(calls.load(Relaxed), 50 + 100);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_another_worker_has_refreshed_is_taken_over() {
    let channel = Channel::paused();
    let (one, other, calls) = (channel.worker(), channel.worker(), AtomicUsize::new(0));
    call(&one, "access-1", &calls).await.unwrap();
    call(&other, "access-1", &calls).await.unwrap();
    advance(Duration::from_secs(60)).await;
    call(&one, "access-2", &calls).await.unwrap();
    call(&other, "access-2", &calls).await.unwrap();
    assert_eq!(channel.endpoint.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_fresh_token_that_is_refused_too_is_not_refreshed_again() {
    let channel = Channel::paused();
    let (worker, calls) = (channel.worker(), AtomicUsize::new(0));
    // The first is only seconds old: there is none fresher.
    let error = call(&worker, "none", &calls).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Unauthorized);
    assert_eq!(error.code().unwrap().as_str(), "token_rejected");
    advance(Duration::from_secs(60)).await;
    let error = call(&worker, "none", &calls).await.unwrap_err();
    assert_eq!(error.message(), "HTTP status 401");
    assert_eq!((calls.load(Relaxed), channel.endpoint.calls()), (3, 2));
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_fails_keeps_what_the_refused_call_reported() {
    let channel = Channel::paused();
    let (worker, calls) = (channel.worker(), AtomicUsize::new(0));
    call(&worker, "access-1", &calls).await.unwrap();
    advance(Duration::from_secs(60)).await;
    channel.endpoint.answers(Answer::Down);
    let error = call(&worker, "access-2", &calls).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Transient);
    assert_eq!((error.allowances().len(), error.calls()), (1, 1));
    assert_eq!(calls.load(Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn without_a_token_no_call_was_made() {
    let channel = Channel::paused();
    channel.endpoint.answers(Answer::Down);
    let (worker, calls) = (channel.worker(), AtomicUsize::new(0));
    let error = call(&worker, "access-1", &calls).await.unwrap_err();
    assert_eq!((error.calls(), calls.load(Relaxed)), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn other_errors_are_not_retried() {
    let channel = Channel::paused();
    let worker = channel.worker();
    let calls = AtomicUsize::new(0);
    let failed: Result<(), _> = worker
        .with_token(&account(), |_| {
            calls.fetch_add(1, Relaxed);
            async { Err(PollError::gone("HTTP status 404")) }
        })
        .await;
    assert_eq!(failed.unwrap_err().class(), ErrorClass::Gone);
    assert_eq!(calls.load(Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_token_of_a_worker_whose_clock_is_ahead_is_renewed_too() {
    let channel = Channel::paused();
    let ahead = TokioClock::starting_at(START_MS + 600_000);
    let ahead = channel
        .builder_on(Arc::clone(&channel.cache))
        .clock(Arc::new(ahead));
    let (ahead, calls) = (ahead.build().unwrap(), AtomicUsize::new(0));
    call(&ahead, "access-1", &calls).await.unwrap();
    advance(Duration::from_secs(60)).await;
    let answer = call(&channel.worker(), "access-2", &calls).await;
    assert_eq!(answer.unwrap(), "access-2");
}
