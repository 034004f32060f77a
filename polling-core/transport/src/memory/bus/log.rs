//! The events of a bus, by topic.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use polling_model::{EventEnvelope, Topic};
use tokio::{
    sync::oneshot,
    time::{Instant, timeout_at},
};

use crate::bus::{BusError, BusErrorKind};

/// What became of an event handed to the log.
pub(super) enum Taken {
    Delivered,
    /// Delivered when the sender fires.
    Stalled(Topic, oneshot::Receiver<()>),
    Failed(BusError),
}

impl Taken {
    pub(super) fn is_failed(&self) -> bool {
        matches!(self, Self::Failed(_))
    }
}

/// The delivery reports, as they are once the stalled ones are delivered or the deadline is over.
pub(super) async fn reports(taken: Vec<Taken>, deadline: Instant) -> Vec<Result<(), BusError>> {
    let mut reports = Vec::with_capacity(taken.len());
    for entry in taken {
        reports.push(match entry {
            Taken::Delivered => Ok(()),
            Taken::Failed(error) => Err(error),
            Taken::Stalled(topic, delivered) => match timeout_at(deadline, delivered).await {
                Ok(Ok(())) => Ok(()),
                _ => Err(BusError::new(topic, BusErrorKind::Timeout)),
            },
        });
    }
    reports
}

/// Bounded from outside: every event in it has a permit.
pub(super) struct Log {
    topics: BTreeMap<Topic, VecDeque<EventEnvelope>>,
    /// The topics that exist; all of them if `None`.
    existing: Option<BTreeSet<Topic>>,
    /// What was taken during a pause, in its order.
    stalled: VecDeque<(EventEnvelope, oneshot::Sender<()>)>,
    paused: bool,
    /// How many of the next events fail, and how.
    failing: (usize, BusErrorKind),
}

impl Log {
    pub(super) fn new(existing: Option<BTreeSet<Topic>>) -> Self {
        Self {
            topics: BTreeMap::new(),
            existing,
            stalled: VecDeque::new(),
            paused: false,
            failing: (0, BusErrorKind::Other),
        }
    }

    pub(super) fn exists(&self, topic: &Topic) -> bool {
        self.existing
            .as_ref()
            .is_none_or(|topics| topics.contains(topic))
    }

    pub(super) fn push(&mut self, event: EventEnvelope, max_event_bytes: usize) -> Taken {
        if let Some(kind) = self.refusal(&event, max_event_bytes) {
            return Taken::Failed(BusError::new(event.topic, kind));
        }
        if self.paused {
            let (report, delivered) = oneshot::channel();
            let topic = event.topic.clone();
            self.stalled.push_back((event, report));
            return Taken::Stalled(topic, delivered);
        }
        self.append(event);
        Taken::Delivered
    }

    fn refusal(&mut self, event: &EventEnvelope, max_event_bytes: usize) -> Option<BusErrorKind> {
        if event.size_bytes() > max_event_bytes {
            return Some(BusErrorKind::TooLarge);
        }
        if !self.exists(&event.topic) {
            return Some(BusErrorKind::NoSuchTopic);
        }
        let (left, kind) = &mut self.failing;
        *left = left.checked_sub(1)?;
        Some(*kind)
    }

    fn append(&mut self, event: EventEnvelope) {
        match self.topics.get_mut(&event.topic) {
            Some(events) => events.push_back(event),
            None => {
                let topic = event.topic.clone();
                self.topics.insert(topic, VecDeque::from([event]));
            }
        }
    }

    /// A topic that is emptied leaves the map, which is thereby bounded like the events.
    pub(super) fn take(&mut self, topic: &Topic, max: usize) -> Vec<EventEnvelope> {
        let Some(events) = self.topics.get_mut(topic) else {
            return Vec::new();
        };
        if max < events.len() {
            return events.drain(..max).collect();
        }
        self.topics.remove(topic).unwrap_or_default().into()
    }

    pub(super) fn drain(&mut self) -> BTreeMap<Topic, Vec<EventEnvelope>> {
        std::mem::take(&mut self.topics)
            .into_iter()
            .map(|(topic, events)| (topic, events.into()))
            .collect()
    }

    pub(super) fn events(&self, topic: &Topic) -> Vec<EventEnvelope> {
        self.topics
            .get(topic)
            .map(|events| events.iter().cloned().collect())
            .unwrap_or_default()
    }

    pub(super) fn first_stalled(&self) -> Option<Topic> {
        self.stalled.front().map(|(event, _)| event.topic.clone())
    }

    pub(super) fn pause(&mut self) {
        self.paused = true;
    }

    pub(super) fn resume(&mut self) {
        self.paused = false;
        for (event, report) in std::mem::take(&mut self.stalled) {
            self.append(event);
            // Nobody waits for the report any more: the event is delivered all the same.
            let _ = report.send(());
        }
    }

    pub(super) fn fail_next(&mut self, count: usize, kind: BusErrorKind) {
        self.failing = (count, kind);
    }
}
