//! How much is in the queues.

use polling_transport::SharedQueue;

use super::{Gauge, Metrics};

/// Messages in a queue.
pub static QUEUE_DEPTH: Gauge = Gauge {
    name: "polling_queue_depth_messages",
    help: "Messages in a queue: visible, or in_flight",
    labels: &["queue", "state"],
};

/// Age of a queue's oldest message.
pub static QUEUE_AGE: Gauge = Gauge {
    name: "polling_queue_oldest_message_age_seconds",
    help: "Age of the oldest visible message, where the queue tells",
    labels: &["queue"],
};

impl Metrics {
    /// Asks each queue how much is in it whenever somebody looks: one request to each, at most every second.
    pub fn watch_queues(&self, queues: impl IntoIterator<Item = SharedQueue>) {
        for queue in queues {
            self.ask("queue", move || {
                let queue = SharedQueue::clone(&queue);
                async move {
                    let stats = queue.stats().await.ok()?;
                    let name = queue.name();
                    let mut readings = vec![
                        QUEUE_DEPTH.reading(&[name, "visible"], stats.visible as f64),
                        QUEUE_DEPTH.reading(&[name, "in_flight"], stats.in_flight as f64),
                    ];
                    if let Some(age_ms) = stats.oldest_age_ms {
                        readings.push(QUEUE_AGE.reading(&[name], age_ms as f64 / 1_000.0));
                    }
                    Some(readings)
                }
            });
        }
    }
}
