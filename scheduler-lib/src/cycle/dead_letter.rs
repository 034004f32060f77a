//! The loop over the dead-letter queue.
//!
//! Three kinds of message end there: jobs that no worker could finish, completions that no
//! scheduler could settle in time, and what nobody could decode.

use std::{error::Error, sync::Arc};

use polling_model::{
    EncodedContext, KillPoint, Observation,
    wire::{self, WireError},
};
use polling_transport::Message;
use tokio_util::sync::CancellationToken;

use super::{Cycle, settle::Ending, status::add};
use crate::store::{StoreError, Undecodable, Verdict};

/// Settles dead letters; what cannot be decoded is kept for the operator, then deleted.
pub(super) async fn run(cycle: Arc<Cycle>, stop: CancellationToken) {
    let queue = Arc::clone(&cycle.channel.dead_letter);
    let mut failures = 0;
    // A receive under way is awaited, as that of completions.
    while !stop.is_cancelled() {
        let received = cycle.receive(&queue).await;
        let settled: Result<(), Box<dyn Error + Send + Sync>> = match received {
            Ok(messages) if messages.is_empty() => Ok(()),
            Ok(messages) => cycle
                .settle_dead_letters(messages)
                .await
                .map_err(Into::into),
            Err(error) => Err(error.into()),
        };
        match settled {
            Ok(()) => failures = 0,
            Err(error) => {
                cycle
                    .pause_after(&*error, "settling dead letters", &mut failures, &stop)
                    .await;
            }
        }
    }
}

impl Cycle {
    async fn settle_dead_letters(&self, messages: Vec<Message>) -> Result<(), StoreError> {
        KillPoint::SchedulerDeadLettersReceived.hit();
        let received_ms = self.clock.now_ms();
        let (mut endings, mut done) = (Vec::new(), Vec::new());
        let (mut settling, mut kept) = (Vec::new(), Vec::new());
        for message in messages {
            match read(message.body.as_bytes()) {
                Ok(ending) => {
                    endings.push(ending.with(message.trace, received_ms));
                    settling.push(message);
                }
                Err(error) => kept.push((message, error)),
            }
        }
        for (message, error) in kept {
            self.keep(&message, &error).await?;
            KillPoint::SchedulerDeadLetterKept.hit();
            done.push(message);
        }
        let verdicts = self.settle(&endings).await?;
        KillPoint::SchedulerDeadLettersSettled.hit();
        let letters = endings
            .iter()
            .filter(|ending| ending.completion.is_none())
            .count();
        add(&self.status.dead_letters, letters);
        let settled = settling
            .into_iter()
            .zip(verdicts)
            .filter(|(_, verdict)| *verdict != Verdict::Edited);
        done.extend(settled.map(|(message, _)| message));
        self.ack_all(&self.channel.dead_letter, done.into_iter())
            .await;
        KillPoint::SchedulerDeadLettersAcked.hit();
        Ok(())
    }

    async fn keep(&self, message: &Message, error: &WireError) -> Result<(), StoreError> {
        let error = polling_model::chain(error);
        tracing::error!(channel = %self.channel.id, message = message.id, error, "a dead letter cannot be decoded; kept for the operator");
        add(&self.status.undecodable, 1);
        self.observer.observe(Observation::Undecodable {
            queue: "dead_letter",
        });
        let kept_ms = self.clock.now_ms();
        let undecodable = Undecodable {
            message_id: message.id.clone(),
            kept_ms,
            error,
            body: message.body.clone(),
        };
        self.channel.store.keep_undecodable(undecodable).await
    }
}

/// A job's message, or a completion that came here because nobody could settle it in time. Of a
/// version that nobody here knows, the job is known all the same: after some strikes it is
/// quarantined, where it does no harm until a newer worker or scheduler is there.
fn read(body: &[u8]) -> Result<Ending, WireError> {
    match wire::decode_job::<EncodedContext>(body) {
        Ok(job) => Ok(Ending::dead_letter(job.id, job.token)),
        Err(WireError::UnknownVersion { found }) => {
            let head = wire::decode_head(body);
            let (id, token) = head.map_err(|_| WireError::UnknownVersion { found })?;
            Ok(Ending::dead_letter(id, token))
        }
        Err(error) => wire::decode_completion(body)
            .map(Ending::completed)
            .map_err(|_| error),
    }
}
