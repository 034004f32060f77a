//! What can happen next.

use super::{
    bounds::Bounds,
    state::{HELD, IN_FLIGHT, LATER, Of, SLOT, Sending, Settling, State, Worker},
    variant::Variant,
};

/// How a send ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reply {
    /// The queue has the message, and says so.
    Accepted,
    /// The queue has the message, but its answer is lost.
    Lost,
    /// The queue has no message, and the sender knows nothing.
    Failed,
    /// The queue will never take it.
    Refused,
}

impl Reply {
    const ALL: [Self; 4] = [Self::Accepted, Self::Lost, Self::Failed, Self::Refused];
}

/// A change by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edit {
    Pause,
    Resume,
    Update,
    ReplaceContext,
    RunNow,
    Remove,
    Register,
}

/// One atomic step. Actors and jobs are numbered from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Drain { scheduler: u8, job: u8 },
    Send { scheduler: u8, reply: Reply },
    Refuse { scheduler: u8 },
    Postpone { scheduler: u8, later: bool },
    StrikeOff { scheduler: u8 },
    Claim { scheduler: u8, of: Of },
    Receive { worker: u8, of: Of },
    Publish { worker: u8 },
    Complete { worker: u8 },
    Ack { worker: u8 },
    Expire { worker: u8 },
    Decide { scheduler: u8, of: Of },
    Settle { scheduler: u8, later: bool },
    DeadLetter { of: Of, limit: u8 },
    Reap { job: u8 },
    Promote { job: u8 },
    Edit { job: u8, edit: Edit },
    CrashSending { scheduler: u8 },
    CrashSettling { scheduler: u8 },
    CrashWorker { worker: u8 },
    Snapshot,
    Rollback,
}

impl Step {
    /// Whether something goes wrong in it, or somebody edits: what a job must not need to go on.
    pub(super) const fn is_fault(self) -> bool {
        matches!(
            self,
            Self::Send {
                reply: Reply::Lost | Reply::Failed | Reply::Refused,
                ..
            } | Self::Postpone { .. }
                | Self::Expire { .. }
                | Self::DeadLetter { .. }
                | Self::Edit { .. }
                | Self::CrashSending { .. }
                | Self::CrashSettling { .. }
                | Self::CrashWorker { .. }
                | Self::Snapshot
                | Self::Rollback
        )
    }

    /// Whether everyday work has no such step.
    pub(super) const fn is_unusual(self) -> bool {
        !matches!(
            self,
            Self::Drain { .. }
                | Self::Send {
                    reply: Reply::Accepted,
                    ..
                }
                | Self::StrikeOff { .. }
                | Self::Receive { .. }
                | Self::Publish { .. }
                | Self::Complete { .. }
                | Self::Ack { .. }
                | Self::Decide { .. }
                | Self::Settle { .. }
                | Self::Promote { .. }
        )
    }
}

/// The steps that can follow a state.
pub(super) struct Steps<'a> {
    pub(super) bounds: &'a Bounds,
    pub(super) variant: Variant,
}

impl Steps<'_> {
    /// Adds every step that `state` allows to `steps`, always in the same order.
    pub(super) fn after(&self, state: &State, steps: &mut Vec<Step>) {
        let is_busy = |at: &u8| state.workers[usize::from(*at)] != Worker::Idle;
        if let Some(worker) = (0..self.bounds.workers).find(is_busy)
            && !self.bounds.every_order
        {
            return self.of_worker(state, worker, steps);
        }
        for scheduler in 0..self.bounds.schedulers {
            self.of_sending(state, scheduler, steps);
            self.of_settling(state, scheduler, steps);
        }
        for worker in 0..self.bounds.workers {
            self.of_worker(state, worker, steps);
        }
        for job in 0..self.bounds.jobs {
            of_store(state, job, steps);
            of_hands(state, job, steps);
        }
        self.of_faults(state, steps);
        if self.bounds.strikes > 0 {
            let limit = self.bounds.strikes;
            let sent = self
                .dispatches(state)
                .filter(|of| state.dispatch_of(*of).sent);
            steps.extend(sent.map(|of| Step::DeadLetter { of, limit }));
        }
    }

    fn dispatches<'s>(&self, state: &'s State) -> impl Iterator<Item = Of> + use<'s> {
        (0..self.bounds.jobs).flat_map(|job| {
            (0..state.jobs[usize::from(job)].dispatched).map(move |dispatch| Of { job, dispatch })
        })
    }

    fn of_sending(&self, state: &State, scheduler: u8, steps: &mut Vec<Step>) {
        match state.schedulers[usize::from(scheduler)].sending {
            Sending::Idle => {
                for job in 0..self.bounds.jobs {
                    let of = &state.jobs[usize::from(job)];
                    if of.record.is(SLOT) && of.dispatched < self.bounds.dispatches {
                        steps.push(Step::Drain { scheduler, job });
                    }
                }
                for of in self.dispatches(state) {
                    let record = &state.jobs[usize::from(of.job)].record;
                    if record.notes & (1 << of.dispatch) != 0 {
                        steps.push(Step::Claim { scheduler, of });
                    }
                }
            }
            Sending::Drained(_) => {
                // Who pops a job puts it back when he knows that it was not sent: no step of its
                // own.
                let replies = if self.variant == Variant::PopThenSend {
                    2
                } else {
                    4
                };
                let replies = Reply::ALL.into_iter().take(replies);
                steps.extend(replies.map(|reply| Step::Send { scheduler, reply }));
                // Without a token nobody could tell whether it is still that dispatch's to place.
                if !matches!(
                    self.variant,
                    Variant::PopThenSend | Variant::LeaseWithoutToken
                ) {
                    let postpone = |later| Step::Postpone { scheduler, later };
                    steps.extend([false, true].map(postpone));
                }
            }
            Sending::Refused(_) => steps.push(Step::Refuse { scheduler }),
            Sending::Sent(_) => steps.push(Step::StrikeOff { scheduler }),
        }
    }

    fn of_settling(&self, state: &State, scheduler: u8, steps: &mut Vec<Step>) {
        match state.schedulers[usize::from(scheduler)].settling {
            Settling::Idle => {
                let waiting = self
                    .dispatches(state)
                    .filter(|of| state.dispatch_of(*of).completed);
                steps.extend(waiting.map(|of| Step::Decide { scheduler, of }));
            }
            Settling::Decided { .. } => {
                steps.extend([false, true].map(|later| Step::Settle { scheduler, later }));
            }
        }
    }

    fn of_worker(&self, state: &State, worker: u8, steps: &mut Vec<Step>) {
        match state.workers[usize::from(worker)] {
            Worker::Idle => {
                let waiting = self
                    .dispatches(state)
                    .filter(|of| state.dispatch_of(*of).sent);
                steps.extend(waiting.map(|of| Step::Receive { worker, of }));
            }
            Worker::Received(_) if self.variant == Variant::AckFirst => {
                steps.push(Step::Ack { worker });
            }
            Worker::Received(_) => {
                steps.extend([Step::Publish { worker }, Step::Expire { worker }]);
            }
            Worker::Published(_) => steps.push(Step::Complete { worker }),
            Worker::Completed(_) => steps.push(Step::Ack { worker }),
        }
        if state.workers[usize::from(worker)] != Worker::Idle {
            steps.push(Step::CrashWorker { worker });
        }
    }

    fn of_faults(&self, state: &State, steps: &mut Vec<Step>) {
        for scheduler in 0..self.bounds.schedulers {
            let loops = state.schedulers[usize::from(scheduler)];
            if loops.sending != Sending::Idle {
                steps.push(Step::CrashSending { scheduler });
            }
            if loops.settling != Settling::Idle {
                steps.push(Step::CrashSettling { scheduler });
            }
        }
        if state.rollbacks > 0 {
            steps.push(match state.snapshot {
                None => Step::Snapshot,
                Some(_) => Step::Rollback,
            });
        }
    }
}

fn of_store(state: &State, job: u8, steps: &mut Vec<Step>) {
    let record = &state.jobs[usize::from(job)].record;
    if record.is(IN_FLIGHT) {
        steps.push(Step::Reap { job });
    }
    if record.is(LATER) {
        steps.push(Step::Promote { job });
    }
}

fn of_hands(state: &State, job: u8, steps: &mut Vec<Step>) {
    if state.edits == 0 {
        return;
    }
    let record = &state.jobs[usize::from(job)].record;
    let mut push = |edit| steps.push(Step::Edit { job, edit });
    if !record.registered {
        return push(Edit::Register);
    }
    push(if record.is(HELD) {
        Edit::Resume
    } else {
        Edit::Pause
    });
    for edit in [
        Edit::Update,
        Edit::ReplaceContext,
        Edit::RunNow,
        Edit::Remove,
    ] {
        push(edit);
    }
}
