use std::{future::pending, time::Duration};

use polling_core::{
    CallError, ErrorClass, Job, PollError, Polled,
    timeout::{Timeout, TimeoutLayer},
};
use tokio::time::{Instant, sleep};
use tower::{Layer, Service, service_fn};

use crate::support::{LEFT, Log, job, polled};

const LIMIT: Duration = Duration::from_secs(30);
const GRACE: Duration = Duration::from_secs(5);

fn timeout<S>(log: &Log, inner: S) -> Timeout<S> {
    TimeoutLayer::new(log.observer(), LIMIT, GRACE).layer(inner)
}

fn as_poll(result: Result<Polled, CallError>) -> PollError {
    match result {
        Err(CallError::Poll(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_poll_is_dropped_at_its_deadline_as_a_transient_error() {
    let log = Log::default();
    let started = Instant::now();
    let mut service = timeout(
        &log,
        service_fn(|_: Job| pending::<Result<Polled, PollError>>()),
    );
    let error = as_poll(service.call(job()).await);
    assert_eq!(started.elapsed(), LIMIT);
    assert_eq!(error.class(), ErrorClass::Transient);
    assert_eq!(error.code().unwrap().as_str(), "poll_timeout");
    sleep(2 * GRACE).await;
    assert_eq!(
        log.entries(),
        ["polled transient 0"],
        "a dropped future does not hang"
    );
}

#[tokio::test(start_paused = true)]
async fn the_poll_knows_its_deadline() {
    let mut service = timeout(
        &Log::default(),
        service_fn(|job: Job| async move {
            assert_eq!(job.remaining(), LIMIT);
            assert_eq!(job.expires() - Instant::now(), LEFT);
            Ok::<_, PollError>(polled(0))
        }),
    );
    service.call(job()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_poll_does_not_outlive_its_dispatch() {
    let job = job();
    sleep(LEFT - Duration::from_secs(3)).await;
    let mut service = timeout(
        &Log::default(),
        service_fn(|_: Job| pending::<Result<Polled, PollError>>()),
    );
    let started = Instant::now();
    as_poll(service.call(job).await);
    assert_eq!(started.elapsed(), Duration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn each_poll_is_reported_with_its_class_and_its_events() {
    let log = Log::default();
    let mut answers = [
        Ok(polled(3)),
        Ok(polled(1).with_stopped(PollError::rate_limited("page 2"))),
        Err(PollError::gone("no such account")),
    ]
    .into_iter();
    let mut service = timeout(
        &log,
        service_fn(move |_: Job| std::future::ready(answers.next().unwrap())),
    );
    for _ in 0..3 {
        let _ = service.call(job()).await;
    }
    assert_eq!(
        log.entries(),
        ["polled ok 3", "polled rate_limited 1", "polled gone 0"]
    );
}
