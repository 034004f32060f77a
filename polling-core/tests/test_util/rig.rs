use std::{future::pending, num::NonZeroU32, time::Duration};

use polling_core::{
    Allowance, Context, ErrorClass, Event, Job, PollError, Polled, Poller, PollerService, ScopeKey,
    Topic, poller_fn,
    rate_limit::{Quota, Scope},
    test_util::{Rig, START_MS},
};
use tower::{Service, layer::layer_fn, service_fn};

fn event(key: &str) -> Event {
    Event::new(Topic::new("posts").unwrap(), key, "hello", START_MS)
}

fn count(job: &Job) -> (i64, Context) {
    let mut context = job.context.clone();
    let next = context.get_i64("last").unwrap_or(0) + 1;
    context.insert("last", next);
    (next, context)
}

#[tokio::test(start_paused = true)]
async fn each_poll_goes_on_with_the_context_of_the_last() {
    let poller = poller_fn(|job| async move {
        let (next, context) = count(&job);
        let limit = Allowance {
            remaining: Some(9),
            ..Allowance::of(ScopeKey::new("app").unwrap())
        };
        Ok(Polled::new(context)
            .with_event(event(&format!("post|{next}")))
            .with_allowance(limit)
            .with_saturated(next == 1))
    });
    let mut rig = Rig::new(poller);
    let first = rig.poll().await;
    first.assert_succeeded().assert_published(["post|1"]);
    first.assert_remaining("app", 9);
    assert_eq!(first.events[0].id.as_str(), "test|items|42|post|1");
    assert!(first.saturated() && !rig.poll().await.saturated());
    assert_eq!(rig.context().get_i64("last"), Some(2));
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_fails_leaves_the_context_alone() {
    let wait = Duration::from_secs(60);
    let poller =
        poller_fn(
            move |_| async move { Err(PollError::rate_limited("later").with_retry_after(wait)) },
        );
    let context = Context::from_iter([("last", 7.into())]);
    let mut rig = Rig::new(poller).with_context(context.clone());
    let run = rig.poll().await;
    run.assert_failed(ErrorClass::RateLimited)
        .assert_published::<&str>([]);
    assert_eq!(run.failure().unwrap().retry_after_ms, Some(60_000));
    assert_eq!((rig.context(), run.context()), (&context, None));
}

#[tokio::test(start_paused = true)]
async fn what_stopped_a_poll_is_told_beside_what_it_brought() {
    let poller = poller_fn(|job| async move {
        let (_, context) = count(&job);
        let refused = PollError::rate_limited("page 2");
        Ok(Polled::new(context)
            .with_event(event("1"))
            .with_stopped(refused))
    });
    let run = Rig::new(poller).poll().await;
    run.assert_failed(ErrorClass::RateLimited)
        .assert_published(["1"]);
    assert!(run.context().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_a_bug_and_ends_the_poll_at_once() {
    struct Faulty;
    impl Poller for Faulty {
        async fn poll(&self, _: Job) -> Result<Polled, PollError> {
            panic!("as it is told")
        }
    }
    let before = tokio::time::Instant::now();
    let run = Rig::new(Faulty).poll().await;
    assert_eq!((run.bug, run.completion), (Some("panic"), None));
    assert!(before.elapsed() < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_takes_too_long_is_cut_in_no_time_at_all() {
    let mut rig = Rig::new(poller_fn(|_| pending()))
        .with_config(|config| config.poll_timeout = Duration::from_secs(7))
        .with_job(|job| job.account = "anna".parse().unwrap());
    let before = tokio::time::Instant::now();
    rig.poll().await.assert_failed(ErrorClass::Transient);
    assert_eq!(before.elapsed().as_secs(), 7);
}

#[tokio::test(start_paused = true)]
async fn the_worker_may_have_limits_and_layers_of_its_own() {
    let poller = poller_fn(|job| async move { Ok(Polled::new(job.context.clone())) });
    let mut rig = Rig::new(poller);
    let quota = Quota::per_second(NonZeroU32::MIN);
    let run = rig.poll_with(|worker| {
        let layer = layer_fn(|inner| tower::limit::ConcurrencyLimit::new(inner, 1));
        worker.pace(Scope::app(), quota).layer(layer).build()
    });
    run.await.assert_succeeded();
}

#[tokio::test(start_paused = true)]
async fn calls_of_a_poll_that_was_cut_and_of_layers_that_repeat_are_told() {
    let hanging = poller_fn(async |job: Job| {
        job.count_call();
        job.count_call();
        pending().await
    });
    let run = Rig::new(hanging).poll().await;
    run.assert_failed(ErrorClass::Transient);
    assert_eq!(run.calls(), 2);

    let telling = poller_fn(|job| async move {
        job.count_call();
        Ok(Polled::new(job.context.clone()).with_calls(1))
    });
    let mut rig = Rig::new(telling);
    assert_eq!(rig.poll().await.calls(), 1, "each dispatch counts its own");
    let twice = rig.poll_with(|worker| {
        let layer = layer_fn(|inner: PollerService<_>| {
            service_fn(move |job: Job| {
                let mut inner = inner.clone();
                async move {
                    inner.call(job.clone()).await?;
                    inner.call(job).await
                }
            })
        });
        worker.layer(layer).build()
    });
    assert_eq!(twice.await.calls(), 2);
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "published; it failed as gone: closed")]
async fn an_assertion_says_how_the_poll_ended() {
    let poller = poller_fn(|_| async { Err(PollError::gone("closed")) });
    Rig::new(poller).poll().await.assert_published(["1"]);
}
