//! An endpoint that fails is left alone, and an account that it refuses is told apart.

use std::time::Duration;

use futures_util::future::join_all;
use polling_core::{
    AccountId, ErrorClass,
    auth::{FreshToken, TokenSource as _},
};
use tokio::time::{Instant, advance, sleep};

use crate::channel::{Answer, Channel, HOUR};

fn account() -> AccountId {
    "42".parse().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_failing_endpoint_is_called_once_in_each_cool_down_by_all_workers_for_all_accounts() {
    let channel = Channel::paused();
    channel.endpoint.answers(Answer::Down);
    channel.endpoint.takes(Duration::from_millis(300));
    let workers: Vec<_> = (0..50).map(|_| channel.worker()).collect();
    // A first failure, after which the endpoint counts as failing.
    workers[0].get(&account()).await.unwrap_err();
    let accounts: Vec<AccountId> = (0..50).map(|n| format!("{n}").parse().unwrap()).collect();
    let begin = Instant::now();
    while begin.elapsed() < HOUR {
        let asking = workers.iter().zip(&accounts);
        for answer in join_all(asking.map(|(worker, account)| worker.get(account))).await {
            let error = answer.unwrap_err();
            assert_eq!(error.class(), ErrorClass::Transient, "{error}");
        }
        sleep(Duration::from_secs(5)).await;
    }
    // The first cool-down is 5 s, and each that follows twice as long, up to 15 min.
    let gaps = channel.endpoint.gaps_ms();
    let least = (0..).map(|n| (5_000 << n).min(900_000));
    assert!(
        gaps.iter().zip(least).all(|(gap, least)| *gap >= least),
        "{gaps:?}"
    );
    assert!((8..=12).contains(&gaps.len()), "{gaps:?}");
}

#[tokio::test(start_paused = true)]
async fn polls_that_ask_meanwhile_are_told_when_to_come_back() {
    let channel = Channel::paused();
    channel.endpoint.answers(Answer::Nonsense);
    let worker = channel.worker();
    let error = worker.get(&account()).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Invalid);
    let error = worker.get(&account()).await.unwrap_err();
    assert_eq!(error.code().unwrap().as_str(), "token_cooling");
    let left = error.retry_after().unwrap();
    assert!((5..=7).contains(&left.as_secs()), "{left:?}");
    channel.endpoint.answers(Answer::Rotating);
    advance(left).await;
    assert_eq!(worker.get(&account()).await.unwrap().expose(), "access-1");
    assert_eq!(channel.endpoint.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn while_the_endpoint_fails_a_token_is_used_to_its_end() {
    let channel = Channel::paused();
    let worker = channel.worker();
    worker.get(&account()).await.unwrap();
    channel.endpoint.answers(Answer::Down);
    advance(HOUR - Duration::from_secs(40)).await;
    for worker in [&worker, &channel.worker()] {
        assert_eq!(worker.get(&account()).await.unwrap().expose(), "access-1");
    }
    advance(Duration::from_secs(36)).await;
    worker.get(&account()).await.unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn an_account_that_is_refused_is_left_alone_until_it_is_connected_anew() {
    let channel = Channel::paused();
    channel.expired(&*channel.cache, "42").await;
    channel.endpoint.answers(Answer::Refused);
    let workers = [channel.worker(), channel.worker()];
    for _ in 0..60 {
        for worker in &workers {
            let error = worker.get(&account()).await.unwrap_err();
            assert_eq!(error.class(), ErrorClass::Unauthorized);
            assert_eq!(error.code().unwrap().as_str(), "invalid_grant");
        }
        advance(Duration::from_secs(50)).await;
    }
    assert_eq!(channel.endpoint.calls(), 1);
    channel.endpoint.answers(Answer::Rotating);
    let other = workers[1].get(&"43".parse().unwrap()).await;
    assert_eq!(other.unwrap().expose(), "access-1", "others are served");
    workers[0]
        .put(&account(), FreshToken::new("anew"))
        .await
        .unwrap();
    assert_eq!(workers[1].get(&account()).await.unwrap().expose(), "anew");
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_hangs_is_given_up_and_left_alone() {
    let channel = Channel::paused();
    channel.endpoint.takes(Duration::MAX / 4);
    let worker = channel.worker();
    let begin = Instant::now();
    let error = worker.get(&account()).await.unwrap_err();
    assert_eq!(error.code().unwrap().as_str(), "token_wait");
    assert_eq!(begin.elapsed(), Duration::from_secs(15));
    sleep(Duration::from_secs(6)).await;
    let error = worker.get(&account()).await.unwrap_err();
    assert_eq!(error.code().unwrap().as_str(), "token_cooling");
    assert_eq!(channel.endpoint.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_panics_costs_a_cool_down_and_nothing_else() {
    let channel = Channel::paused();
    channel.endpoint.answers(Answer::Panic);
    let worker = channel.worker();
    let error = worker.get(&account()).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Invalid);
    assert!(error.message().contains("panicked"), "{error}");
    channel.endpoint.answers(Answer::Rotating);
    advance(Duration::from_secs(7)).await;
    worker.get(&account()).await.unwrap();
}
