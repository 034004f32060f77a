//! Writes down what is published.

use polling_core::{Topic, transport::memory::MemoryBus};

/// Most events at once.
const MAX_EVENTS: usize = 100;

pub(crate) fn consume(bus: MemoryBus, topic: Topic) {
    tokio::spawn(async move {
        loop {
            for event in bus.receive(&topic, MAX_EVENTS).await {
                let text = String::from_utf8_lossy(&event.payload);
                tracing::info!(id = %event.id, %text, "event");
            }
        }
    });
}
