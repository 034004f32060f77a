//! Everything that the model remembers at one instant.

use super::bounds::{Bounds, MAX_ACTORS, MAX_DISPATCHES, MAX_JOBS};

/// Indexes of a job's place, one bit each. The record's own field cannot be in two places; the
/// indexes can, so they are what is checked.
pub(super) const SLOT: u8 = 1;
pub(super) const IN_FLIGHT: u8 = 2;
pub(super) const LATER: u8 = 4;
pub(super) const HELD: u8 = 8;

/// One job's record in the store, with what only the checker knows. A rollback takes back all of
/// it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Record {
    pub(super) registered: bool,
    pub(super) incarnation: u8,
    pub(super) generation: u8,
    /// The dispatch whose completion would be accepted: its number stands for its nonce.
    pub(super) token: Option<u8>,
    /// The last edit's number: it stands for the random one that each edit draws.
    pub(super) revision: u8,
    /// Dead letters without a completion between.
    pub(super) strikes: u8,
    pub(super) run_now: bool,
    pub(super) places: u8,
    /// Dispatches noted as sending, one bit each.
    pub(super) notes: u8,
    /// Checker: dispatches drained in this history, one bit each.
    pub(super) issued: u8,
    /// Checker: dispatches accepted in this history, one bit each.
    pub(super) accepted: u8,
    /// Checker: the last generation accepted in this incarnation.
    pub(super) last_accepted: u8,
}

impl Record {
    pub(super) fn begin_incarnation(&mut self, incarnation: u8) {
        self.incarnation = incarnation;
        self.generation = 0;
        self.token = None;
        self.run_now = false;
        self.strikes = 0;
        self.last_accepted = 0;
    }

    pub(super) const fn is(&self, place: u8) -> bool {
        self.places & place != 0
    }
}

/// One dispatch and its messages. Queues do not roll back, and a message that was once on a queue
/// may come from there for ever: again because nobody deleted it in time, again because it was sent
/// twice, again although it was deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Dispatch {
    pub(super) incarnation: u8,
    pub(super) generation: u8,
    /// Its message was on the work queue.
    pub(super) sent: bool,
    /// Its completion was on the completed queue.
    pub(super) completed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Job {
    pub(super) record: Record,
    pub(super) dispatches: [Dispatch; MAX_DISPATCHES],
    /// Dispatches so far, over all histories.
    pub(super) dispatched: u8,
    /// Incarnations so far, over all histories: they are random, so that none comes twice.
    pub(super) incarnations: u8,
    /// The same of revisions.
    pub(super) revisions: u8,
}

/// One dispatch of one job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Of {
    pub(super) job: u8,
    pub(super) dispatch: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub(super) enum Sending {
    #[default]
    Idle,
    Drained(Of),
    Sent(Of),
    Refused(Of),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub(super) enum Settling {
    #[default]
    Idle,
    Decided {
        of: Of,
        /// The record's, when the decision was made.
        revision: u8,
    },
}

/// A scheduler's two loops. Its reaper takes single steps and remembers nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub(super) struct Scheduler {
    pub(super) sending: Sending,
    pub(super) settling: Settling,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub(super) enum Worker {
    #[default]
    Idle,
    Received(Of),
    Published(Of),
    Completed(Of),
}

impl Worker {
    pub(super) const fn of(self) -> Option<Of> {
        match self {
            Self::Idle => None,
            Self::Received(of) | Self::Published(of) | Self::Completed(of) => Some(of),
        }
    }
}

/// The whole of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct State {
    pub(super) jobs: [Job; MAX_JOBS],
    pub(super) schedulers: [Scheduler; MAX_ACTORS],
    pub(super) workers: [Worker; MAX_ACTORS],
    pub(super) snapshot: Option<[Record; MAX_JOBS]>,
    pub(super) rollbacks: u8,
    pub(super) edits: u8,
}

impl State {
    /// All jobs registered and waiting in a slot.
    pub(super) fn first(bounds: &Bounds) -> Self {
        let mut jobs = [Job::default(); MAX_JOBS];
        for job in jobs.iter_mut().take(bounds.jobs.into()) {
            job.record.registered = true;
            job.record.begin_incarnation(1);
            job.record.places = SLOT;
            job.incarnations = 1;
        }
        Self {
            jobs,
            schedulers: [Scheduler::default(); MAX_ACTORS],
            workers: [Worker::default(); MAX_ACTORS],
            snapshot: None,
            rollbacks: bounds.rollbacks,
            edits: bounds.edits,
        }
    }

    pub(super) fn record(&mut self, job: u8) -> &mut Record {
        &mut self.jobs[usize::from(job)].record
    }

    pub(super) fn dispatch(&mut self, of: Of) -> &mut Dispatch {
        &mut self.jobs[usize::from(of.job)].dispatches[usize::from(of.dispatch)]
    }

    pub(super) const fn dispatch_of(&self, of: Of) -> &Dispatch {
        &self.jobs[of.job as usize].dispatches[of.dispatch as usize]
    }

    /// The one state that stands for all that differ only in what nobody can tell apart: which of
    /// two schedulers or workers does something. A scheduler's two loops share nothing, so each
    /// loop is sorted by itself.
    pub(super) fn canonical(mut self, bounds: &Bounds) -> Self {
        let mut settling = self.schedulers.map(|one| one.settling);
        let schedulers = &mut self.schedulers[..bounds.schedulers.into()];
        schedulers.sort_unstable_by_key(|one| one.sending);
        settling[..schedulers.len()].sort_unstable();
        for (scheduler, settling) in schedulers.iter_mut().zip(settling) {
            scheduler.settling = settling;
        }
        self.workers[..bounds.workers.into()].sort_unstable();
        self
    }
}
