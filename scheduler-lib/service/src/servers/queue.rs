//! A channel's queues, found.

use std::{fmt, time::Duration};

use futures_util::future::join_all;
use polling_model::{ChannelId, JobType};
use polling_transport::{QueueStats, SharedQueue};

use super::{finding::Finding, judge::judge, redrive::Redrive, transport::Transport};
use crate::config::{ChannelConfig, QueueNames};

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
    /// How long it keeps a message, if it tells.
    pub retention: Option<Duration>,
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
    let (queue, kept) = transport.find(name).await?;
    let stats = queue.stats().await.map_err(|error| Finding::from(&error))?;
    Ok(QueueFound {
        queue,
        stats,
        redrive: kept.redrive,
        retention: kept.retention,
        message_life: None,
        problems: Vec::new(),
        warnings: Vec::new(),
    })
}
