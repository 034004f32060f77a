//! How one poll went.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::Notify;

use crate::{
    Allowance, Completion, Context, ErrorClass, EventEnvelope, Observation, Observer, Outcome,
    model::{Failure, wire},
    transport::memory::{MemoryBus, MemoryQueue},
};

/// What one poll of a [`Rig`](super::Rig) did: what was published, and what the scheduler was told.
#[derive(Debug, Clone)]
pub struct Run {
    /// The events, in the order they were published; those of several topics one topic after the
    /// other.
    pub events: Vec<EventEnvelope>,
    /// What the scheduler was told; `None` after a bug, whose job is delivered again.
    pub completion: Option<Completion>,
    /// The kind of bug: `panic`, `hang`, `publish`, `middleware`.
    pub bug: Option<&'static str>,
}

impl Run {
    pub(super) fn new(bus: &MemoryBus, completed: &MemoryQueue, bug: Option<&'static str>) -> Self {
        let messages = completed.messages();
        let completion = messages.first().map(|message| {
            let decoded = wire::decode_completion(message.body.as_bytes());
            decoded.expect("a worker writes what can be read")
        });
        Self {
            events: bus.drain().into_values().flatten().collect(),
            completion,
            bug,
        }
    }

    /// The source keys of the events, in their order.
    #[must_use]
    pub fn keys(&self) -> Vec<&str> {
        // An event's id is channel, type, account and source key; only the last may hold a bar.
        let keys = self.events.iter();
        keys.filter_map(|event| event.id.as_str().splitn(4, '|').nth(3))
            .collect()
    }

    /// The context for the next poll; `None` when the poll failed and the job keeps its own.
    #[must_use]
    pub fn context(&self) -> Option<&Context> {
        match &self.completion.as_ref()?.outcome {
            Outcome::Succeeded { context, .. } => Some(context),
            Outcome::Failed { .. } => None,
        }
    }

    /// The error, be it of the whole poll or what stopped its paging.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        self.completion.as_ref()?.outcome.failure()
    }

    /// What the channel said about its rate limits.
    #[must_use]
    pub fn allowances(&self) -> &[Allowance] {
        self.completion
            .as_ref()
            .map_or(&[], |completion| &completion.allowances)
    }

    /// Whether there was more than the poll could fetch.
    #[must_use]
    pub fn saturated(&self) -> bool {
        self.completion
            .as_ref()
            .is_some_and(|completion| completion.saturated)
    }

    /// How many calls to the channel the scheduler was told of; 0 after a bug.
    #[must_use]
    pub fn calls(&self) -> u32 {
        self.completion
            .as_ref()
            .map_or(0, |completion| completion.calls)
    }

    /// # Panics
    ///
    /// Unless exactly the events with these source keys were published, in this order.
    #[track_caller]
    pub fn assert_published<K: AsRef<str>>(&self, keys: impl IntoIterator<Item = K>) -> &Self {
        let keys: Vec<K> = keys.into_iter().collect();
        let expected: Vec<&str> = keys.iter().map(AsRef::as_ref).collect();
        assert_eq!(self.keys(), expected, "published; {}", self.ending());
        self
    }

    /// # Panics
    ///
    /// If the poll failed or was stopped.
    #[track_caller]
    pub fn assert_succeeded(&self) -> &Self {
        let succeeded = self.completion.is_some() && self.failure().is_none();
        assert!(
            succeeded,
            "the poll should have succeeded: {}",
            self.ending()
        );
        self
    }

    /// # Panics
    ///
    /// Unless the poll failed or was stopped with an error of `class`.
    #[track_caller]
    pub fn assert_failed(&self, class: ErrorClass) -> &Self {
        let found = self.failure().map(|failure| failure.class);
        assert_eq!(found, Some(class), "{}", self.ending());
        self
    }

    /// # Panics
    ///
    /// Unless the scheduler was told that `remaining` calls are left in `scope`, such as `app`.
    #[track_caller]
    pub fn assert_remaining(&self, scope: &str, remaining: u64) -> &Self {
        let mut of_scope = self.allowances().iter();
        let told = of_scope.any(|allowance| {
            allowance.scope.as_str() == scope && allowance.remaining == Some(remaining)
        });
        assert!(
            told,
            "{remaining} calls remaining in {scope} should have been told, not {:?}",
            self.allowances()
        );
        self
    }

    /// How it ended, for people.
    pub(super) fn ending(&self) -> String {
        match (self.bug, self.failure()) {
            (Some(bug), _) => format!("it was a bug ({bug}) and is delivered again"),
            (None, Some(failure)) => {
                let context = self.context().map_or("failed", |_| "was stopped");
                format!("it {context} as {}: {}", failure.class, failure.message)
            }
            (None, None) => "it succeeded".to_owned(),
        }
    }

    /// The events' ids, each once.
    pub(super) fn id_set(&self) -> BTreeSet<&str> {
        self.events.iter().map(|event| event.id.as_str()).collect()
    }

    /// The source keys, each once.
    pub(super) fn key_set(&self) -> BTreeSet<String> {
        self.keys().into_iter().map(str::to_owned).collect()
    }
}

/// Watches for a poll that does not end as a poll should.
#[derive(Debug, Clone)]
pub(super) struct Bug {
    kind: Arc<Mutex<Option<&'static str>>>,
    found: Arc<Notify>,
}

impl Bug {
    pub(super) fn new(found: Arc<Notify>) -> Self {
        Self {
            kind: Arc::default(),
            found,
        }
    }

    pub(super) fn kind(&self) -> Option<&'static str> {
        *self.kind.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Bug {
    fn observe(&self, observation: Observation<'_>) {
        if let Observation::Bug { kind, .. } = observation {
            *self.kind.lock().unwrap_or_else(PoisonError::into_inner) = Some(kind);
            self.found.notify_one();
        }
    }
}
