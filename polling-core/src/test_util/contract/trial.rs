//! A job that is polled until nothing is left, and what came of it.

use std::{collections::BTreeSet, fmt::Write as _, future::poll_fn, pin::pin};

use super::{COMES_TO_REST, LIMIT_IS_TOLD, SUCCEEDS, Subject, Violation};
use crate::{
    Context, ErrorClass, Poller,
    test_util::{Rig, Run},
};

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

    /// The next poll begins with `context`, as if none had come after it.
    pub(super) fn rewind(&mut self, context: Context) {
        self.rig.set_context(context);
    }

    pub(super) fn add(&mut self, items: usize) {
        self.expected.extend(self.subject.add(items));
    }

    pub(super) fn broken(&self, found: impl Into<String>) -> Violation {
        Violation::new(self.rule, found)
    }

    /// One poll of a channel that answers.
    pub(super) async fn poll(&mut self) -> Result<Run, Violation> {
        let run = self.run().await;
        if run.completion.is_some() && run.failure().is_none() {
            return Ok(run);
        }
        Err(Violation::new(SUCCEEDS, run.ending()))
    }

    /// One poll of a channel that refuses some of its calls, or all.
    pub(super) async fn poll_refused(&mut self) -> Result<Run, Violation> {
        let run = self.run().await;
        if run.completion.is_none() {
            return Err(Violation::new(SUCCEEDS, run.ending()));
        }
        told(&run).map_err(|found| Violation::new(LIMIT_IS_TOLD, found))?;
        Ok(run)
    }

    async fn run(&mut self) -> Run {
        let run = self.rig.poll().await;
        self.published.extend(run.key_set());
        run
    }

    /// One poll, straight to the poller: whenever it waits another item appears, at most so many.
    pub(super) async fn poll_amid_arrivals(&mut self, items: usize) -> Result<(), Violation> {
        let (subject, expected, mut left) = (self.subject, &mut self.expected, items);
        let polled = {
            let mut polling = pin!(self.rig.poller().poll(self.rig.job()));
            poll_fn(|cx| {
                let polled = polling.as_mut().poll(cx);
                if polled.is_pending() && left > 0 {
                    left -= 1;
                    expected.extend(subject.add(1));
                }
                polled
            })
            .await
        };
        let polled = polled.map_err(|error| Violation::new(SUCCEEDS, error.to_string()))?;
        let keys = polled.events.into_iter().map(|event| event.source_key);
        self.published.extend(keys);
        self.rewind(polled.context);
        Ok(())
    }

    /// Polls until nothing is left. No poll may fail.
    pub(super) async fn settle(&mut self) -> Result<(), Violation> {
        let mut quiet = 0;
        for _ in 0..MAX_POLLS {
            let before = self.published.len();
            let run = self.poll().await?;
            let rests = !run.saturated() && self.published.len() == before;
            quiet = if rests { quiet + 1 } else { 0 };
            if quiet == QUIET_POLLS {
                return self.compare();
            }
        }
        Err(restless())
    }

    /// Polls until all is published, though the channel answers so many calls to each only.
    pub(super) async fn settle_within(&mut self, calls: u64) -> Result<(), Violation> {
        for _ in 0..MAX_POLLS {
            self.subject.limit(Some(calls));
            self.poll_refused().await?;
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
}

fn restless() -> Violation {
    Violation::new(
        COMES_TO_REST,
        format!(
            "within {MAX_POLLS} polls it did not: each is saturated, or publishes keys that were not seen before"
        ),
    )
}

/// If the poll failed or was stopped, whether it tells the limit, and until when.
fn told(run: &Run) -> Result<(), String> {
    let Some(failure) = run.failure() else {
        return Ok(());
    };
    if failure.class != ErrorClass::RateLimited {
        return Err(format!(
            "it should end as rate_limited, but {}",
            run.ending()
        ));
    }
    let mut allowances = run.allowances().iter();
    let until_when = failure.retry_after_ms.is_some()
        || allowances.any(|told| told.remaining == Some(0) && told.reset_at_ms.is_some());
    match until_when {
        true => Ok(()),
        false => Err("it tells neither a `retry_after` nor an allowance with its reset".to_owned()),
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
