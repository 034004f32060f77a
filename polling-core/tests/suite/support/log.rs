use std::sync::{Arc, Mutex};

use polling_core::{Observation, Observer, SharedObserver};

/// What happened, in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub(crate) fn add(&self, entry: impl Into<String>) {
        self.0.lock().unwrap().push(entry.into());
    }

    pub(crate) fn entries(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn count(&self, entry: &str) -> usize {
        self.entries().iter().filter(|seen| *seen == entry).count()
    }

    /// Writes down what is observed.
    pub(crate) fn observer(&self) -> SharedObserver {
        Arc::new(self.clone())
    }
}

impl Observer for Log {
    fn observe(&self, observation: Observation<'_>) {
        match observation {
            Observation::Polled { error, events, .. } => {
                let class = error.map_or("ok", |class| class.as_str());
                self.add(format!("polled {class} {events}"));
            }
            Observation::Bug { kind, .. } => self.add(format!("bug {kind}")),
            Observation::DroppedLate { .. } => self.add("late"),
            Observation::Undecodable { queue } => self.add(format!("undecodable {queue}")),
            Observation::Redelivered { queue } => self.add(format!("redelivered {queue}")),
            Observation::PublishThrottled { .. } => self.add("throttled"),
            Observation::AckFailed => self.add("ack failed"),
            other => panic!("not a worker's: {other:?}"),
        }
    }
}
