//! A scheduler: the next job follows each completion.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use polling_core::{
    Clock, Completion, Generator, JobId, Outcome, Queue, SystemClock,
    model::{Context, Job, Token, wire},
    transport::memory::MemoryQueue,
};

const ACCOUNTS: [&str; 3] = ["anna", "ben", "chris"];
const INTERVAL: Duration = Duration::from_secs(1);
const VALID: Duration = Duration::from_secs(300);

/// Sends a job for each account, and makes the next job of each completion.
pub(crate) async fn schedule(
    work: Arc<MemoryQueue>,
    completed: Arc<MemoryQueue>,
) -> anyhow::Result<()> {
    let mut stand_in = StandIn {
        work,
        completed,
        generator: Generator::from_os(),
        contexts: BTreeMap::new(),
    };
    for account in ACCOUNTS {
        stand_in.send(&format!("items:{account}").parse()?).await?;
    }
    tokio::spawn(async move {
        loop {
            if let Err(error) = stand_in.reschedule().await {
                tracing::error!(error = format!("{error:#}"), "the stand-in stopped");
                return;
            }
        }
    });
    Ok(())
}

struct StandIn {
    work: Arc<MemoryQueue>,
    completed: Arc<MemoryQueue>,
    generator: Generator,
    /// What each job remembers; an error leaves it as it is.
    contexts: BTreeMap<JobId, Context>,
}

impl StandIn {
    async fn reschedule(&mut self) -> anyhow::Result<()> {
        let messages = self.completed.receive(10, Duration::from_secs(20)).await?;
        tokio::time::sleep(INTERVAL).await;
        for message in messages {
            let completion: Completion = wire::decode_completion(message.body.as_bytes())?;
            match completion.outcome {
                Outcome::Succeeded { context, .. } => {
                    self.contexts.insert(completion.id.clone(), context);
                }
                Outcome::Failed { failure } => {
                    tracing::warn!(job = %completion.id, class = %failure.class, "failed");
                }
            }
            self.send(&completion.id).await?;
            self.completed.ack(&message.receipt).await?;
        }
        Ok(())
    }

    async fn send(&self, id: &JobId) -> anyhow::Result<()> {
        let context = self.contexts.get(id).cloned().unwrap_or_default();
        let job = job(id, context, &self.generator)?;
        for sent in self.work.send(vec![wire::encode_job(&job)?]).await {
            sent?;
        }
        Ok(())
    }
}

fn job(id: &JobId, context: Context, generator: &Generator) -> anyhow::Result<Job> {
    let account = id.as_str().trim_start_matches("items:");
    let now_ms = SystemClock.now_ms();
    Ok(Job {
        id: id.clone(),
        channel: "demo".parse()?,
        job_type: "items".parse()?,
        account: account.parse()?,
        level: "gold".parse()?,
        token: Token {
            incarnation: generator.nonce(),
            generation: 1,
            nonce: generator.nonce(),
        },
        due_ms: now_ms,
        not_after_ms: now_ms + VALID.as_millis() as i64,
        context,
    })
}
