//! Whether a worker could work.

use std::fmt;

use tokio::time::timeout;

use super::Worker;
use crate::{
    BusError, caps,
    deadline::within,
    transport::{BusErrorKind, QueueError, SharedQueue},
};

/// What a worker lacks. It names all of it at once.
#[derive(Debug)]
pub struct NotReady {
    /// Each thing that is missing; never empty.
    pub problems: Vec<Problem>,
}

/// One thing that is missing.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub enum Problem {
    /// A queue does not answer.
    Queue(#[from] QueueError),
    /// A topic cannot be published to.
    Topic(#[from] BusError),
}

impl fmt::Display for NotReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the worker is not ready")?;
        for (at, problem) in self.problems.iter().enumerate() {
            let separator = if at == 0 { ": " } else { "; " };
            write!(f, "{separator}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for NotReady {}

impl Worker {
    /// Checks that every queue answers and that every topic named to the builder can be published
    /// to. Nothing is received, sent or published.
    ///
    /// # Errors
    ///
    /// [`NotReady`] with all that is missing.
    pub async fn check(&self) -> Result<(), NotReady> {
        let mut problems = Vec::new();
        for queue in self.queues.iter().chain([&self.completed]) {
            problems.extend(check_queue(queue).await.err().map(Problem::Queue));
        }
        for topic in &self.topics {
            let checked = timeout(caps::CHECK_TIMEOUT, self.bus.check_topic(topic)).await;
            let checked = checked.unwrap_or_else(|_| {
                Err(BusError {
                    topic: topic.clone(),
                    kind: BusErrorKind::Timeout,
                    source: None,
                })
            });
            problems.extend(checked.err().map(Problem::Topic));
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(NotReady { problems })
        }
    }
}

async fn check_queue(queue: &SharedQueue) -> Result<(), QueueError> {
    let stats = within(caps::CHECK_TIMEOUT, queue, "stats", queue.stats()).await;
    stats.map(|_| ())
}
