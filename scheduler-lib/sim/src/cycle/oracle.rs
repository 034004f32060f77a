//! The judge: it sees every effect on the store, the queues and the bus, and nothing else.

mod bucket;
mod history;
mod meter;
mod seen;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use polling_model::{AccountId, JobId, Token};
use scheduler_lib::store::Counts;
use tokio_util::sync::CancellationToken;

use self::{bucket::Bucket, meter::Meter, seen::Seen};
pub(crate) use self::{history::History, meter::Spans};
use super::{
    measures::Measures,
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

#[derive(Debug)]
struct Book {
    /// Goes back when the store does.
    history: History,
    /// Never goes back.
    seen: Seen,
    meter: Meter,
    bucket: Bucket,
    violation: Option<Violation>,
}

/// What the oracle is told of a run before it begins.
#[derive(Debug)]
pub(crate) struct Terms {
    /// Most jobs dispatched a second by one scheduler.
    pub(crate) dispatch_per_s: u32,
    pub(crate) schedulers: u64,
    pub(crate) spans: Spans,
}

impl Oracle {
    pub(crate) fn new(trace: Arc<Trace>, terms: Terms) -> Self {
        let book = Book {
            history: History::default(),
            seen: Seen::default(),
            meter: Meter::new(terms.spans),
            bucket: Bucket::new(terms.dispatch_per_s, terms.schedulers, trace.now_ms()),
            violation: None,
        };
        Self {
            book: Mutex::new(book),
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

    /// What the run amounts to so far.
    pub(crate) fn measures(&self) -> Measures {
        self.book().meter.read()
    }

    /// Counts what nothing is checked by.
    pub(crate) fn measure(&self, count: impl FnOnce(&mut Measures)) {
        count(&mut self.book().meter.measures);
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

    pub(crate) fn registered(&self, job: &JobId) {
        self.book().meter.registered(job, self.trace.now_ms());
    }

    /// A scheduler starts anew, or its clock jumps.
    pub(crate) fn scheduler_renewed(&self) {
        self.book().bucket.renewed();
    }

    /// A chunk left its slot.
    pub(crate) fn dispatched(&self, jobs: usize) {
        let (jobs, now_ms) = (jobs as u64, self.trace.now_ms());
        let checked = {
            let mut book = self.book();
            book.meter.dispatched(jobs, now_ms);
            book.bucket.dispatched(jobs, now_ms)
        };
        if let Err(detail) = checked {
            self.violated(Property::DispatchCapped, None, detail);
        }
    }

    /// A poll begins, of a job that was due at `due_ms`.
    pub(crate) fn polled(&self, job: &JobId, token: Token, due_ms: i64) {
        let now_ms = self.trace.now_ms();
        self.book().meter.polled(job, token, due_ms, now_ms);
    }

    pub(crate) fn drained(&self, job: &JobId, token: Token) {
        let checked = self.book().history.drained(job, token);
        self.check(Property::DrainedAnew, job, checked);
    }

    pub(crate) fn accepted(&self, job: &JobId, token: Token) {
        let checked = {
            let mut book = self.book();
            book.meter.accepted(token);
            book.history.accepted(job, token)
        };
        self.check(Property::AcceptedOnce, job, checked);
    }

    /// It was not sent: its token is as spent as if it were accepted.
    pub(crate) fn postponed(&self, job: &JobId, token: Token) {
        let checked = self.book().history.accepted(job, token);
        self.check(Property::AcceptedOnce, job, checked);
    }

    pub(crate) fn mended(&self, jobs: usize) {
        self.measure(|measures| measures.repairs += jobs as u64);
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
        book.meter.measures.events += 1;
        book.seen.delivered(account, number);
    }

    /// The last event of an account before the first gap.
    pub(crate) fn delivered_through(&self, account: &AccountId) -> u64 {
        self.book().seen.delivered_through(account)
    }
}
