//! The consumer at the other end of the bus: which posts arrived, and how often.

use std::collections::{BTreeMap, BTreeSet};

use polling_core::EventEnvelope;

/// What has arrived so far. Memory grows with the accounts, not with the posts: of each account
/// all posts up to some id have arrived, and few beyond it.
#[derive(Debug, Default)]
pub(crate) struct Arrivals {
    accounts: BTreeMap<String, Seen>,
    events: u64,
    duplicated: u64,
}

#[derive(Debug, Default)]
struct Seen {
    /// Every post up to this one has arrived.
    through: i64,
    beyond: BTreeSet<i64>,
}

impl Arrivals {
    /// Counts events by the id in which a consumer recognizes repeats.
    pub(crate) fn take(&mut self, events: Vec<EventEnvelope>) -> anyhow::Result<()> {
        for event in events {
            let source_key = event.id.as_str().rsplit('|').next().unwrap_or_default();
            let id = source_key.parse()?;
            self.events += 1;
            let seen = self.accounts.entry(event.key.to_string()).or_default();
            self.duplicated += u64::from(!seen.note(id));
        }
        Ok(())
    }

    /// Events that arrived, repeats included.
    pub(crate) const fn events(&self) -> u64 {
        self.events
    }

    /// Events that had arrived before.
    pub(crate) const fn duplicated(&self) -> u64 {
        self.duplicated
    }

    /// Posts up to `newest` of an account that are not here, and posts beyond it that should not
    /// be.
    pub(crate) fn missing_and_unexpected(&self, account: &str, newest: i64) -> (u64, u64) {
        let Some(seen) = self.accounts.get(account) else {
            return (newest.unsigned_abs(), 0);
        };
        let expected = seen.through.min(newest) + seen.beyond.range(..=newest).count() as i64;
        let arrived = seen.through + seen.beyond.len() as i64;
        (
            (newest - expected).unsigned_abs(),
            (arrived - expected).unsigned_abs(),
        )
    }
}

impl Seen {
    /// Whether the post is new.
    fn note(&mut self, id: i64) -> bool {
        let new = id > self.through && self.beyond.insert(id);
        while self.beyond.remove(&(self.through + 1)) {
            self.through += 1;
        }
        new
    }
}
