//! The judge: it sees every effect on the store, the queues and the bus, and nothing else.

mod history;
mod seen;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use polling_model::{AccountId, JobId, Token};
use scheduler_lib::store::Counts;
use tokio_util::sync::CancellationToken;

pub(crate) use self::history::History;
use self::seen::Seen;
use super::{
    property::{Property, Violation},
    trace::Trace,
};

/// Checks each effect as it happens, and stops the run at the first that breaks a promise.
#[derive(Debug)]
pub(crate) struct Oracle {
    book: Mutex<Book>,
    pub(crate) trace: Arc<Trace>,
    /// Cancelled at the first violation.
    pub(crate) stopped: CancellationToken,
}

#[derive(Debug, Default)]
struct Book {
    /// Goes back when the store does.
    history: History,
    /// Never goes back.
    seen: Seen,
    tally: Tally,
    violation: Option<Violation>,
}

/// What a run amounted to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Completions accepted.
    pub(crate) cycles: u64,
    /// Places mended by the sweep.
    pub(crate) repairs: u64,
    /// Events delivered, repeats included.
    pub(crate) events: u64,
}

impl Oracle {
    pub(crate) fn new(trace: Arc<Trace>) -> Self {
        Self {
            book: Mutex::default(),
            trace,
            stopped: CancellationToken::new(),
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a violation; the first one counts.
    pub(crate) fn violated(&self, property: Property, job: Option<&JobId>, detail: String) {
        let violation = Violation {
            property,
            at_ms: self.trace.elapsed_ms(),
            job: job.cloned(),
            detail,
        };
        self.trace.line(|| violation.to_string());
        self.book().violation.get_or_insert(violation);
        self.stopped.cancel();
    }

    fn check(&self, property: Property, job: &JobId, checked: Result<(), String>) {
        if let Err(detail) = checked {
            self.violated(property, Some(job), detail);
        }
    }

    pub(crate) fn violation(&self) -> Option<Violation> {
        self.book().violation.clone()
    }

    pub(crate) fn tally(&self) -> Tally {
        self.book().tally
    }

    /// What the store knows of its jobs, to be kept with a snapshot of it.
    pub(crate) fn history(&self) -> History {
        self.book().history.clone()
    }

    /// The store went back; this is another history from here on.
    pub(crate) fn rolled_back(&self, history: History) {
        self.book().history = history;
    }

    /// After each step of the store.
    pub(crate) fn counted(&self, counts: &Counts) {
        let known = self.book().history.len() as u64;
        let placed = counts.slots + counts.in_flight + counts.later + counts.held;
        if counts.registered != placed || counts.registered != known {
            let detail =
                format!("{known} jobs are registered by our count, the store has {counts:?}");
            self.violated(Property::Conserved, None, detail);
        }
    }

    pub(crate) fn with_history<T>(&self, with: impl FnOnce(&mut History) -> T) -> T {
        with(&mut self.book().history)
    }

    pub(crate) fn drained(&self, job: &JobId, token: Token) {
        let checked = self.book().history.drained(job, token);
        self.check(Property::DrainedAnew, job, checked);
    }

    pub(crate) fn accepted(&self, job: &JobId, token: Token) {
        let checked = {
            let mut book = self.book();
            book.tally.cycles += 1;
            book.history.accepted(job, token)
        };
        self.check(Property::AcceptedOnce, job, checked);
    }

    pub(crate) fn mended(&self, jobs: usize) {
        self.book().tally.repairs += jobs as u64;
        let detail = format!("the sweep mended the place of {jobs} jobs");
        self.violated(Property::NothingToMend, None, detail);
    }

    pub(crate) fn received(&self, receipt: &str, job: &JobId, token: Token, not_after_ms: i64) {
        self.book()
            .seen
            .received(receipt, job.clone(), token, not_after_ms);
    }

    /// A work message is deleted while a poll of it must not begin any more after
    /// `latest_poll_ms`.
    pub(crate) fn deleted(&self, receipt: &str, latest_not_after_ms: i64) {
        let checked = self.book().seen.deleted(receipt, latest_not_after_ms);
        if let Err(job) = checked {
            let detail = "its message is deleted, its completion is not stored".to_owned();
            self.violated(Property::CompletedFirst, Some(&job), detail);
        }
    }

    /// A completion is stored whose context says that all events up to `since` are published.
    pub(crate) fn completed(&self, job: &JobId, token: Token, account: &AccountId, since: u64) {
        let delivered = {
            let mut book = self.book();
            book.seen.completed(token);
            book.seen.delivered_through(account)
        };
        if since > delivered {
            let detail =
                format!("completed up to event {since}, delivered are those up to {delivered}");
            self.violated(Property::PublishedFirst, Some(job), detail);
        }
    }

    pub(crate) fn delivered(&self, account: &AccountId, number: u64) {
        let mut book = self.book();
        book.tally.events += 1;
        book.seen.delivered(account, number);
    }

    /// The last event of an account before the first gap.
    pub(crate) fn delivered_through(&self, account: &AccountId) -> u64 {
        self.book().seen.delivered_through(account)
    }
}
