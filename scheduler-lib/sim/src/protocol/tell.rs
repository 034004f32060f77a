//! Steps and states in words.

use super::{
    apply::{Verdict, verdict},
    search::Search,
    state::{HELD, IN_FLIGHT, Job, LATER, Of, Record, SLOT, Sending, Settling, State},
    step::{Edit, Reply, Step},
    variant::Variant,
};

/// A job's name.
fn name(job: u8) -> char {
    char::from(b'A' + job)
}

/// A dispatch's name: its job, and its number over all histories.
fn token(of: Of) -> String {
    format!("{}#{}", name(of.job), of.dispatch + 1)
}

/// Who does what in a step.
pub(super) fn told(variant: Variant, before: &State, after: &State, step: Step) -> String {
    match step {
        Step::Drain { .. }
        | Step::Send { .. }
        | Step::Refuse { .. }
        | Step::Postpone { .. }
        | Step::StrikeOff { .. }
        | Step::Claim { .. } => told_of_sending(before, after, step),
        Step::Decide { scheduler, of } => format!(
            "scheduler {} reads the completion of {} and decides",
            scheduler + 1,
            token(of)
        ),
        Step::DeadLetter { of, .. } => {
            format!("the dead letter of {} is settled: a strike", token(of))
        }
        Step::Settle { scheduler, .. } => told_of_settling(variant, before, scheduler),
        Step::Receive { .. }
        | Step::Publish { .. }
        | Step::Complete { .. }
        | Step::Ack { .. }
        | Step::Expire { .. } => told_of_worker(before, step),
        Step::Reap { job } => format!("the reaper finds {} past its deadline", name(job)),
        Step::Promote { job } => format!("the cursor comes within reach of {}", name(job)),
        Step::Edit { job, edit } => format!("by hand: {} {}", edited(edit), name(job)),
        Step::CrashSending { scheduler } | Step::CrashSettling { scheduler } => {
            format!("scheduler {} crashes", scheduler + 1)
        }
        Step::CrashWorker { worker } => format!("worker {} crashes", worker + 1),
        Step::Snapshot => "the replica has all of the store up to here".to_owned(),
        Step::Rollback => "the store fails over to the replica".to_owned(),
    }
}

const fn edited(edit: Edit) -> &'static str {
    match edit {
        Edit::Pause => "pause",
        Edit::Resume => "resume",
        Edit::Update => "update",
        Edit::ReplaceContext => "replace the context of",
        Edit::RunNow => "run now",
        Edit::Remove => "remove",
        Edit::Register => "register",
    }
}

fn told_of_sending(before: &State, after: &State, step: Step) -> String {
    match step {
        Step::Drain { scheduler, job } => {
            let dispatch = before.jobs[usize::from(job)].dispatched;
            let generation = after.jobs[usize::from(job)].record.generation;
            let of = token(Of { job, dispatch });
            let scheduler = scheduler + 1;
            format!(
                "scheduler {scheduler} drains {}: {of}, generation {generation}",
                name(job)
            )
        }
        Step::Send { scheduler, reply } => {
            let sending = before.schedulers[usize::from(scheduler)].sending;
            let (Sending::Drained(of) | Sending::Sent(of) | Sending::Refused(of)) = sending else {
                return String::new();
            };
            let end = match reply {
                Reply::Accepted => "accepted",
                Reply::Lost => "accepted, but the reply is lost",
                Reply::Failed => "failed, as far as anybody knows",
                Reply::Refused => "refused for good",
            };
            format!("scheduler {} sends {}: {end}", scheduler + 1, token(of))
        }
        Step::Refuse { scheduler } => format!("scheduler {} holds what was refused", scheduler + 1),
        Step::Postpone { scheduler, .. } => {
            format!("scheduler {} postpones what it drained", scheduler + 1)
        }
        Step::StrikeOff { scheduler } => {
            format!("scheduler {} strikes it off its note", scheduler + 1)
        }
        Step::Claim { scheduler, of } => {
            format!(
                "scheduler {} claims the overdue note of {}",
                scheduler + 1,
                token(of)
            )
        }
        _ => String::new(),
    }
}

fn told_of_settling(variant: Variant, before: &State, scheduler: u8) -> String {
    let settling = before.schedulers[usize::from(scheduler)].settling;
    let Settling::Decided { of, revision } = settling else {
        return String::new();
    };
    let verdict = match verdict(variant, before, of, revision) {
        Verdict::Accepted => "accepted",
        Verdict::Edited => "edited since, to be decided again",
        Verdict::Stale => "stale",
    };
    format!(
        "scheduler {} settles {}: {verdict}",
        scheduler + 1,
        token(of)
    )
}

fn told_of_worker(before: &State, step: Step) -> String {
    let of = |worker: u8| {
        before.workers[usize::from(worker)]
            .of()
            .map_or_else(String::new, token)
    };
    match step {
        Step::Receive { worker, of } => format!("worker {} receives {}", worker + 1, token(of)),
        Step::Publish { worker } => {
            format!(
                "worker {} polls for {} and publishes",
                worker + 1,
                of(worker)
            )
        }
        Step::Complete { worker } => {
            format!(
                "worker {} stores the completion of {}",
                worker + 1,
                of(worker)
            )
        }
        Step::Ack { worker } => {
            format!(
                "worker {} deletes the message of {}",
                worker + 1,
                of(worker)
            )
        }
        Step::Expire { worker } => {
            format!("worker {} drops {}, past its time", worker + 1, of(worker))
        }
        _ => String::new(),
    }
}

/// Where the jobs and their messages are.
pub(super) fn situation(search: &Search, state: &State) -> String {
    let jobs = state.jobs.iter().take(search.bounds.jobs.into());
    let parts: Vec<String> = jobs
        .enumerate()
        .map(|(index, job)| situation_of(index as u8, job))
        .collect();
    parts.join(" | ")
}

fn situation_of(index: u8, job: &Job) -> String {
    let mut text = format!("{} {}", name(index), place(&job.record));
    for dispatch in 0..job.dispatched {
        let of = token(Of {
            job: index,
            dispatch,
        });
        let messages = &job.dispatches[usize::from(dispatch)];
        if messages.completed {
            text.push_str(&format!("; {of} completed"));
        } else if messages.sent {
            text.push_str(&format!("; {of} sent"));
        }
    }
    text
}

fn place(record: &Record) -> String {
    let places: Vec<&str> = [
        (SLOT, "in a slot"),
        (IN_FLIGHT, "in flight"),
        (LATER, "later"),
        (HELD, "held"),
    ]
    .into_iter()
    .filter(|(place, _)| record.is(*place))
    .map(|(_, name)| name)
    .collect();
    let place = if places.is_empty() {
        "nowhere".to_owned()
    } else {
        places.join(" and ")
    };
    match (record.registered, places.is_empty()) {
        (false, true) => "removed".to_owned(),
        (false, false) => format!("removed, yet {place}"),
        (true, _) => place,
    }
}
