//! What an operator may do about a job.

use super::{Explanation, Whereabouts, time};
use crate::store::Hold;

/// A job that is due for longer waits for schedulers, not for its time.
const OVERDUE_MS: i64 = 300_000;

/// So many failed polls in a row are no accident.
const MANY_FAILURES: u32 = 3;

pub(super) fn advice(job: &Explanation) -> Vec<String> {
    let mut advice = Vec::new();
    of_place(job, &mut advice);
    let held = matches!(job.place, Whereabouts::Held { .. });
    if !held && job.failed_polls >= MANY_FAILURES {
        advice.push(format!(
            "{} polls in a row failed. Look at the error above: most often the account's access has \
             ended or the channel has trouble. It is tried ever more seldom until a poll succeeds; \
             once the cause is mended, ask for a poll at once (run-now).",
            job.failed_polls
        ));
    }
    if !held && job.unfinished > 0 {
        advice.push(format!(
            "Workers gave up on {} of its messages in a row. Look at the workers' logs: they crash \
             on it, or need longer than the queue lets them.",
            job.unfinished
        ));
    }
    if !held {
        of_limits(job, &mut advice);
    }
    if let Some(error) = &job.limits_unknown {
        advice.push(format!(
            "How the limits stand cannot be told ({error}). Mend that first: while it lasts, no job \
             that counts in a limit is sent."
        ));
    }
    advice
}

fn of_place(job: &Explanation, advice: &mut Vec<String>) {
    if job.rules.is_none() {
        advice.push(format!(
            "The channel's configuration knows no job type {}. Add it, or remove the job; if it is \
             held by then, resume it.",
            job.job_type
        ));
    }
    match job.place {
        Whereabouts::Waits { due_ms } => {
            let late_ms = job.now_ms.saturating_sub(due_ms);
            if late_ms > OVERDUE_MS {
                advice.push(format!(
                    "It should have been sent {} ago. Look whether a scheduler of this channel runs \
                     and whether it keeps up.",
                    time::length(late_ms)
                ));
            }
        }
        Whereabouts::InFlight { until_ms, .. } if until_ms < job.now_ms => advice.push(
            "The time for an answer is over, so it is placed anew within a minute. If that repeats, \
             look whether workers run and reach the queues."
                .to_owned(),
        ),
        Whereabouts::InFlight { .. } => {}
        Whereabouts::Held { hold, .. } => advice.push(held(hold).to_owned()),
    }
}

const fn held(hold: Hold) -> &'static str {
    match hold {
        Hold::Paused => {
            "It is paused until somebody resumes it (resume); it is then due at once. To poll it \
             once more and for good, run-now does the same."
        }
        Hold::Parked => {
            "What it polls is gone, by the rules for the error above. Remove the job, or resume it \
             if the account is back."
        }
        Hold::Quarantined => {
            "Its messages end in the dead-letter queue: workers take them and never finish. Find out \
             why in the workers' logs, around the times above, and mend it; then resume the job."
        }
        Hold::Refused => {
            "Its message could not be put into a work queue, for the reason above. Mend that; then \
             resume the job."
        }
    }
}

fn of_limits(job: &Explanation, advice: &mut Vec<String>) {
    if job
        .limits
        .iter()
        .any(|limit| limit.refused_until_ms > Some(job.now_ms))
    {
        advice.push(
            "The channel refuses calls; all jobs in that limit wait, and then one tries first. If it \
             happens often, somebody else uses up the limit: leave them more (cushion), or tell the \
             scheduler the true limit (scopes in the job type's rules)."
                .to_owned(),
        );
    }
    let exhausted = |left: u64, cushion: u64| left <= cushion;
    let windows = job.limits.iter().flat_map(|limit| &limit.windows);
    if windows.clone().any(|one| exhausted(one.left, one.cushion)) {
        advice.push(
            "What is left of a limit is kept for others. A smaller cushion, for this job or its \
             type, lets it use more."
                .to_owned(),
        );
    }
    let price = job.rules.and_then(|rules| rules.price_minutes);
    let worth = job.rules.and_then(|rules| rules.worth_minutes);
    if price > worth && worth.is_some() {
        advice.push(
            "There are fewer calls than the jobs of its limits want, so all of them are polled less \
             often. To have this one earlier, boost or pin it, or give it a level of more weight; to help all, lengthen \
             intervals or have the limit raised."
                .to_owned(),
        );
    }
}
