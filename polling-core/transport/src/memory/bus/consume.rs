//! Consuming a bus. Consumed events are gone and make room for others.

use std::collections::BTreeMap;

use polling_model::{EventEnvelope, Topic};

use super::MemoryBus;

impl MemoryBus {
    /// Consumes all events of a topic, in their order.
    #[must_use = "the events are gone from the bus"]
    pub fn take(&self, topic: &Topic) -> Vec<EventEnvelope> {
        let events = self.log().take(topic, usize::MAX);
        self.made_room(events.len());
        events
    }

    /// Consumes all events of all topics.
    pub fn drain(&self) -> BTreeMap<Topic, Vec<EventEnvelope>> {
        let events = self.log().drain();
        self.made_room(events.values().map(Vec::len).sum());
        events
    }

    /// Consumes up to `max` events of a topic, in their order, waiting for the first as long as it
    /// takes. Several receivers of one topic share its events.
    ///
    /// Dropping the future loses nothing.
    ///
    /// # Panics
    ///
    /// When `max` is 0.
    pub async fn receive(&self, topic: &Topic, max: usize) -> Vec<EventEnvelope> {
        assert!(max > 0, "receiving at most 0 events would wait for ever");
        loop {
            let changed = self.inner.changed.notified();
            let events = self.log().take(topic, max);
            if !events.is_empty() {
                self.made_room(events.len());
                return events;
            }
            changed.await;
        }
    }

    /// A copy of the events of a topic that are not consumed, in their order.
    #[must_use]
    pub fn events(&self, topic: &Topic) -> Vec<EventEnvelope> {
        self.log().events(topic)
    }

    fn made_room(&self, events: usize) {
        self.inner.room.add_permits(events);
    }
}
