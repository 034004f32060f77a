//! A completion onto the completed queue.

use tokio::time::{Instant, sleep, timeout_at};

use super::CompleteLayer;
use crate::{CompleteError, Job, backoff::Backoff, caps, transport::EntryError};

impl CompleteLayer {
    /// Stores `body` within the job's time, in a bounded number of attempts. One whose fate is
    /// unknown is sent again: the scheduler accepts a token once, so a repeat changes nothing.
    pub(super) async fn store(&self, job: &Job, body: String) -> Result<(), CompleteError> {
        let deadline = job.expires().min(Instant::now() + self.timeout);
        let mut backoff = Backoff::new(self.generator.clone(), caps::COMPLETE_BACKOFF);
        let mut attempts = 0;
        let mut reason = "no answer within the deadline".to_owned();
        while attempts < caps::COMPLETE_ATTEMPTS {
            attempts += 1;
            let sent = timeout_at(deadline, self.completed.send(vec![body.clone()])).await;
            let Ok(answers) = sent else {
                break;
            };
            match answers.into_iter().next() {
                Some(Ok(())) => return Ok(()),
                Some(Err(EntryError::Unknown { reason: seen })) => reason = seen,
                Some(Err(error)) => return Err(self.not_stored(attempts, error.to_string())),
                None => "the queue answered nothing".clone_into(&mut reason),
            }
            let pause = backoff.next();
            if Instant::now() + pause >= deadline {
                break;
            }
            sleep(pause).await;
        }
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
