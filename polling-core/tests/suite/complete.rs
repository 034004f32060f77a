use std::{sync::Arc, time::Duration};

use polling_core::{
    Allowance, CompleteError, Completion, Context, ErrorClass, Generator, Job, Outcome, PollError,
    PublishError, ScopeKey,
    complete::CompleteLayer,
    model::{EventError, Failure, caps, wire},
    publish::{Published, Reason, Refused},
    transport::{BusError, BusErrorKind, EntryError, memory::MemoryQueue},
};
use tokio::time::{Instant, sleep};
use tower::{Layer, Service, service_fn};

use crate::support::{LEFT, Log, NOW_MS, RecordingQueue, clock, job, topic};

const TIMEOUT: Duration = Duration::from_secs(10);

struct Fixture {
    queue: Arc<RecordingQueue>,
    log: Log,
}

impl Fixture {
    fn new() -> Self {
        let log = Log::default();
        let inner = MemoryQueue::builder("completed", clock()).build();
        let queue = RecordingQueue::new(inner, &log);
        Self { queue, log }
    }

    async fn complete(&self, result: Result<Published, PublishError>) -> Result<(), CompleteError> {
        self.complete_job(job(), result).await
    }

    async fn complete_job(
        &self,
        job: Job,
        result: Result<Published, PublishError>,
    ) -> Result<(), CompleteError> {
        let layer = CompleteLayer::new(
            self.queue.clone(),
            clock(),
            self.log.observer(),
            Generator::from_seed(1),
            TIMEOUT,
        );
        let mut result = Some(result);
        let mut service = layer.layer(service_fn(move |_: Job| {
            std::future::ready(result.take().unwrap())
        }));
        service.call(job).await.map(drop)
    }

    fn stored(&self) -> Vec<Completion> {
        let messages = self.queue.inner.messages();
        let decoded = messages
            .iter()
            .map(|message| wire::decode_completion(message.body.as_bytes()).unwrap());
        decoded.collect()
    }
}

fn published(context: Context) -> Published {
    Published {
        events: 3,
        created_ms: vec![NOW_MS - 9_000, NOW_MS - 1, NOW_MS - 5_000],
        context,
        allowances: vec![Allowance::of(ScopeKey::new("app").unwrap())],
        saturated: true,
        stopped: None,
        calls: 2,
        refused: None,
    }
}

fn context() -> Context {
    Context::from_iter([("since_id", 2.into())])
}

fn unknown() -> EntryError {
    EntryError::Unknown {
        reason: "reset".to_owned(),
    }
}

#[tokio::test(start_paused = true)]
async fn a_success_is_stored_with_its_context_and_the_token_of_the_dispatch() {
    let fixture = Fixture::new();
    fixture.complete(Ok(published(context()))).await.unwrap();
    let job = job();
    let expected = Completion {
        id: job.id.clone(),
        job_type: job.job_type.clone(),
        token: job.token,
        outcome: Outcome::Succeeded {
            context: context(),
            stopped: None,
        },
        allowances: vec![Allowance::of(ScopeKey::new("app").unwrap())],
        saturated: true,
        events: 3,
        created_ms: vec![NOW_MS - 9_000, NOW_MS - 5_000, NOW_MS - 1],
        calls: 2,
        finished_ms: NOW_MS,
        sent_ms: None,
    };
    assert_eq!(fixture.stored(), [expected]);
}

#[tokio::test(start_paused = true)]
async fn an_api_error_is_stored_with_all_that_the_channel_said() {
    let fixture = Fixture::new();
    let error = PollError::rate_limited("slow down")
        .with_code("429")
        .with_retry_after(Duration::from_secs(60))
        .with_allowance(Allowance::of(ScopeKey::new("app").unwrap()));
    fixture.complete(Err(error.into())).await.unwrap();
    let [completion] = &fixture.stored()[..] else {
        panic!("one completion")
    };
    let failure = completion.outcome.failure().unwrap();
    assert_eq!(failure.class, ErrorClass::RateLimited);
    assert_eq!(failure.code.as_ref().unwrap().as_str(), "429");
    assert_eq!(failure.retry_after_ms, Some(60_000));
    assert_eq!(completion.allowances.len(), 1);
    assert!(matches!(completion.outcome, Outcome::Failed { .. }));
}

#[tokio::test(start_paused = true)]
async fn no_more_allowances_are_stored_than_a_completion_holds() {
    let fixture = Fixture::new();
    let allowance = Allowance::of(ScopeKey::new("app").unwrap());
    let published = Published {
        allowances: vec![allowance; 100],
        ..published(context())
    };
    fixture.complete(Ok(published)).await.unwrap();
    let stored = fixture.stored();
    assert_eq!(stored[0].allowances.len(), caps::MAX_ALLOWANCES);
}

#[tokio::test(start_paused = true)]
async fn of_many_items_the_newest_are_told_and_none_is_of_the_future() {
    let fixture = Fixture::new();
    let hour_ms = 3_600_000;
    let published = Published {
        created_ms: (0..1_000)
            .map(|age_ms| NOW_MS + 9 - age_ms)
            .chain([NOW_MS + hour_ms])
            .collect(),
        ..published(context())
    };
    fixture.complete(Ok(published)).await.unwrap();
    let told = fixture.stored().remove(0).created_ms;
    assert_eq!(told.len(), caps::MAX_CREATED);
    assert_eq!((told[0], told[99]), (NOW_MS - 89, NOW_MS));
    assert_eq!(told.iter().filter(|at_ms| **at_ms == NOW_MS).count(), 11);
}

#[tokio::test(start_paused = true)]
async fn calls_are_those_that_the_poll_told_or_the_job_counted_whichever_is_more() {
    let fixture = Fixture::new();
    let error = || PollError::transient("503");
    fixture.complete(Err(error().into())).await.unwrap();
    fixture
        .complete(Err(error().with_calls(0).into()))
        .await
        .unwrap();
    fixture
        .complete(Err(error().with_calls(7).into()))
        .await
        .unwrap();
    let counting = job();
    for _ in 0..4 {
        counting.clone().count_call();
    }
    fixture
        .complete_job(counting.clone(), Ok(published(context())))
        .await
        .unwrap();
    fixture
        .complete_job(counting, Err(error().with_calls(0).into()))
        .await
        .unwrap();
    let calls: Vec<_> = fixture
        .stored()
        .iter()
        .map(|completion| completion.calls)
        .collect();
    assert_eq!(calls, [1, 0, 7, 4, 4]);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_was_not_delivered_is_counted_and_not_completed() {
    let fixture = Fixture::new();
    let lost = BusError {
        topic: topic(),
        kind: BusErrorKind::Unreachable,
        source: None,
    };
    let error = fixture.complete(Err(lost.into())).await.unwrap_err();
    assert!(matches!(error, CompleteError::Bus(_)));
    assert_eq!(fixture.log.entries(), ["bug publish"]);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_outcome_is_tried_again() {
    let fixture = Fixture::new();
    fixture.queue.fail_sends([unknown(), unknown()]);
    fixture.complete(Ok(published(context()))).await.unwrap();
    assert_eq!(fixture.log.count("send completed"), 3);
    assert_eq!(fixture.stored().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn attempts_are_bounded_in_number_and_in_time() {
    let fixture = Fixture::new();
    fixture
        .queue
        .fail_sends(std::iter::repeat_n(unknown(), 100));
    let started = Instant::now();
    let error = fixture
        .complete(Ok(published(context())))
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("completed queue completed did not take"),
        "{error}"
    );
    assert!(fixture.log.count("send completed") <= 8);
    assert!(started.elapsed() <= TIMEOUT);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_tried_once_the_dispatch_has_expired() {
    let fixture = Fixture::new();
    fixture
        .queue
        .fail_sends(std::iter::repeat_n(unknown(), 100));
    let job = job();
    sleep(LEFT).await;
    fixture
        .complete_job(job, Ok(published(context())))
        .await
        .unwrap_err();
    assert_eq!(fixture.log.count("send completed"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_for_good_is_not_tried_again() {
    let fixture = Fixture::new();
    let reason = "characters".to_owned();
    fixture.queue.fail_sends([EntryError::Refused { reason }]);
    let error = fixture
        .complete(Ok(published(context())))
        .await
        .unwrap_err();
    assert!(
        error.to_string().ends_with("refused for good: characters"),
        "{error}"
    );
    assert_eq!(fixture.log.count("send completed"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_context_that_is_too_large_fails_the_poll_and_the_job_keeps_the_old_one() {
    let fixture = Fixture::new();
    let context = Context::from_iter([("x", "a".repeat(caps::MAX_CONTEXT_SIZE_BYTES).into())]);
    fixture.complete(Ok(published(context))).await.unwrap();
    let Outcome::Failed { failure } = &fixture.stored()[0].outcome else {
        panic!("a context that was not stored")
    };
    assert_eq!(failure.class, ErrorClass::Invalid);
    assert_eq!(failure.code.as_ref().unwrap().as_str(), "context_too_large");
    assert!(
        failure.message.contains("8 over the bound"),
        "{}",
        failure.message
    );
}

/// The failure stored for a poll that `stopped`, and one of whose events was refused.
async fn stored_with_refused(stopped: Option<PollError>) -> Failure {
    let fixture = Fixture::new();
    let reason = Reason::from(EventError::SourceKey { len: 0 });
    let refused = Some(Refused { events: 2, reason });
    let published = Published {
        stopped,
        refused,
        ..published(context())
    };
    fixture.complete(Ok(published)).await.unwrap();
    match fixture.stored().remove(0).outcome {
        Outcome::Succeeded {
            context: stored,
            stopped,
        } if stored == context() => stopped.unwrap(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn refused_events_are_reported_on_the_job_whose_context_goes_on() {
    let failure = stored_with_refused(None).await;
    assert_eq!(failure.class, ErrorClass::Invalid);
    assert_eq!(failure.code.unwrap().as_str(), "event_invalid");
    assert!(
        failure.message.contains("source key has 0 bytes"),
        "{}",
        failure.message
    );
    assert!(
        failure.message.ends_with("(and 1 more events)"),
        "{}",
        failure.message
    );
}

#[tokio::test(start_paused = true)]
async fn refused_events_do_not_hide_why_the_author_stopped() {
    let failure = stored_with_refused(Some(PollError::rate_limited("page 2"))).await;
    assert_eq!(failure.class, ErrorClass::RateLimited);
    assert!(
        failure.message.contains("source key has 0 bytes"),
        "{}",
        failure.message
    );
    assert!(failure.message.ends_with("; page 2"), "{}", failure.message);
}
