//! The outermost layer: from a message to a job, and to the message's deletion.

use std::{
    fmt,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::future::BoxFuture;
use tokio::time::Instant;
use tower::{Layer, Service};
use tracing::Instrument;

use crate::{
    BoxError, Delivery, Job, Observation, SharedClock, SharedObserver, caps,
    model::{KillPoint, wire},
    spans::{self, Carried},
    suspects::Suspects,
};

/// Puts [`Ack`] around a service.
#[derive(Debug, Clone)]
pub struct AckLayer {
    clock: SharedClock,
    observer: SharedObserver,
    reserve: Duration,
    suspects: Suspects,
}

impl AckLayer {
    /// Jobs with less than `reserve` left are dropped without polling: it is what a poll and the
    /// storing of its completion need at most.
    #[must_use]
    pub fn new(clock: SharedClock, observer: SharedObserver, reserve: Duration) -> Self {
        Self {
            clock,
            observer,
            reserve,
            suspects: Suspects::new(),
        }
    }
}

impl<S> Layer<S> for AckLayer {
    type Service = Ack<S>;

    fn layer(&self, inner: S) -> Ack<S> {
        Ack {
            inner,
            layer: self.clone(),
        }
    }
}

/// Decodes a [`Delivery`] for the service within, and deletes the message once that has succeeded.
///
/// | the message | becomes |
/// |---|---|
/// | cannot be decoded, or has an unknown version | left to redelivery, for a newer worker |
/// | leaves less time than a poll needs | deleted without polling: the reaper places the job anew |
/// | the same, and was delivered twice before | left without polling: one that ends its processes must count as a dead letter at last, however late |
/// | is worked on with success | deleted; a failure to delete is counted and is no error |
/// | fails | left, and reappears after its visibility timeout |
///
/// Messages that were delivered before take turns, over all services of one layer: a payload that
/// kills its process must not take its neighbours along to the dead-letter queue. A turn is waited
/// for no longer than [`caps::SUSPECT_WAIT`].
#[derive(Clone)]
pub struct Ack<S> {
    inner: S,
    layer: AckLayer,
}

impl<S> Service<Delivery> for Ack<S>
where
    S: Service<Job>,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
{
    type Response = ();
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<(), BoxError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, mut delivery: Delivery) -> Self::Future {
        KillPoint::WorkerReceived.hit();
        let dispatch = match wire::decode_job(delivery.message().body.as_bytes()) {
            Ok(dispatch) => dispatch,
            Err(error) => return Box::pin(self.layer.leave_undecodable(delivery, error)),
        };
        let observer = self.layer.observer.clone();
        if delivery.message().receive_count > 1 {
            observer.observe(Observation::Redelivered { queue: "work" });
        }
        let (now, now_ms) = (Instant::now(), self.layer.clock.now_ms());
        let carried = Carried::of(delivery.message(), &dispatch);
        let job = Job::received(dispatch, carried, now_ms, now);
        if job.deadline().saturating_duration_since(now) < self.layer.reserve {
            observer.observe(Observation::DroppedLate {
                job_type: &job.job_type,
            });
            return Box::pin(async move {
                // In an overload messages come twice that harmed nobody.
                if delivery.message().receive_count > caps::SUSPECT_RECEIVES {
                    delivery.leave();
                } else {
                    ack(delivery, &observer).await;
                }
                Ok(())
            });
        }
        let span = spans::job(&job, delivery.message(), now_ms);
        let working = span.in_scope(|| self.inner.call(job));
        let suspects = self.layer.suspects.clone();
        let settled = async move {
            let _turn = suspects.turn(&mut delivery).await;
            let worked = working.await.map(drop).map_err(Into::<BoxError>::into);
            match &worked {
                Ok(()) => ack(delivery, &observer).instrument(spans::ack()).await,
                Err(error) => {
                    log_left(&**error);
                    delivery.leave();
                }
            }
            worked
        };
        Box::pin(settled.instrument(span))
    }
}

impl AckLayer {
    fn leave_undecodable(
        &self,
        delivery: Delivery,
        error: wire::WireError,
    ) -> impl Future<Output = Result<(), BoxError>> + Send + use<> {
        self.observer
            .observe(Observation::Undecodable { queue: "work" });
        async move {
            log_left(&error);
            delivery.leave();
            Err(error.into())
        }
    }
}

fn log_left(error: &(dyn std::error::Error + 'static)) {
    tracing::warn!(
        error = crate::model::chain(error),
        "job not completed; its message will be delivered again"
    );
}

/// The outcome is stored by now: whatever the queue answers, it stands.
async fn ack(delivery: Delivery, observer: &SharedObserver) {
    let queue = delivery.queue().clone();
    if let Err(error) = delivery.ack().await {
        tracing::warn!(
            queue = queue.name(),
            error = crate::model::chain(&error),
            "message not deleted; its repeat changes nothing"
        );
        observer.observe(Observation::AckFailed);
    }
    KillPoint::WorkerAcked.hit();
}

impl<S> fmt::Debug for Ack<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ack").finish_non_exhaustive()
    }
}
