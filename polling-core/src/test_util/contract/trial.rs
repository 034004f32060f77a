//! A job that is polled until nothing is left, and what came of it.

use std::{collections::BTreeSet, fmt::Write as _};

use super::{Subject, Violation};
use crate::test_util::{Rig, Run};

/// Most polls that a poller may need for what a rule has for it.
const MAX_POLLS: usize = 200;

/// Polls without a new item after which it is at rest: what appeared behind a pass that was under
/// way is found by the one after it.
const QUIET_POLLS: usize = 2;

/// Keys that are named when they are missing.
const NAMED: usize = 5;

pub(super) struct Trial<'a, S: Subject> {
    subject: &'a S,
    rule: &'static str,
    rig: Rig<S::Poller>,
    expected: BTreeSet<String>,
    published: BTreeSet<String>,
}

impl<'a, S: Subject> Trial<'a, S> {
    pub(super) fn new(subject: &'a S, rule: &'static str) -> Self {
        Self {
            subject,
            rule,
            rig: Rig::new(subject.poller()).with_context(subject.context()),
            expected: BTreeSet::new(),
            published: BTreeSet::new(),
        }
    }

    pub(super) fn rig(&self) -> &Rig<S::Poller> {
        &self.rig
    }

    pub(super) fn published(&self) -> &BTreeSet<String> {
        &self.published
    }

    pub(super) fn add(&mut self, items: usize) {
        self.expected.extend(self.subject.add(items));
    }

    /// The same job from its beginning.
    pub(super) fn again(&self) -> Self {
        Self {
            expected: self.expected.clone(),
            ..Self::new(self.subject, self.rule)
        }
    }

    pub(super) fn broken(&self, found: impl Into<String>) -> Violation {
        Violation::new(self.rule, found)
    }

    /// One poll, however it ends.
    pub(super) async fn poll(&mut self) -> Result<Run, Violation> {
        let run = self.rig.poll().await;
        self.published.extend(run.key_set());
        match run.completion {
            Some(_) => Ok(run),
            None => Err(self.broken(run.ending())),
        }
    }

    /// Polls until nothing is left. No poll may fail.
    pub(super) async fn settle(&mut self) -> Result<(), Violation> {
        let mut quiet = 0;
        for _ in 0..MAX_POLLS {
            let before = self.published.len();
            let run = self.poll().await?;
            if run.failure().is_some() {
                return Err(self.broken(format!("without a limit a poll failed: {}", run.ending())));
            }
            let rests = !run.saturated() && self.published.len() == before;
            quiet = if rests { quiet + 1 } else { 0 };
            if quiet == QUIET_POLLS {
                return self.compare();
            }
        }
        Err(self.restless())
    }

    /// Polls until all is published, though the channel answers so many calls to each only.
    pub(super) async fn settle_within(&mut self, calls: u64) -> Result<(), Violation> {
        for _ in 0..MAX_POLLS {
            self.subject.limit(Some(calls));
            self.poll().await?;
            if self.expected.is_subset(&self.published) {
                self.subject.limit(None);
                return self.settle().await;
            }
        }
        let missing = difference(&self.expected, &self.published);
        Err(self.broken(format!(
            "{MAX_POLLS} polls of {calls} calls each never published {missing}"
        )))
    }

    fn compare(&self) -> Result<(), Violation> {
        if self.published == self.expected {
            return Ok(());
        }
        let skipped = difference(&self.expected, &self.published);
        let strange = difference(&self.published, &self.expected);
        Err(self.broken(format!(
            "of the items {skipped} were never published, and published was, though no item's key: {strange}"
        )))
    }

    fn restless(&self) -> Violation {
        self.broken(format!(
            "it did not come to rest within {MAX_POLLS} polls: each is saturated, or publishes keys that were not seen before"
        ))
    }
}

/// Some of the keys that only the first has.
fn difference(all: &BTreeSet<String>, without: &BTreeSet<String>) -> String {
    let mut keys = all.difference(without);
    let mut text = keys
        .by_ref()
        .take(NAMED)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    let more = keys.count();
    if more > 0 {
        // Writing to a text cannot fail.
        let _ = write!(text, " and {more} more");
    }
    if text.is_empty() {
        "none".to_owned()
    } else {
        text
    }
}
