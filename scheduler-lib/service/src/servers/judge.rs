//! A queue's settings, held against the channel's limits.

use std::time::Duration;

use polling_transport::sqs;
use scheduler_lib::{Limits, duration::text};

use super::{
    create::COMPLETED_MAX_RECEIVES,
    finding::Finding,
    queue::{QueueFound, Role},
};

/// Workers extend what they work on; a shorter visibility timeout ends before a pause of theirs.
const LEAST_VISIBILITY: Duration = Duration::from_secs(10);

/// A visibility timeout to advise.
const GOOD_VISIBILITY: Duration = Duration::from_secs(60);

/// From so many on, a payload that kills its worker takes no neighbour along.
const LEAST_RECEIVES: u32 = 3;

/// With fewer a short outage is enough to lose completions to the dead letters.
const LEAST_RECEIVES_OF_COMPLETED: u32 = 10;

/// Holds a queue's settings against the limits: a message's life is reckoned from its receives, so
/// a queue that allows more would outlive the job's time in flight.
pub(super) fn judge(role: &Role, found: &mut QueueFound, dead_letter: &str, limits: &Limits) {
    let work = matches!(role, Role::Work(_));
    let visibility = found.queue.visibility_timeout();
    found.message_life = work.then(|| limits.message_life(visibility));
    let name = found.queue.name();
    if visibility.is_zero() {
        found.problems.push(Finding::new(
            format!(
                "queue {name} has no visibility timeout: each message is received again and again; give it at least some seconds"
            ),
            format!("set its visibility timeout to {}", text(GOOD_VISIBILITY)),
        ));
    } else if work && visibility < LEAST_VISIBILITY {
        found.warnings.push(Finding::new(
            format!(
                "queue {name} has a visibility timeout of {}, much shorter than the work, limits.work is {}: a worker that stands still for that long has its job polled twice",
                text(visibility),
                text(limits.work)
            ),
            format!("set its visibility timeout to {}", text(GOOD_VISIBILITY)),
        ));
    }
    found.warnings.extend(judge_retention(found));
    if *role == Role::DeadLetter {
        if let Some(redrive) = &found.redrive {
            found.warnings.push(Finding::new(
                format!(
                    "queue {name} is a dead-letter queue and sends on to {}: the operator will miss what goes there",
                    redrive.dead_letter
                ),
                "take its redrive policy away",
            ));
        }
        return;
    }
    let (problems, warnings) = judge_redrive(role, found, dead_letter, limits);
    found.problems.extend(problems);
    found.warnings.extend(warnings);
}

/// A message that its queue gives up before its time is a job that nobody polls until it is reaped.
fn judge_retention(found: &QueueFound) -> Option<Finding> {
    let (retention, life) = (found.retention?, found.message_life?);
    (retention < life).then(|| {
        let name = found.queue.name();
        let what = format!(
            "queue {name} keeps a message for {}, though it may be polled for {} after its dispatch: what waits longer is lost, and its job comes back only when its time in flight is over",
            text(retention),
            text(life)
        );
        let good_s = sqs::DEFAULT_RETENTION.as_secs();
        Finding::new(what, format!("set its MessageRetentionPeriod to {good_s}"))
    })
}

/// Problems and warnings of where a queue sends what is received too often.
fn judge_redrive(
    role: &Role,
    found: &QueueFound,
    dead_letter: &str,
    limits: &Limits,
) -> (Vec<Finding>, Vec<Finding>) {
    let (mut problems, mut warnings) = (Vec::new(), Vec::new());
    let (name, most) = (found.queue.name(), limits.max_receives);
    let Some(redrive) = &found.redrive else {
        let what = format!(
            "queue {name} has no redrive policy: what no worker can finish comes back for ever; send it to {dead_letter} after {most} receives"
        );
        let mend = format!(
            "give it a redrive policy to {dead_letter} with maxReceiveCount {most}, or delete it and run `scheduler create-queues`"
        );
        warnings.push(Finding::new(what, mend));
        return (problems, warnings);
    };
    let received = redrive.max_receives;
    if redrive.dead_letter != dead_letter {
        let what = format!(
            "queue {name} sends dead letters to {}, but this channel reads {dead_letter}: set one or the other",
            redrive.dead_letter
        );
        let mend = format!(
            "point its redrive policy at {dead_letter}, or set queues.dead_letter to {}",
            redrive.dead_letter
        );
        problems.push(Finding::new(what, mend));
    }
    let work = matches!(role, Role::Work(_));
    if work && received > most {
        let what = format!(
            "queue {name} allows {received} receives, limits.max_receives is {most}: a message would outlive its job's time in flight; make them equal"
        );
        let mend =
            format!("set its maxReceiveCount to {most}, or limits.max_receives to {received}");
        problems.push(Finding::new(what, mend));
    } else if work && received < LEAST_RECEIVES {
        let what = format!(
            "queue {name} allows {received} receives: a job whose worker was killed has hardly another try, and takes neighbours along"
        );
        let mend = format!("set its maxReceiveCount to {LEAST_RECEIVES}, and limits.max_receives");
        warnings.push(Finding::new(what, mend));
    } else if !work && received < LEAST_RECEIVES_OF_COMPLETED {
        let what = format!(
            "queue {name} allows {received} receives: in an outage of the store each completion fails, and these become dead letters"
        );
        let mend = format!("set its maxReceiveCount to {COMPLETED_MAX_RECEIVES}");
        warnings.push(Finding::new(what, mend));
    }
    (problems, warnings)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use polling_model::SystemClock;
    use polling_transport::{QueueStats, memory::MemoryQueue};

    use super::{super::redrive::Redrive, *};

    fn judged(role: &Role, redrive: Option<(&str, u32)>) -> (Vec<String>, Vec<String>) {
        let mut found = QueueFound {
            queue: MemoryQueue::builder("jobs", Arc::new(SystemClock)).build(),
            stats: QueueStats::default(),
            redrive: redrive.map(|(name, max_receives)| Redrive {
                dead_letter: name.to_owned(),
                max_receives,
            }),
            retention: None,
            message_life: None,
            problems: Vec::new(),
            warnings: Vec::new(),
        };
        judge(role, &mut found, "dead", &Limits::default());
        let texts = |found: &[Finding]| found.iter().map(Finding::to_string).collect();
        (texts(&found.problems), texts(&found.warnings))
    }

    fn work() -> Role {
        Role::Work("posts".parse().unwrap())
    }

    #[test]
    fn settings_that_fit_say_nothing() {
        assert_eq!(judged(&work(), Some(("dead", 3))), (vec![], vec![]));
        assert_eq!(
            judged(&Role::Completed, Some(("dead", 10))),
            (vec![], vec![])
        );
        assert_eq!(judged(&Role::DeadLetter, None), (vec![], vec![]));
    }

    #[test]
    fn more_receives_than_the_limits_reckon_with_are_refused() {
        let (problems, _) = judged(&work(), Some(("dead", 4)));
        assert_eq!(
            problems,
            [
                "queue jobs allows 4 receives, limits.max_receives is 3: a message would outlive its job's time in flight; make them equal"
            ]
        );
    }

    #[test]
    fn dead_letters_that_nobody_would_read_are_refused() {
        let (problems, _) = judged(&work(), Some(("elsewhere", 3)));
        assert_eq!(
            problems,
            [
                "queue jobs sends dead letters to elsewhere, but this channel reads dead: set one or the other"
            ]
        );
    }

    #[test]
    fn a_missing_redrive_policy_is_a_warning() {
        let (problems, warnings) = judged(&work(), None);
        assert!(problems.is_empty());
        assert!(
            warnings[0].starts_with("queue jobs has no redrive policy"),
            "{warnings:?}"
        );
    }
}
