//! Each layer over a service that forgets its readiness when it is cloned, as many of Tower's do:
//! a layer that calls a fresh clone panics here.

use std::{
    fmt::Debug,
    future::{Ready, ready},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use polling_core::{
    Delivery, Generator, Job, Keeper, PollError, Polled, Queue,
    ack::AckLayer,
    adapt::AdaptLayer,
    catch_panic::CatchPanicLayer,
    complete::CompleteLayer,
    publish::{PublishLayer, PublishLimits, Published},
    rate_limit::{RateLimitLayer, Scope},
    timeout::TimeoutLayer,
    transport::memory::{MemoryBus, MemoryQueue},
};
use tower::{Layer, Service, ServiceExt};

use crate::support::{Log, body, clock, job, polled};

/// Ready only where `poll_ready` was called: a clone is not.
#[derive(Debug)]
struct Probe<R> {
    ready: bool,
    response: fn() -> R,
}

impl<R> Probe<R> {
    fn new(response: fn() -> R) -> Self {
        Self {
            ready: false,
            response,
        }
    }
}

impl<R> Clone for Probe<R> {
    fn clone(&self) -> Self {
        Self::new(self.response)
    }
}

impl<R> Service<Job> for Probe<R> {
    type Response = R;
    type Error = PollError;
    type Future = Ready<Result<R, PollError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), PollError>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Job) -> Self::Future {
        assert!(self.ready, "called without being ready");
        self.ready = false;
        ready(Ok((self.response)()))
    }
}

/// Calls `service` and a clone of it in turns, each when it says that it is ready.
async fn call_in_turns<S, R>(mut service: S, request: impl AsyncFn() -> R)
where
    S: Service<R> + Clone,
    S::Error: Debug,
{
    for _ in 0..3 {
        service
            .ready()
            .await
            .unwrap()
            .call(request().await)
            .await
            .unwrap();
        let mut clone = service.clone();
        clone
            .ready()
            .await
            .unwrap()
            .call(request().await)
            .await
            .unwrap();
    }
}

fn published() -> Published {
    Published {
        events: 0,
        created_ms: Vec::new(),
        context: polled(0).context,
        allowances: Vec::new(),
        saturated: false,
        stopped: None,
        calls: 1,
        refused: None,
    }
}

#[tokio::test(start_paused = true)]
async fn ack_calls_the_service_that_is_ready() {
    let queue = MemoryQueue::builder("work", clock()).build();
    let layer = AckLayer::new(clock(), Log::default().observer(), Duration::from_secs(1));
    call_in_turns(layer.layer(Probe::new(|| ())), async || {
        queue.send(vec![body("42")]).await;
        let message = queue.receive(1, Duration::ZERO).await.unwrap().remove(0);
        Delivery::new(
            message,
            queue.clone(),
            Duration::from_secs(60),
            Keeper::new(),
        )
    })
    .await;
    assert_eq!(queue.messages(), [], "every message was acknowledged");
}

#[tokio::test(start_paused = true)]
async fn complete_calls_the_service_that_is_ready() {
    let queue = MemoryQueue::builder("completed", clock()).build();
    let (observer, generator) = (Log::default().observer(), Generator::from_seed(1));
    let layer = CompleteLayer::new(
        queue.clone(),
        clock(),
        observer,
        generator,
        Duration::from_secs(1),
    );
    call_in_turns(layer.layer(Probe::new(published)), async || job()).await;
    assert_eq!(queue.messages().len(), 6);
}

#[tokio::test(start_paused = true)]
async fn catch_panic_calls_the_service_that_is_ready() {
    call_in_turns(CatchPanicLayer.layer(Probe::new(|| ())), async || job()).await;
}

#[tokio::test(start_paused = true)]
async fn publish_calls_the_service_that_is_ready() {
    let limits = PublishLimits {
        rate: 1_000.try_into().unwrap(),
        burst: 1_000.try_into().unwrap(),
        timeout: Duration::from_secs(1),
        reserve: Duration::from_secs(1),
    };
    let bus = Arc::new(MemoryBus::new());
    let layer = PublishLayer::new(bus, Log::default().observer(), limits);
    call_in_turns(layer.layer(Probe::new(|| polled(2))), async || job()).await;
}

#[tokio::test(start_paused = true)]
async fn rate_limit_calls_the_service_that_is_ready() {
    let layer = RateLimitLayer::new(clock(), Duration::from_secs(1)).follow(Scope::app());
    call_in_turns(layer.layer(Probe::new(Polled::default)), async || job()).await;
}

#[tokio::test(start_paused = true)]
async fn timeout_calls_the_service_that_is_ready() {
    let (limit, grace) = (Duration::from_secs(1), Duration::from_secs(1));
    let layer = TimeoutLayer::new(Log::default().observer(), limit, grace);
    call_in_turns(layer.layer(Probe::new(Polled::default)), async || job()).await;
}

#[tokio::test(start_paused = true)]
async fn the_adapter_awaits_readiness_within_the_call() {
    let mut adapted = AdaptLayer.layer(Probe::new(Polled::default));
    // Not even asked for readiness, and ready all the same.
    for _ in 0..3 {
        adapted.call(job()).await.unwrap();
    }
}
