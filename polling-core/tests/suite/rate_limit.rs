use std::{
    collections::VecDeque,
    future::{Ready, ready},
    num::NonZeroU32,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::Duration,
};

use futures_util::future::join_all;
use polling_core::{
    Allowance, CallError, ErrorClass, Job, PollError, Polled, ScopeKey,
    rate_limit::{Quota, RateLimitLayer, Scope},
};
use proptest::prelude::*;
use tokio::time::{Instant, sleep};
use tower::{Layer, Service};

use crate::support::{NOW_MS, clock, dispatch, job};

const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Answers what it is told to, then nothing new; notes when it is called.
#[derive(Clone, Default)]
struct Channel {
    answers: Arc<Mutex<VecDeque<Result<Polled, PollError>>>>,
    calls: Arc<Mutex<Vec<Instant>>>,
}

impl Channel {
    fn answering(answer: Result<Polled, PollError>) -> Self {
        let channel = Self::default();
        channel.answers.lock().unwrap().push_back(answer);
        channel
    }

    fn calls(&self) -> usize {
        self.calls.lock().unwrap().len()
    }
}

impl Service<Job> for Channel {
    type Response = Polled;
    type Error = PollError;
    type Future = Ready<Result<Polled, PollError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), PollError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Job) -> Self::Future {
        self.calls.lock().unwrap().push(Instant::now());
        let answer = self.answers.lock().unwrap().pop_front();
        ready(answer.unwrap_or_else(|| Ok(Polled::default())))
    }
}

fn layer() -> RateLimitLayer {
    RateLimitLayer::new(clock(), LONGEST_WAIT)
        .follow(Scope::app())
        .follow(Scope::account())
}

fn used_up(scope: &str, reset_in_s: i64) -> Allowance {
    Allowance {
        remaining: Some(0),
        reset_at_ms: Some(NOW_MS + reset_in_s * 1_000),
        ..Allowance::of(ScopeKey::new(scope).unwrap())
    }
}

fn of_account(account: &str) -> Job {
    Job::new(dispatch(account), NOW_MS)
}

#[tokio::test(start_paused = true)]
async fn a_call_waits_for_the_end_of_a_window_that_is_used_up() {
    let channel = Channel::answering(Ok(Polled::default().with_allowance(used_up("app", 4))));
    let mut limited = layer().layer(channel.clone());
    let started = Instant::now();
    limited.call(job()).await.unwrap();
    limited.call(of_account("43")).await.unwrap();
    assert_eq!(started.elapsed(), Duration::from_secs(4));
    assert_eq!(channel.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_too_long_fails_as_rate_limited_without_a_call() {
    let error = PollError::rate_limited("429").with_allowance(used_up("account:42", 60));
    let channel = Channel::answering(Err(error));
    let mut limited = layer().layer(channel.clone());
    limited.call(job()).await.unwrap_err();

    let Err(CallError::Poll(error)) = limited.call(job()).await else {
        panic!("the window is used up")
    };
    assert_eq!(error.class(), ErrorClass::RateLimited);
    assert_eq!(error.code().unwrap().as_str(), "paced");
    assert_eq!(error.retry_after(), Some(Duration::from_secs(60)));
    assert_eq!((error.calls(), channel.calls()), (0, 1));

    limited.call(of_account("43")).await.unwrap();
    sleep(Duration::from_secs(56)).await;
    limited.call(job()).await.unwrap();
    assert_eq!(
        channel.calls(),
        3,
        "other accounts, and this one later, are called"
    );
}

#[tokio::test(start_paused = true)]
async fn what_stopped_paging_counts_too() {
    let stopped = PollError::rate_limited("page 2").with_allowance(used_up("app", 60));
    let mut limited = layer().layer(Channel::answering(Ok(
        Polled::default().with_stopped(stopped)
    )));
    limited.call(job()).await.unwrap();
    limited.call(job()).await.unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn a_scope_that_is_not_followed_holds_up_nobody() {
    let channel = Channel::answering(Ok(Polled::default().with_allowance(used_up("token:1", 60))));
    let mut limited = layer().layer(channel.clone());
    limited.call(job()).await.unwrap();
    limited.call(job()).await.unwrap();
    assert_eq!(channel.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn each_account_is_paced_on_its_own() {
    let quota = Quota::per_second(NonZeroU32::MIN);
    let channel = Channel::default();
    let mut limited = layer().pace(Scope::account(), quota).layer(channel.clone());
    let started = Instant::now();
    limited.call(of_account("1")).await.unwrap();
    limited.call(of_account("2")).await.unwrap();
    assert_eq!(started.elapsed(), Duration::ZERO);
    limited.call(of_account("1")).await.unwrap();
    assert!(started.elapsed() >= Duration::from_secs(1));
}

fn paused<T>(test: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_time().start_paused(true).build().unwrap();
    runtime.block_on(test)
}

proptest! {
    #[test]
    fn clones_share_one_pace(rate in 1u32..50, clones in 1usize..20, each in 1usize..5) {
        let mut calls = paused(async {
            let quota = Quota::per_second(NonZeroU32::new(rate).unwrap())
                .allow_burst(NonZeroU32::MIN);
            let channel = Channel::default();
            let limited = RateLimitLayer::new(clock(), Duration::from_secs(600))
                .pace(Scope::app(), quota)
                .layer(channel.clone());
            join_all((0..clones).map(|_| {
                let mut clone = limited.clone();
                async move {
                    for _ in 0..each {
                        clone.call(job()).await.unwrap();
                    }
                }
            }))
            .await;
            channel.calls.lock().unwrap().clone()
        });
        calls.sort();
        let least = Duration::from_secs(1) / rate;
        for pair in calls.windows(2) {
            // Timers have a grain of a millisecond.
            prop_assert!(pair[1] - pair[0] + Duration::from_millis(1) >= least);
        }
    }
}
