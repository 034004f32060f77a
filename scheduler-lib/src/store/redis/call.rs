//! One call of a step: its arguments, and what its errors mean.

use polling_transport::redis::link::{Link, server_error};
use redis::{Cmd, ErrorKind, FromRedisValue, RedisError, Script, ServerErrorKind, ToRedisArgs};

use super::{RedisStore, scripts::Step};
use crate::store::{StoreError, new_revision};

/// A call of `script` by its hash, with one key; arguments are added to it.
pub(super) fn call(script: &Script, key: &str) -> Cmd {
    let mut command = redis::cmd("EVALSHA");
    command.arg(script.get_hash()).arg(1).arg(key);
    command
}

/// A step with the arguments added so far.
pub(super) struct Call<'a> {
    store: &'a RedisStore,
    step: &'static Step,
    command: Cmd,
}

impl RedisStore {
    /// A call whose first argument is the identity, as the prelude wants it.
    pub(super) fn call(&self, step: &'static Step) -> Call<'_> {
        let mut command = call(&step.script, &self.layout_key);
        command.arg(self.identity.to_string());
        Call {
            store: self,
            step,
            command,
        }
    }

    /// A call that edits records: each is of this revision afterwards.
    pub(super) fn edit_call(&self, step: &'static Step) -> Call<'_> {
        self.call(step).arg(new_revision(&self.revisions))
    }

    /// A call that is told the time, and checks it.
    pub(super) fn call_at(&self, step: &'static Step, now_ms: i64) -> Call<'_> {
        let limit = self
            .max_skew
            .map_or_else(String::new, |skew| skew.as_millis().to_string());
        self.call(step).arg(now_ms).arg(limit)
    }
}

impl Call<'_> {
    pub(super) fn arg(mut self, argument: impl ToRedisArgs) -> Self {
        self.command.arg(argument);
        self
    }

    pub(super) fn args<T: ToRedisArgs>(mut self, arguments: impl IntoIterator<Item = T>) -> Self {
        for argument in arguments {
            self.command.arg(argument);
        }
        self
    }

    pub(super) async fn run<T: FromRedisValue>(self) -> Result<T, StoreError> {
        let Self {
            store,
            step,
            command,
        } = self;
        let answer = store.link.eval(&step.script, &command).await;
        answer.map_err(|error| store.failed(step, &store.link, error))
    }

    /// Waits for replicas where the store is told to.
    pub(super) async fn run_replicated<T: FromRedisValue>(self) -> Result<T, StoreError> {
        let Some(replicated) = &self.store.replicated else {
            return self.run().await;
        };
        let Self {
            store,
            step,
            command,
        } = self;
        let (answer, acknowledged) = replicated
            .link
            .eval_and_wait(
                &step.script,
                &command,
                replicated.replicas,
                replicated.timeout,
            )
            .await
            .map_err(|error| store.failed(step, &replicated.link, error))?;
        if acknowledged >= replicated.replicas {
            return Ok(answer);
        }
        Err(StoreError::Unavailable {
            step: step.name,
            address: store.address().to_owned(),
            source: Box::new(TooFewReplicas {
                acknowledged,
                wanted: replicated.replicas,
            }),
        })
    }
}

/// A write that too few replicas acknowledged in time. The master has it.
#[derive(Debug, thiserror::Error)]
#[error(
    "{acknowledged} of {wanted} replicas acknowledged the write in time; the master has it, a failover may lose it: repeat the step"
)]
struct TooFewReplicas {
    acknowledged: usize,
    wanted: usize,
}

impl RedisStore {
    fn failed(&self, step: &Step, link: &Link, error: RedisError) -> StoreError {
        match server_error(&error) {
            Some(("WIPED", _)) => StoreError::Wiped {
                address: self.address().to_owned(),
                key: self.layout_key.clone(),
            },
            Some(("SKEW", skew)) => StoreError::ClockSkew {
                skew_ms: skew
                    .split_ascii_whitespace()
                    .next()
                    .and_then(|ms| ms.parse().ok())
                    .unwrap_or(i64::MAX),
                limit_ms: self.max_skew.map_or(0, |limit| limit.as_millis() as i64),
            },
            _ => failed(step.name, link, error),
        }
    }
}

/// Codes with which a server refuses to write at all.
const REFUSALS: [&str; 4] = ["OOM", "MISCONF", "READONLY", "NOREPLICAS"];

/// Codes with which a server refuses a user.
const FORBIDDEN: [&str; 3] = ["NOPERM", "NOAUTH", "WRONGPASS"];

/// What a script is told whose user lacks a right.
const NOT_ALLOWED: &str = "The user executing the script can't";

/// What an error of the client means for a step.
pub(super) fn failed(step: &'static str, link: &Link, error: RedisError) -> StoreError {
    let address = link.address().to_owned();
    match server_error(&error) {
        Some((code, words)) if REFUSALS.contains(&code) => StoreError::ReadOnly {
            step,
            address,
            detail: format!("{code} {}", without_script(words)),
        },
        Some((code, words)) if FORBIDDEN.contains(&code) || words.contains(NOT_ALLOWED) => {
            StoreError::Forbidden {
                step,
                address,
                detail: format!("{code} {}", without_script(words)),
            }
        }
        Some(("EVICTS", policy)) => StoreError::Evicts {
            address,
            policy: policy.to_owned(),
        },
        _ if is_moving(&error) => StoreError::Unavailable {
            step,
            address,
            source: Moving(error).into(),
        },
        _ => StoreError::Unavailable {
            step,
            address,
            source: error.into(),
        },
    }
}

/// A cluster's slot on its way to another node: some of its keys are here, some there.
#[derive(Debug, thiserror::Error)]
#[error(
    "the slot of its keys is being moved to another node of the cluster; the cycle resumes when it has arrived"
)]
struct Moving(#[source] RedisError);

fn is_moving(error: &RedisError) -> bool {
    let asked_elsewhere = matches!(
        error.kind(),
        ErrorKind::Server(ServerErrorKind::Ask | ServerErrorKind::TryAgain)
    );
    asked_elsewhere || error.detail().is_some_and(|words| words.contains(NOT_HERE))
}

/// What a script is told that needs a key which has left already.
const NOT_HERE: &str = "attempted to access a non local key";

/// A server's words without those on the script in which they were said.
fn without_script(words: &str) -> &str {
    words.split(" script: ").next().unwrap_or(words)
}
