//! Workers of a channel that exists nowhere: they take jobs, wait a little, and answer as a channel would.

use std::time::Duration;

use polling_model::{
    Completion, Context, ErrorClass, Failure, Generator, Job, Outcome, SharedClock, wire,
};
use polling_transport::SharedQueue;
use serde_json::Value;

/// Jobs that one worker takes at once.
const AT_ONCE: usize = 100;

/// Longest wait for a job.
const WAIT: Duration = Duration::from_secs(1);

/// Accounts whose number ends like this break whoever polls them.
const BREAKS: &str = "7777";

/// A worker of one work queue.
pub(crate) struct Worker {
    pub(crate) work: SharedQueue,
    pub(crate) completed: SharedQueue,
    pub(crate) clock: SharedClock,
    pub(crate) generator: Generator,
}

impl Worker {
    /// Works for as long as it is polled.
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        loop {
            let messages = self.work.receive(AT_ONCE, WAIT).await?;
            tokio::time::sleep(Duration::from_millis(20 + self.generator.below(180))).await;
            for message in messages {
                let job: Job = wire::decode_job(message.body.as_bytes())?;
                if job.account.as_str().ends_with(BREAKS) {
                    continue;
                }
                let completion = wire::encode_completion(&self.poll(job))?;
                self.completed.send(vec![completion]).await;
                self.work.ack(&message.receipt).await?;
            }
        }
    }

    /// What came of a job.
    fn poll(&self, job: Job) -> Completion {
        let finished_ms = self.clock.now_ms();
        let events = self.generator.below(12);
        let outcome = match self.accident() {
            Some((class, said)) => Outcome::Failed {
                failure: Failure::new(class, said),
            },
            None => Outcome::Succeeded {
                context: next(job.context, events, finished_ms),
                stopped: None,
            },
        };
        Completion {
            id: job.id,
            job_type: job.job_type,
            token: job.token,
            outcome,
            allowances: Vec::new(),
            saturated: false,
            events,
            created_ms: Vec::new(),
            calls: 1,
            finished_ms,
            sent_ms: None,
        }
    }

    /// What goes wrong at random.
    fn accident(&self) -> Option<(ErrorClass, &'static str)> {
        match self.generator.below(1_000) {
            0..=11 => Some((ErrorClass::Transient, "503: try again")),
            12..=16 => Some((ErrorClass::RateLimited, "429: slow down")),
            17..=18 => Some((ErrorClass::Unauthorized, "401: the token has expired")),
            19 => Some((ErrorClass::Invalid, "the answer was cut off in the middle")),
            20 => Some((ErrorClass::Gone, "404: no such account")),
            _ => None,
        }
    }
}

/// What the poll leaves for the next.
fn next(mut context: Context, events: u64, finished_ms: i64) -> Context {
    let newest = context.get("since_id").and_then(Value::as_u64);
    let newest = newest.unwrap_or_default() + events;
    context.insert("since_id", newest);
    context.insert("polled_ms", finished_ms);
    context
}
