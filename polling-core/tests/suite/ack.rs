use std::{sync::Arc, time::Duration};

use polling_core::{
    BoxError, Delivery, Job, Keeper, PollError, Queue,
    ack::{Ack, AckLayer},
    transport::{QueueErrorKind, memory::MemoryQueue},
};
use tokio::time::sleep;
use tower::{Layer, Service, service_fn};

use crate::support::{LEFT, Log, RecordingQueue, body, clock};

const RESERVE: Duration = Duration::from_secs(30);

struct Fixture {
    queue: Arc<RecordingQueue>,
    log: Log,
    keeper: Keeper,
    layer: AckLayer,
}

impl Fixture {
    fn new() -> Self {
        let (clock, log) = (clock(), Log::default());
        let inner = MemoryQueue::builder("work", clock.clone()).build();
        let keeper = Keeper::new();
        Self {
            queue: RecordingQueue::new(inner, &log),
            layer: AckLayer::new(clock, log.observer(), RESERVE),
            keeper,
            log,
        }
    }

    async fn delivery(&self, body: String) -> Delivery {
        self.queue.inner.send(vec![body]).await;
        let message = self
            .queue
            .receive(1, Duration::ZERO)
            .await
            .unwrap()
            .remove(0);
        Delivery::new(message, self.queue.clone(), LEFT, self.keeper.clone())
    }

    /// Has a message with `body` worked on by a service that writes it down and answers `result`.
    async fn work(&self, body: String, result: Result<(), PollError>) -> Result<(), BoxError> {
        let log = self.log.clone();
        let mut ack: Ack<_> = self.layer.layer(service_fn(move |job: Job| {
            log.add(format!("work on {}", job.account));
            let result = result.clone();
            async move { result }
        }));
        ack.call(self.delivery(body).await).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_is_deleted_after_success() {
    let fixture = Fixture::new();
    fixture.work(body("42"), Ok(())).await.unwrap();
    assert_eq!(fixture.log.entries(), ["work on 42", "ack work"]);
    assert_eq!(fixture.queue.inner.messages(), []);
}

#[tokio::test(start_paused = true)]
async fn a_message_reappears_after_a_failure_once_its_visibility_has_timed_out() {
    let fixture = Fixture::new();
    let error = fixture
        .work(body("42"), Err(PollError::gone("no")))
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "gone: no", "the job's own error");
    assert_eq!(fixture.log.entries(), ["work on 42"]);
    sleep(Duration::from_secs(31)).await;
    assert_eq!(fixture.queue.inner.stats().await.unwrap().visible, 1);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_decoded_is_never_deleted_nor_worked_on() {
    for bad in [
        "garbage".to_owned(),
        body("42").replacen("\"v\":1", "\"v\":2", 1),
    ] {
        let fixture = Fixture::new();
        fixture.work(bad, Ok(())).await.unwrap_err();
        assert_eq!(fixture.log.entries(), ["undecodable work"]);
        sleep(Duration::from_secs(31)).await;
        assert_eq!(fixture.queue.inner.stats().await.unwrap().visible, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_late_message_is_deleted_without_being_worked_on() {
    let fixture = Fixture::new();
    sleep(LEFT - RESERVE).await;
    fixture.work(body("42"), Ok(())).await.unwrap();
    assert_eq!(
        fixture.log.entries(),
        ["work on 42", "ack work"],
        "just in time"
    );

    sleep(Duration::from_millis(1)).await;
    fixture.work(body("43"), Ok(())).await.unwrap();
    assert_eq!(fixture.log.entries()[2..], ["late", "ack work"]);
    assert_eq!(fixture.queue.inner.messages(), []);
}

#[tokio::test(start_paused = true)]
async fn a_failure_to_delete_is_counted_and_is_no_error() {
    let fixture = Fixture::new();
    fixture.queue.fail("ack", QueueErrorKind::Timeout);
    fixture.work(body("42"), Ok(())).await.unwrap();
    assert_eq!(
        fixture.log.entries(),
        ["work on 42", "ack work", "ack failed"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_job_gives_its_message_back_at_once() {
    let fixture = Fixture::new();
    let mut ack = fixture.layer.layer(service_fn(|_: Job| {
        std::future::pending::<Result<(), PollError>>()
    }));
    let working = ack.call(fixture.delivery(body("42")).await);
    let _ = tokio::time::timeout(Duration::from_secs(5), working).await;
    fixture.keeper.released().await;
    assert_eq!(fixture.queue.inner.stats().await.unwrap().visible, 1);
}
