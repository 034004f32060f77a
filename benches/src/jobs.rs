//! The work that all measurements share: recurring jobs with a context of 200 bytes.

use anyhow::Context as _;
use futures_util::{TryStreamExt, stream};
use polling_model::{AccountId, ChannelId, Context, Job, JobId, JobType, Nonce, Token};
use scheduler_lib::{Registration, Registry};

/// Size of an encoded context.
pub const CONTEXT_SIZE_BYTES: usize = 200;

/// What an event says, 200 bytes.
pub const EVENT: &str = concat!(
    r#"{"id":"109999999999","text":"#,
    r#""Lorem ipsum dolor sit amet, consetetur sadipscing elitr, sed diam nonumy eirmod tempor "#,
    r#"invidunt ut labore et dolore magna aliquyam erat, sed diam voluptua. At vero"}"#,
);

/// Jobs registered in one call.
const BATCH: usize = 1_000;

/// Such calls under way at once.
pub(crate) const REGISTERING: usize = 4;

/// The channel of all jobs.
///
/// # Panics
///
/// Never: its name is valid.
#[must_use]
pub fn channel() -> ChannelId {
    ChannelId::new("mastodon").expect("mastodon is a valid channel")
}

/// The type of all jobs.
///
/// # Panics
///
/// Never: its name is valid.
#[must_use]
pub fn job_type() -> JobType {
    JobType::new("posts").expect("posts is a valid job type")
}

/// A context of [`CONTEXT_SIZE_BYTES`] bytes, encoded.
#[must_use]
pub fn context() -> Context {
    const FRAME: usize = r#"{"etag":"","since":"109999999999"}"#.len();
    let etag = "a".repeat(CONTEXT_SIZE_BYTES - FRAME);
    Context::from_iter([("etag", etag.into()), ("since", "109999999999".into())])
}

/// A job as it is dispatched, by number.
///
/// # Errors
///
/// Never: its names are valid.
pub fn job(number: usize) -> anyhow::Result<Job> {
    let account = AccountId::new(number.to_string())?;
    Ok(Job {
        id: JobId::of(&job_type(), &account),
        channel: channel(),
        job_type: job_type(),
        account,
        level: "default".parse()?,
        token: Token {
            incarnation: Nonce(1),
            generation: 1,
            nonce: Nonce(2),
        },
        due_ms: 1_700_000_000_000,
        not_after_ms: 1_700_000_600_000,
        context: context(),
    })
}

/// The id of a job by its number.
///
/// # Errors
///
/// That there can be no such job.
pub fn id(number: usize) -> anyhow::Result<JobId> {
    Ok(JobId::of(&job_type(), &AccountId::new(number.to_string())?))
}

/// Registers jobs by number, as a service does that owns the accounts.
///
/// # Errors
///
/// That one cannot be registered.
pub async fn register(registry: &Registry, jobs: usize) -> anyhow::Result<()> {
    let batches = (0..jobs).step_by(BATCH).map(Ok);
    stream::iter(batches)
        .try_for_each_concurrent(REGISTERING, |first| async move {
            let numbers = first..jobs.min(first + BATCH);
            let batch: anyhow::Result<_> = numbers.map(registration).collect();
            let answers = registry.register_all(batch?).await;
            for answer in answers.context("cannot register")? {
                answer.context("cannot register")?;
            }
            Ok(())
        })
        .await
}

fn registration(number: usize) -> anyhow::Result<Registration> {
    let account = AccountId::new(number.to_string())?;
    Ok(Registration {
        context: context(),
        ..Registration::new(job_type(), account)
    })
}

#[cfg(test)]
mod tests {
    use polling_model::EncodedContext;

    use super::*;

    #[test]
    fn a_context_has_200_bytes() {
        let text = serde_json::to_string(&context()).unwrap();
        assert_eq!(text.len(), CONTEXT_SIZE_BYTES);
        EncodedContext::new(&text).unwrap();
    }
}
