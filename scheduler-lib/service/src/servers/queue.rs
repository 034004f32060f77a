//! A channel's queues: found, and their settings held against the channel's limits.

use std::{fmt, time::Duration};

use futures_util::future::join_all;
use polling_model::{ChannelId, JobType};
use polling_transport::{QueueStats, SharedQueue};
use scheduler_lib::{Limits, duration::text};

use super::{
    create::COMPLETED_MAX_RECEIVES, finding::Finding, redrive::Redrive, transport::Transport,
};
use crate::config::{ChannelConfig, QueueNames};

/// Workers extend what they work on; a shorter visibility timeout ends before a pause of theirs.
const LEAST_VISIBILITY: Duration = Duration::from_secs(10);

/// A visibility timeout to advise.
const GOOD_VISIBILITY: Duration = Duration::from_secs(60);

/// From so many on, a payload that kills its worker takes no neighbour along.
const LEAST_RECEIVES: u32 = 3;

/// With fewer a short outage is enough to lose completions to the dead letters.
const LEAST_RECEIVES_OF_COMPLETED: u32 = 10;

/// What a queue is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Jobs of a type.
    Work(JobType),
    /// Completions.
    Completed,
    /// What was received too often.
    DeadLetter,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Work(job_type) => write!(f, "work {job_type}"),
            Self::Completed => f.write_str("completed"),
            Self::DeadLetter => f.write_str("dead letter"),
        }
    }
}

/// One queue of a channel.
#[derive(Debug)]
pub struct QueuePart {
    /// What it is for.
    pub role: Role,
    /// Its name.
    pub name: String,
    /// The queue, or why it cannot be used.
    pub found: Result<QueueFound, Finding>,
}

impl QueuePart {
    /// Everything that keeps the queue from being used.
    pub(super) fn problems(&self) -> Vec<Finding> {
        match &self.found {
            Ok(queue) => queue.problems.clone(),
            Err(problem) => vec![problem.clone()],
        }
    }
}

/// A queue that answers.
#[derive(Debug)]
pub struct QueueFound {
    /// The queue.
    pub queue: SharedQueue,
    /// How much is in it.
    pub stats: QueueStats,
    /// Where it sends what is received too often.
    pub redrive: Option<Redrive>,
    /// For a work queue, how long after its dispatch a message may be polled.
    pub message_life: Option<Duration>,
    /// Settings that contradict the channel's limits.
    pub problems: Vec<Finding>,
    /// Settings that are hardly wanted.
    pub warnings: Vec<Finding>,
}

/// The roles of a channel's queues with their names.
pub(super) fn roles(names: QueueNames) -> Vec<(Role, String)> {
    let work = names
        .work
        .into_iter()
        .map(|(job_type, name)| (Role::Work(job_type), name));
    work.chain([
        (Role::Completed, names.completed),
        (Role::DeadLetter, names.dead_letter),
    ])
    .collect()
}

/// Finds every queue of a channel, where there is a transport for it.
pub(super) async fn open_all(
    transport: Result<Transport, String>,
    id: &ChannelId,
    channel: &ChannelConfig,
) -> Vec<QueuePart> {
    let names = channel.queue_names(id);
    let dead_letter = names.dead_letter.clone();
    let opening = roles(names).into_iter().map(|(role, name)| {
        let (dead_letter, transport) = (&dead_letter, transport.as_ref());
        async move {
            let found = find(transport, &name).await.map(|mut found| {
                judge(&role, &mut found, dead_letter, &channel.limits);
                found
            });
            QueuePart { role, name, found }
        }
    });
    join_all(opening).await
}

async fn find(transport: Result<&Transport, &String>, name: &str) -> Result<QueueFound, Finding> {
    let unusable =
        |error: &String| Finding::new(error.clone(), "correct the address of the queues' server");
    let transport = transport.map_err(unusable)?;
    let (queue, redrive) = transport.find(name).await?;
    let stats = queue.stats().await.map_err(|error| Finding::from(&error))?;
    Ok(QueueFound {
        queue,
        stats,
        redrive,
        message_life: None,
        problems: Vec::new(),
        warnings: Vec::new(),
    })
}

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
    use polling_transport::memory::MemoryQueue;

    use super::*;

    fn judged(role: &Role, redrive: Option<(&str, u32)>) -> (Vec<String>, Vec<String>) {
        let mut found = QueueFound {
            queue: MemoryQueue::builder("jobs", Arc::new(SystemClock)).build(),
            stats: QueueStats::default(),
            redrive: redrive.map(|(name, max_receives)| Redrive {
                dead_letter: name.to_owned(),
                max_receives,
            }),
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
