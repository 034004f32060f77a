//! The loop over the completed queue.

use std::sync::Arc;

use polling_model::{EncodedContext, KillPoint, Observation, wire};
use polling_transport::{Message, SharedQueue};
use tokio_util::sync::CancellationToken;

use super::{Cycle, deadline, settle::Ending, status::add};
use crate::store::{StoreError, Verdict};

/// Receives completions, settles them, and only then deletes their messages.
pub(super) async fn run(cycle: Arc<Cycle>, stop: CancellationToken) {
    let queue = Arc::clone(&cycle.channel.completed);
    let mut failures = 0;
    // A receive under way is awaited: what the queue gives to one that nobody waits for comes back
    // only after its visibility timeout.
    while !stop.is_cancelled() {
        let began_ms = cycle.clock.now_ms();
        let received = cycle.receive(&queue).await;
        let settled = match received {
            Ok(messages) if messages.is_empty() => {
                cycle.watermark.found_empty(began_ms);
                Ok(())
            }
            Ok(messages) => cycle.settle_messages(&queue, messages).await.map_err(boxed),
            Err(error) => Err(boxed(error)),
        };
        match settled {
            Ok(()) => failures = 0,
            Err(error) => {
                cycle
                    .pause_after(&*error, "settling completions", &mut failures, &stop)
                    .await;
            }
        }
    }
}

fn boxed(
    error: impl std::error::Error + Send + Sync + 'static,
) -> Box<dyn std::error::Error + Send + Sync> {
    Box::new(error)
}

impl Cycle {
    async fn settle_messages(
        &self,
        queue: &SharedQueue,
        messages: Vec<Message>,
    ) -> Result<(), StoreError> {
        let _settling = self.watermark.settling();
        KillPoint::SchedulerCompletionsReceived.hit();
        let received_ms = self.clock.now_ms();
        let (mut endings, mut settling) = (Vec::new(), Vec::new());
        for message in messages {
            if message.receive_count > 1 {
                let queue = "completed";
                self.observer.observe(Observation::Redelivered { queue });
            }
            match wire::decode_completion::<EncodedContext>(message.body.as_bytes()) {
                Ok(completion) => {
                    self.backlog.answered(&completion.job_type);
                    endings.push(Ending::completed(completion).with(message.trace, received_ms));
                    settling.push(message);
                }
                Err(error) => self.leave_undecodable("completed", &message, &error),
            }
        }
        let verdicts = self.settle(&endings).await?;
        KillPoint::SchedulerSettled.hit();
        let settled = settling
            .into_iter()
            .zip(verdicts)
            .filter(|(_, verdict)| *verdict != Verdict::Edited);
        self.ack_all(queue, settled.map(|(message, _)| message))
            .await;
        KillPoint::SchedulerAcked.hit();
        Ok(())
    }

    /// Never deletes what it cannot read: redelivery, then the dead-letter queue, keep it.
    fn leave_undecodable(&self, queue: &'static str, message: &Message, error: &wire::WireError) {
        tracing::warn!(
            channel = %self.channel.id, queue, message = message.id, receives = message.receive_count,
            error = polling_model::chain(error), "a message that cannot be decoded is left to redelivery"
        );
        add(&self.status.undecodable, 1);
        self.observer.observe(Observation::Undecodable { queue });
    }

    /// Deletes messages whose outcome is stored. One that stays is delivered again and then stale.
    pub(super) async fn ack_all(
        &self,
        queue: &SharedQueue,
        messages: impl Iterator<Item = Message>,
    ) {
        let receipts: Vec<_> = messages.map(|message| message.receipt).collect();
        let acks = deadline::ack_all(queue, &receipts).await;
        for error in acks.into_iter().filter_map(Result::err) {
            tracing::debug!(channel = %self.channel.id, error = polling_model::chain(&error), "not known to be acknowledged");
            self.observer.observe(Observation::AckFailed);
        }
    }
}
