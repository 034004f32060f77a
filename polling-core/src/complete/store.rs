//! A completion onto the completed queue.

use std::sync::OnceLock;

use tokio::time::{Instant, sleep};

use super::CompleteLayer;
use crate::{
    CompleteError, Completion, Job,
    backoff::Backoff,
    caps,
    deadline::by,
    model::wire,
    transport::{EntryError, Outgoing},
};

impl CompleteLayer {
    /// Stores `completion` within the job's time, in a bounded number of attempts. One whose fate is
    /// unknown is sent again: the scheduler accepts a token once, so a repeat changes nothing.
    pub(super) async fn store(
        &self,
        job: &Job,
        completion: &Completion,
    ) -> Result<(), CompleteError> {
        // Most queues that answer at once need none.
        let deadline = OnceLock::new();
        let deadline =
            || *deadline.get_or_init(|| job.expires().min(Instant::now() + self.timeout));
        let mut backoff = None;
        let mut attempts = 0;
        let mut reason = None;
        while attempts < caps::COMPLETE_ATTEMPTS {
            attempts += 1;
            let message = Outgoing::from(wire::encode_completion(completion)?);
            let message = message.with_trace(job.trace());
            let sent = by(deadline, self.completed.send_all(vec![message])).await;
            let Ok(answers) = sent else {
                break;
            };
            match answers.into_iter().next() {
                Some(Ok(())) => return Ok(()),
                Some(Err(EntryError::Unknown { reason: seen })) => reason = Some(seen),
                Some(Err(error)) => return Err(self.not_stored(attempts, error.to_string())),
                None => reason = Some("the queue answered nothing".to_owned()),
            }
            let first = || Backoff::new(self.generator.clone(), caps::COMPLETE_BACKOFF);
            let pause = backoff.get_or_insert_with(first).next();
            if Instant::now() + pause >= deadline() {
                break;
            }
            Box::pin(sleep(pause)).await;
        }
        let reason = reason.unwrap_or_else(|| "no answer within the deadline".to_owned());
        Err(self.not_stored(attempts, reason))
    }

    fn not_stored(&self, attempts: u32, reason: String) -> CompleteError {
        CompleteError::Store {
            queue: self.completed.name().to_owned(),
            attempts,
            reason,
        }
    }
}
