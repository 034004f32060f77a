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
    rate_limit::{Quota, RateLimitLayer, Replicas, Scope},
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

fn number(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).unwrap()
}

/// A worker's layer that takes its part of `quota`, around `channel`.
fn part(
    quota: Quota,
    replicas: &Replicas,
    channel: &Channel,
) -> impl Service<Job, Response = Polled, Error = CallError> + Clone {
    RateLimitLayer::new(clock(), Duration::from_secs(600))
        .pace(Scope::app(), quota)
        .replicas(replicas.clone())
        .layer(channel.clone())
}

/// Makes `calls` calls, one after the other.
async fn make(mut limited: impl Service<Job, Error = CallError>, calls: usize) {
    for _ in 0..calls {
        assert!(limited.call(job()).await.is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_of_replicas_takes_effect_at_the_next_call_without_a_fresh_burst() {
    let (channel, replicas) = (Channel::default(), Replicas::default());
    let quota = Quota::per_second(number(10)).allow_burst(number(2));
    let limited = part(quota, &replicas, &channel);
    let taken = async |calls| {
        let started = Instant::now();
        make(limited.clone(), calls).await;
        started.elapsed().as_millis()
    };
    assert_eq!(taken(12).await, 1_000, "a burst of 2, and then 10 a second");
    replicas.set(number(5));
    assert_eq!(
        taken(10).await,
        5_500,
        "a burst and more are used up; 2 a second"
    );
    replicas.set(number(1));
    assert_eq!(taken(11).await, 1_000);
}

#[tokio::test(start_paused = true)]
async fn the_worker_takes_its_part_of_a_pace() {
    let channel = Channel::default();
    let quota = Quota::per_second(number(1));
    let parts = Replicas::new(number(4));
    let started = Instant::now();
    join_all((0..4).map(|_| make(part(quota, &parts, &channel), 3))).await;
    assert_eq!(started.elapsed(), Duration::from_secs(8));
    assert_eq!(channel.calls(), 12);
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

    #[test]
    fn replicas_together_keep_a_pace_and_use_it(
        rate in 1u32..50, burst in 1u32..30, replicas in 1u32..6, callers in 1usize..4, each in 1usize..20,
    ) {
        let mut calls = paused(async {
            let quota = Quota::per_second(number(rate)).allow_burst(number(burst));
            let (channel, parts) = (Channel::default(), Replicas::new(number(replicas)));
            join_all((0..replicas).map(|_| {
                let limited = part(quota, &parts, &channel);
                join_all((0..callers).map(move |_| make(limited.clone(), each)))
            }))
            .await;
            channel.calls.lock().unwrap().clone()
        });
        calls.sort();
        // A part has one call at least to begin with.
        let at_once = f64::from(burst.max(replicas));
        let per_s = f64::from(rate);
        for (first, begin) in calls.iter().enumerate() {
            for (last, end) in calls.iter().enumerate().skip(first) {
                // Timers have a grain of a millisecond.
                let within_s = (*end - *begin).as_secs_f64() + 0.001;
                let most = at_once + per_s * within_s;
                prop_assert!((last - first + 1) as f64 <= most + 1e-6, "{} in {within_s} s", last - first + 1);
            }
        }
        // What a burst leaves when it is divided stays unused.
        let parts_at_once = f64::from(replicas * (burst / replicas).max(1));
        let rest = calls.len() as f64 - parts_at_once;
        let taken_s = (*calls.last().unwrap() - calls[0]).as_secs_f64();
        let grain_s = 0.002 * (callers * each) as f64;
        prop_assert!(taken_s <= (rest / per_s).max(0.0) + grain_s, "{taken_s} s for {} calls", calls.len());
    }
}
