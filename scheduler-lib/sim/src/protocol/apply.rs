//! What each step does.

use super::{
    state::{
        Dispatch, HELD, IN_FLIGHT, Job, LATER, Of, Record, SLOT, Sending, Settling, State, Worker,
    },
    step::{Edit, Reply, Step},
    variant::{Property, Variant},
};

/// What a step led to.
pub(super) struct Applied {
    pub(super) state: State,
    pub(super) broken: Option<Property>,
}

/// Takes a step, and checks every property.
pub(super) fn apply(variant: Variant, before: &State, step: Step) -> Applied {
    let mut state = *before;
    let broken = take(variant, &mut state, step);
    let broken = broken.or_else(|| lost(variant, &state).then_some(Property::NeverLost));
    Applied { state, broken }
}

fn take(variant: Variant, state: &mut State, step: Step) -> Option<Property> {
    match step {
        Step::Drain { scheduler, job } => drain(variant, state, scheduler, job),
        Step::Send { scheduler, reply } => send(state, scheduler, reply),
        Step::Refuse { scheduler } => refuse(state, scheduler),
        Step::Postpone { scheduler, later } => postpone(state, scheduler, later),
        Step::StrikeOff { scheduler } => strike_off(state, scheduler),
        Step::Claim { scheduler, of } => claim(state, scheduler, of),
        Step::Receive { worker, of } => *at(&mut state.workers, worker) = Worker::Received(of),
        Step::Publish { worker } => publish(state, worker),
        Step::Complete { worker } => complete(state, worker),
        Step::Ack { worker } => return ack(state, worker),
        Step::Expire { worker } => *at(&mut state.workers, worker) = Worker::Idle,
        Step::Decide { scheduler, of } => {
            let revision = state.record(of.job).revision;
            at(&mut state.schedulers, scheduler).settling = Settling::Decided { of, revision };
        }
        Step::Settle { scheduler, later } => return settle(variant, state, scheduler, later),
        Step::DeadLetter { of, limit } => return dead_letter(variant, state, of, limit),
        Step::Reap { job } | Step::Promote { job } => state.record(job).places = SLOT,
        Step::Edit { job, edit } => change(state, job, edit),
        Step::CrashSending { scheduler } => {
            at(&mut state.schedulers, scheduler).sending = Sending::Idle;
        }
        Step::CrashSettling { scheduler } => {
            at(&mut state.schedulers, scheduler).settling = Settling::Idle;
        }
        Step::CrashWorker { worker } => {
            *at(&mut state.workers, worker) = Worker::Idle;
        }
        Step::Snapshot => state.snapshot = Some(state.jobs.map(|job| job.record)),
        Step::Rollback => roll_back(state),
    }
    None
}

fn at<T>(all: &mut [T], index: u8) -> &mut T {
    &mut all[usize::from(index)]
}

fn drain(variant: Variant, state: &mut State, scheduler: u8, job: u8) {
    let of = Of {
        job,
        dispatch: state.jobs[usize::from(job)].dispatched,
    };
    at(&mut state.jobs, job).dispatched += 1;
    let record = state.record(job);
    record.generation += 1;
    record.token = Some(of.dispatch);
    record.run_now = false;
    record.issued |= 1 << of.dispatch;
    if variant == Variant::PopThenSend {
        record.places = 0;
    } else {
        record.places = IN_FLIGHT;
        record.notes |= 1 << of.dispatch;
    }
    let (incarnation, generation) = (record.incarnation, record.generation);
    let dispatch = state.dispatch(of);
    (dispatch.incarnation, dispatch.generation) = (incarnation, generation);
    at(&mut state.schedulers, scheduler).sending = Sending::Drained(of);
}

fn send(state: &mut State, scheduler: u8, reply: Reply) {
    let sending = at(&mut state.schedulers, scheduler).sending;
    let Sending::Drained(of) = sending else {
        return;
    };
    if matches!(reply, Reply::Accepted | Reply::Lost) {
        state.dispatch(of).sent = true;
    }
    at(&mut state.schedulers, scheduler).sending = match reply {
        Reply::Accepted => Sending::Sent(of),
        Reply::Refused => Sending::Refused(of),
        Reply::Lost | Reply::Failed => Sending::Idle,
    };
}

/// Holds the job, unless it has moved on.
fn refuse(state: &mut State, scheduler: u8) {
    let sending = &mut at(&mut state.schedulers, scheduler).sending;
    let Sending::Refused(of) = *sending else {
        return;
    };
    *sending = Sending::Sent(of);
    let revision = next_revision(state, of.job);
    let record = state.record(of.job);
    if record.token == Some(of.dispatch) && record.is(IN_FLIGHT) {
        record.places = HELD;
        record.revision = revision;
        at(&mut state.jobs, of.job).revisions = revision;
    }
}

/// Places the job without a call, unless it has moved on. Its token is spent: to the checker as if it
/// were accepted.
fn postpone(state: &mut State, scheduler: u8, later: bool) {
    let sending = &mut at(&mut state.schedulers, scheduler).sending;
    let Sending::Drained(of) = *sending else {
        return;
    };
    *sending = Sending::Sent(of);
    let record = state.record(of.job);
    if record.token == Some(of.dispatch) && record.is(IN_FLIGHT) {
        record.token = None;
        record.accepted |= 1 << of.dispatch;
        record.last_accepted = record.generation;
        record.places = place_of(later, record.run_now);
        record.run_now = false;
    }
}

const fn place_of(later: bool, run_now: bool) -> u8 {
    if later && !run_now { LATER } else { SLOT }
}

fn next_revision(state: &mut State, job: u8) -> u8 {
    at(&mut state.jobs, job).revisions + 1
}

fn strike_off(state: &mut State, scheduler: u8) {
    let sending = &mut at(&mut state.schedulers, scheduler).sending;
    let Sending::Sent(of) = *sending else {
        return;
    };
    *sending = Sending::Idle;
    state.record(of.job).notes &= !(1 << of.dispatch);
}

/// Sends again what still waits for the noted dispatch; otherwise the note has done its duty.
fn claim(state: &mut State, scheduler: u8, of: Of) {
    let record = state.record(of.job);
    if record.token == Some(of.dispatch) && record.is(IN_FLIGHT) {
        at(&mut state.schedulers, scheduler).sending = Sending::Drained(of);
    } else {
        record.notes &= !(1 << of.dispatch);
    }
}

fn publish(state: &mut State, worker: u8) {
    let worker = at(&mut state.workers, worker);
    if let Worker::Received(of) = *worker {
        *worker = Worker::Published(of);
    }
}

fn complete(state: &mut State, worker: u8) {
    let worker = at(&mut state.workers, worker);
    let Worker::Published(of) = *worker else {
        return;
    };
    *worker = Worker::Completed(of);
    state.dispatch(of).completed = true;
}

/// The message goes for good; that is early while its completion is still waited for.
fn ack(state: &mut State, worker: u8) -> Option<Property> {
    let holder = std::mem::take(at(&mut state.workers, worker));
    let of = holder.of()?;
    let waits = state.record(of.job).token == Some(of.dispatch);
    let done = matches!(holder, Worker::Completed(_)) && state.dispatch(of).completed;
    (waits && !done).then_some(Property::NeverEarlyAcked)
}

/// What a settlement finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Accepted,
    /// The message stays, and is decided again on the record as it is now.
    Edited,
    Stale,
}

/// What a decision made on `revision` would find now.
pub(super) fn verdict(variant: Variant, state: &State, of: Of, revision: u8) -> Verdict {
    let record = &state.jobs[usize::from(of.job)].record;
    let compares = !matches!(
        variant,
        Variant::WithoutRevision | Variant::RescheduleFromMessage
    );
    if !token_fits(variant, record, of, state.dispatch_of(of)) {
        Verdict::Stale
    } else if compares && revision != record.revision {
        Verdict::Edited
    } else {
        Verdict::Accepted
    }
}

fn settle(variant: Variant, state: &mut State, scheduler: u8, later: bool) -> Option<Property> {
    let settling = std::mem::take(&mut at(&mut state.schedulers, scheduler).settling);
    let Settling::Decided { of, revision } = settling else {
        return None;
    };
    if verdict(variant, state, of, revision) != Verdict::Accepted {
        return None;
    }
    let dispatch = *state.dispatch(of);
    let record = state.record(of.job);
    // Held, a job stays so whatever was decided.
    let undone = revision != record.revision && !record.is(HELD);
    let broken = accept(variant, record, of, &dispatch, later);
    broken.or_else(|| undone.then_some(Property::EditsKept))
}

fn token_fits(variant: Variant, record: &Record, of: Of, dispatch: &Dispatch) -> bool {
    match variant {
        Variant::PopThenSend | Variant::LeaseWithoutToken => record.registered,
        Variant::GenerationOnly => {
            record.registered
                && record.token.is_some()
                && record.incarnation == dispatch.incarnation
                && record.generation == dispatch.generation
        }
        Variant::RescheduleFromMessage => !record.registered || record.token == Some(of.dispatch),
        Variant::Right | Variant::WithoutRevision | Variant::AckFirst => {
            record.registered && record.token == Some(of.dispatch)
        }
    }
}

fn accept(
    variant: Variant,
    record: &mut Record,
    of: Of,
    dispatch: &Dispatch,
    later: bool,
) -> Option<Property> {
    let bit = 1 << of.dispatch;
    let twice = record.accepted & bit != 0;
    let foreign = record.issued & bit == 0;
    let same_life = record.incarnation == dispatch.incarnation;
    let backwards = same_life && dispatch.generation <= record.last_accepted;
    let pause_ended = variant == Variant::RescheduleFromMessage && record.is(HELD);
    record.accepted |= bit;
    record.token = None;
    record.strikes = 0;
    if same_life {
        record.last_accepted = dispatch.generation;
    }
    if !record.is(HELD) || variant == Variant::RescheduleFromMessage {
        record.places = place_of(later, record.run_now);
    }
    record.run_now = false;
    if twice || foreign || backwards {
        Some(Property::NeverForked)
    } else {
        pause_ended.then_some(Property::EditsKept)
    }
}

/// To the store a dead letter is a completion that keeps the context, and a strike: the last one
/// holds the job. It is a strike although its token is stale, unless it is of another life.
fn dead_letter(variant: Variant, state: &mut State, of: Of, limit: u8) -> Option<Property> {
    let dispatch = *state.dispatch(of);
    let record = state.record(of.job);
    if !record.registered || record.incarnation != dispatch.incarnation {
        return None;
    }
    let strikes = limit.min(record.strikes + 1);
    let broken = if record.token == Some(of.dispatch) {
        accept(variant, record, of, &dispatch, false)
    } else {
        None
    };
    record.strikes = strikes;
    if strikes == limit {
        record.places = HELD;
    }
    broken
}

fn change(state: &mut State, job: u8, edit: Edit) {
    state.edits -= 1;
    let incarnations = &mut at(&mut state.jobs, job).incarnations;
    if matches!(edit, Edit::ReplaceContext | Edit::Register) {
        *incarnations += 1;
    }
    let incarnation = *incarnations;
    let revision = next_revision(state, job);
    at(&mut state.jobs, job).revisions = revision;
    let record = state.record(job);
    record.revision = revision;
    match edit {
        Edit::Pause => record.places = HELD,
        Edit::Resume => {
            record.places = SLOT;
            record.strikes = 0;
        }
        Edit::Update => {
            if record.is(SLOT) || record.is(LATER) {
                record.places = SLOT;
            }
        }
        Edit::ReplaceContext => {
            record.begin_incarnation(incarnation);
            if !record.is(HELD) {
                record.places = SLOT;
            }
        }
        Edit::RunNow => {
            if record.is(IN_FLIGHT) {
                record.run_now = true;
            } else {
                if record.is(HELD) {
                    record.strikes = 0;
                }
                record.places = SLOT;
            }
        }
        Edit::Remove => remove(record),
        Edit::Register => {
            record.registered = true;
            record.begin_incarnation(incarnation);
            record.places = SLOT;
        }
    }
}

/// Notes stay: whoever claims one finds no record. So does what the checker knows.
fn remove(record: &mut Record) {
    *record = Record {
        notes: record.notes,
        issued: record.issued,
        accepted: record.accepted,
        ..Record::default()
    };
}

/// The store forgets its last writes; queues, workers and schedulers do not.
fn roll_back(state: &mut State) {
    state.rollbacks -= 1;
    let Some(records) = state.snapshot.take() else {
        return;
    };
    for (job, record) in state.jobs.iter_mut().zip(records) {
        job.record = record;
    }
}

/// A place is one of the store's indexes. Who pops jobs has none for those in flight: there the
/// message, or the process that has the job in memory, must do.
fn lost(variant: Variant, state: &State) -> bool {
    state.jobs.iter().enumerate().any(|(index, job)| {
        let places = job.record.places.count_ones();
        let carried = variant == Variant::PopThenSend && places == 0 && carried(state, index);
        match (job.record.registered, places) {
            (true, 1) | (false, 0) => false,
            _ => !carried,
        }
    })
}

fn carried(state: &State, index: usize) -> bool {
    let on_queues = |job: &Job| job.dispatches.iter().any(|dispatch| dispatch.sent);
    let sends = |sending| matches!(sending, Sending::Drained(of) if usize::from(of.job) == index);
    on_queues(&state.jobs[index]) || state.schedulers.iter().any(|one| sends(one.sending))
}
