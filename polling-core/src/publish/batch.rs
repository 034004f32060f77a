//! The events of one poll on their way to the bus.

use std::{mem, time::Duration, vec};

use tokio::time::Instant;

use super::{Reason, Refused, throttle::Throttle};
use crate::{
    BusError, Deliveries, Event, EventEnvelope, EventId, Job, SharedBus, Topic, caps,
    model::{KillPoint, event_headers, trace::Traceparent},
};

/// Publishes events chunk by chunk, in their order, and waits for every report.
///
/// Events are moved, never copied: the memory that they take goes down as the bus takes them. What
/// remains of each is its [`Label`], for its report.
pub(super) struct Batch<'a> {
    bus: &'a SharedBus,
    throttle: &'a Throttle,
    job: &'a Job,
    events: vec::IntoIter<Event>,
    taken: Vec<(Vec<Label>, Deliveries)>,
    /// What every event carries, if the job does.
    traceparent: Option<Traceparent>,
    /// What is being published, to name it at a timeout.
    topic: Option<Topic>,
    /// Of the events that were delivered so far, when their items were created; UTC milliseconds.
    pub(super) created_ms: Vec<i64>,
    pub(super) refused: Option<Refused>,
    pub(super) waited: Duration,
}

struct Label {
    id: EventId,
    topic: Topic,
    created_ms: i64,
}

impl<'a> Batch<'a> {
    pub(super) fn new(
        bus: &'a SharedBus,
        throttle: &'a Throttle,
        job: &'a Job,
        events: Vec<Event>,
    ) -> Self {
        Self {
            bus,
            throttle,
            job,
            topic: events.first().map(|event| event.topic.clone()),
            events: events.into_iter(),
            taken: Vec::new(),
            traceparent: job.trace().map(|trace| trace.to_traceparent()),
            created_ms: Vec::new(),
            refused: None,
            waited: Duration::ZERO,
        }
    }

    /// The topic that was being published to last.
    pub(super) fn topic(&self) -> Option<&Topic> {
        self.topic.as_ref()
    }

    /// Publishes all and waits for all reports. Cancelling it loses no event of the job: an
    /// incomplete batch is published again as a whole.
    pub(super) async fn deliver(&mut self) -> Result<(), BusError> {
        while let Some(chunk) = self.next_chunk() {
            self.hand_over(chunk).await;
        }
        let mut failed = None;
        for (events, deliveries) in mem::take(&mut self.taken) {
            self.topic = events.first().map(|event| event.topic.clone());
            for (event, report) in events.into_iter().zip(deliveries.await) {
                match report {
                    Ok(()) => self.created_ms.push(event.created_ms),
                    Err(error) if error.kind.is_permanent() => {
                        self.refuse(Reason::TooLarge { id: event.id });
                    }
                    // The others' reports are awaited all the same: nothing is left half done.
                    Err(error) => failed = failed.or(Some(error)),
                }
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// The next events that can be published. `None` when no event is left.
    fn next_chunk(&mut self) -> Option<Vec<EventEnvelope>> {
        let most = caps::PUBLISH_CHUNK.min(self.throttle.burst());
        let mut chunk = Vec::with_capacity(most.min(self.events.len()));
        while chunk.len() < most {
            let Some(event) = self.events.next() else {
                break;
            };
            match event.seal(self.job) {
                Ok(envelope) => chunk.push(self.traced(envelope)),
                Err(error) => self.refuse(error.into()),
            }
        }
        (!chunk.is_empty()).then_some(chunk)
    }

    fn traced(&self, mut event: EventEnvelope) -> EventEnvelope {
        if let Some(traceparent) = &self.traceparent {
            let name = event_headers::TRACEPARENT.to_owned();
            event.headers.insert(name, traceparent.to_string());
        }
        event
    }

    async fn hand_over(&mut self, chunk: Vec<EventEnvelope>) {
        let labels = chunk
            .iter()
            .map(|event| Label {
                id: event.id.clone(),
                topic: event.topic.clone(),
                created_ms: event.created_ms,
            })
            .collect();
        self.topic = chunk.first().map(|event| event.topic.clone());
        let started = Instant::now();
        self.throttle.pass(chunk.len()).await;
        let deliveries = self.bus.publish(chunk).await;
        KillPoint::WorkerEventsTaken.hit();
        self.waited += started.elapsed();
        self.taken.push((labels, deliveries));
    }

    fn refuse(&mut self, reason: Reason) {
        tracing::error!(job = %self.job.id, %reason, "event refused for good");
        let refused = self.refused.get_or_insert(Refused { events: 0, reason });
        refused.events += 1;
    }
}
