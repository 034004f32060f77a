//! Requests to queues, by kind.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use polling_model::{Observation, Observer};
use serde_json::{Value, json};

/// Requests that were made since this was asked last; clones are one.
#[derive(Debug, Clone, Default)]
pub struct Requests(Arc<Mutex<Asked>>);

/// Requests of each queue and kind.
#[derive(Debug, Clone, Default)]
pub struct Asked(BTreeMap<String, Kind>);

#[derive(Debug, Clone, Copy, Default)]
struct Kind {
    requests: u64,
    messages: u64,
}

impl Requests {
    /// Those since this was asked last.
    #[must_use]
    pub fn take(&self) -> Asked {
        std::mem::take(&mut *self.asked())
    }

    fn asked(&self) -> MutexGuard<'_, Asked> {
        // Nothing panics while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Requests {
    fn observe(&self, observation: Observation<'_>) {
        if let Observation::Requested {
            queue,
            call,
            messages,
            ..
        } = observation
        {
            let mut asked = self.asked();
            let kind = asked.0.entry(format!("{queue} {call}")).or_default();
            kind.requests += 1;
            kind.messages += messages as u64;
        }
    }
}

impl Asked {
    /// How many for each of so many jobs.
    #[must_use]
    pub fn per_job(&self, jobs: f64) -> f64 {
        let requests: u64 = self.0.values().map(|kind| kind.requests).sum();
        requests as f64 / jobs
    }

    /// Of each kind, how many for a job, and how many messages each had.
    #[must_use]
    pub fn of_kinds(&self, jobs: f64) -> Value {
        let kinds = self.0.iter().map(|(name, kind)| {
            let requests = kind.requests as f64;
            let of_kind = json!({
                "per_job": requests / jobs,
                "messages_each": kind.messages as f64 / requests,
            });
            (name.clone(), of_kind)
        });
        kinds.collect()
    }
}
