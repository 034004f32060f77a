use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use polling_model::{Clock, Completion, Context, EncodedContext, JobId, Outcome, wire};
use polling_transport::{
    EntryError, Message, Outgoing, Queue, QueueError, QueueStats, Receipt, TokioClock,
    memory::MemoryQueue,
};

use crate::cycle::{channel, oracle::Oracle};

/// The code of a completion whose context is too large.
const TOO_LARGE: &str = "context_too_large";

/// A queue under the oracle's eyes.
#[derive(Debug)]
pub(crate) struct WatchedQueue {
    pub(crate) inner: Arc<MemoryQueue>,
    oracle: Arc<Oracle>,
    carries: Carries,
    clock: TokioClock,
}

/// What a queue carries, and with it what is checked.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Carries {
    /// Jobs. One with less left than this many milliseconds may be deleted without polling.
    Work {
        reserve_ms: i64,
    },
    Completions,
    DeadLetters,
}

impl WatchedQueue {
    pub(crate) fn new(
        inner: Arc<MemoryQueue>,
        oracle: Arc<Oracle>,
        carries: Carries,
        clock: TokioClock,
    ) -> Arc<Self> {
        Arc::new(Self {
            inner,
            oracle,
            carries,
            clock,
        })
    }

    fn received(&self, message: &Message) {
        let name = self.inner.name();
        let Ok(job) = wire::decode_job::<EncodedContext>(message.body.as_bytes()) else {
            return;
        };
        self.oracle.trace.line(|| {
            let (id, generation, receives) = (&job.id, job.token.generation, message.receive_count);
            format!("{name}: {id} generation {generation} received, time {receives}")
        });
        if matches!(self.carries, Carries::DeadLetters) && message.receive_count == 1 {
            self.oracle.measure(|measures| measures.dead_letters += 1);
        }
        if matches!(self.carries, Carries::Work { .. }) {
            self.oracle
                .received(&message.receipt.0, &job.id, job.token, job.not_after_ms);
        }
    }

    fn sent(&self, body: &str) {
        let Ok(completion) = wire::decode_completion::<EncodedContext>(body.as_bytes()) else {
            return;
        };
        self.oracle.trace.line(|| describe(&completion));
        let since = match &completion.outcome {
            Outcome::Succeeded { context, .. } => since(context),
            Outcome::Failed { failure } => {
                if failure
                    .code
                    .as_ref()
                    .is_some_and(|code| code.as_str() == TOO_LARGE)
                {
                    self.oracle.measure(|measures| measures.contexts_kept += 1);
                }
                0
            }
        };
        let account = channel::account_of(&completion.id);
        self.oracle
            .completed(&completion.id, completion.token, &account, since);
    }
}

/// The last event that a context says is published.
pub(crate) fn since(context: &EncodedContext) -> u64 {
    let context = context.decode().unwrap_or_else(|_| Context::new());
    context.get_i64(channel::SINCE).map_or(0, i64::unsigned_abs)
}

fn describe(completion: &Completion<EncodedContext>) -> String {
    let id: &JobId = &completion.id;
    let how = match &completion.outcome {
        Outcome::Succeeded { context, .. } => format!("up to event {}", since(context)),
        Outcome::Failed { failure } => format!("as {}", failure.class),
    };
    format!(
        "completed: {id} generation {} {how}",
        completion.token.generation
    )
}

#[async_trait]
impl Queue for WatchedQueue {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn visibility_timeout(&self) -> Duration {
        self.inner.visibility_timeout()
    }

    async fn receive(&self, max: usize, wait: Duration) -> Result<Vec<Message>, QueueError> {
        let messages = self.inner.receive(max, wait).await?;
        if !matches!(self.carries, Carries::Completions) {
            for message in &messages {
                self.received(message);
            }
        }
        Ok(messages)
    }

    async fn send_all(&self, messages: Vec<Outgoing>) -> Vec<Result<(), EntryError>> {
        let completions = match self.carries {
            Carries::Completions => messages.clone(),
            _ => Vec::new(),
        };
        let answers = self.inner.send_all(messages).await;
        for (message, answer) in completions.iter().zip(&answers) {
            if answer.is_ok() {
                self.sent(&message.body);
            }
        }
        answers
    }

    async fn ack(&self, receipt: &Receipt) -> Result<(), QueueError> {
        if let Carries::Work { reserve_ms } = self.carries {
            self.oracle
                .deleted(&receipt.0, self.clock.now_ms() + reserve_ms);
        }
        self.inner.ack(receipt).await
    }

    async fn extend(&self, receipt: &Receipt, visibility: Duration) -> Result<(), QueueError> {
        self.inner.extend(receipt, visibility).await
    }

    async fn stats(&self) -> Result<QueueStats, QueueError> {
        self.inner.stats().await
    }
}
