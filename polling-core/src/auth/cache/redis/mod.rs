//! Tokens in Redis, shared by all workers of a channel.

use std::{fmt, sync::LazyLock, time::Duration};

use async_trait::async_trait;
use redis::{Cmd, FromRedisValue, RedisError, Script};

use super::{
    Attempt, CacheError, CachedToken, CoolDown, Failures, Lease, Stored, TokenCache, TokenKey,
    Version,
};
use crate::{
    BoxError, ErrorCode, SharedClock,
    auth::{limits, token::millis},
    transport::redis::link::{Link, LinkOptions},
};

/// What keys begin with, unless told otherwise.
const PREFIX: &str = "polling-tokens";

/// A [`TokenCache`] on Redis 6.2 or newer: the worker's own, not the scheduler's.
///
/// Keys are `polling-tokens:{CHANNEL}:account:ACCOUNT` and `polling-tokens:{CHANNEL}:endpoint`,
/// hashes both; the first is kept until [`forget`](TokenCache::forget). Each step is one script,
/// and goes by the server's time. All keys of a channel share a hash tag, so that one node of a
/// Redis Cluster has them; [`Link::new`] tells how to name clusters and sentinels. Let the server persist, and set
/// `maxmemory-policy noeviction`: a refresh token that is thrown away may be the only one its owner
/// has. Anyone who can read this Redis can use the tokens, unless they are sealed.
///
/// ```no_run
/// use std::sync::Arc;
/// use polling_core::auth::{FreshToken, RedisTokenCache, Tokens, endpoint_fn};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let endpoint = endpoint_fn(|_, _| async { Ok(FreshToken::new("a")) });
/// let cache = RedisTokenCache::open("redis://127.0.0.1:6379/1")?;
/// let tokens = Tokens::builder("mastodon".parse()?, endpoint).cache(Arc::new(cache)).build()?;
/// # let _ = tokens;
/// # Ok(())
/// # }
/// ```
pub struct RedisTokenCache {
    link: Link,
    prefix: String,
    clock: Option<SharedClock>,
}

impl RedisTokenCache {
    /// Takes `redis://user:password@host:port/database` apart; `rediss://` needs the feature
    /// `auth-redis-tls`. Nothing is connected yet.
    ///
    /// # Errors
    ///
    /// [`CacheError`] when it is no such address.
    pub fn open(url: &str) -> Result<Self, CacheError> {
        Self::open_with(url, &LinkOptions::default())
    }

    /// The same with deadlines and certificates of one's own.
    ///
    /// # Errors
    ///
    /// [`CacheError`] when it is no such address.
    pub fn open_with(url: &str, options: &LinkOptions) -> Result<Self, CacheError> {
        let link = Link::new(url, options).map_err(|error| {
            // The client's error would be safe to show, the address that it is about is not.
            let no_address = "at an address that is not redis://host:port/database";
            CacheError::new(no_address, "open", error)
        })?;
        Ok(Self {
            link,
            prefix: PREFIX.to_owned(),
            clock: None,
        })
    }

    /// What keys begin with, `polling-tokens` by default.
    #[must_use]
    pub fn with_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Makes leases and cool-downs go by `clock` instead of the server's time: for tests that move
    /// it by hand.
    #[must_use]
    pub fn with_clock(mut self, clock: SharedClock) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Asks whether the server answers and keeps what it is given.
    ///
    /// # Errors
    ///
    /// [`CacheError`] when it does not answer in time, or would evict keys once its memory is full.
    pub async fn check(&self) -> Result<(), CacheError> {
        let mut info = redis::cmd("INFO");
        info.arg("memory");
        let memory: String = self.query("check", &info).await?;
        let policy = memory
            .lines()
            .find_map(|line| line.strip_prefix("maxmemory_policy:"));
        match policy {
            None | Some("noeviction") => Ok(()),
            Some(policy) => Err(self.failed(
                "check",
                format!("maxmemory-policy is {policy}: a full server would throw tokens away, set noeviction"),
            )),
        }
    }

    fn account_key(&self, key: &TokenKey) -> String {
        format!("{}:account:{}", self.channel_key(key), key.account)
    }

    // One tag for all keys that a script needs.
    fn channel_key(&self, key: &TokenKey) -> String {
        format!("{}:{{{}}}", self.prefix, key.channel)
    }

    /// A call of `step`; its first argument is the time, if it is not the server's.
    fn call(&self, step: &Step, key: &TokenKey) -> Cmd {
        let now_ms = self.clock.as_ref().map(|clock| clock.now_ms().to_string());
        let mut command = redis::cmd("EVALSHA");
        command
            .arg(step.script.get_hash())
            .arg(2)
            .arg(self.account_key(key))
            .arg(format!("{}:endpoint", self.channel_key(key)))
            .arg(now_ms.unwrap_or_default());
        command
    }

    async fn run(&self, step: &Step, command: &Cmd) -> Result<Vec<String>, CacheError> {
        let answered = self.link.eval(&step.script, command).await;
        answered.map_err(|error| self.failed(step.name, error))
    }

    async fn query<T: FromRedisValue>(
        &self,
        step: &'static str,
        command: &Cmd,
    ) -> Result<T, CacheError> {
        let answered = self.link.query(command).await;
        answered.map_err(|error: RedisError| self.failed(step, error))
    }

    fn failed(&self, step: &'static str, source: impl Into<BoxError>) -> CacheError {
        CacheError::new(format!("at {}", self.link.address()), step, source)
    }

    /// An answer that no version of a script gives.
    fn unknown(&self, step: &'static str, answer: &[String]) -> CacheError {
        self.failed(step, format!("its answer {answer:?} is not known"))
    }
}

struct Step {
    name: &'static str,
    script: LazyLock<Script>,
}

macro_rules! steps {
    ($($name:ident = $file:literal;)*) => {$(
        static $name: Step = Step {
            name: $file,
            script: LazyLock::new(|| {
                Script::new(concat!(
                    include_str!("lua/prelude.lua"),
                    include_str!(concat!("lua/", $file, ".lua"))
                ))
            }),
        };
    )*};
}

steps! {
    LEASE = "lease";
    STORE = "store";
    FAIL = "fail";
    PUT = "put";
}

fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

fn lease(answer: &[String]) -> Option<Lease> {
    let words: Vec<_> = answer.iter().map(String::as_str).collect();
    let left = |ms| number(ms).map(Duration::from_millis);
    match words[..] {
        ["granted", account, endpoint] => Some(Lease::Granted(Failures {
            account: number(account)?,
            endpoint: number(endpoint)?,
        })),
        ["changed"] => Some(Lease::Changed),
        ["busy", ms] => left(ms).map(Lease::Busy),
        ["cooling", ms, refused] => Some(Lease::Cooling {
            left: left(ms)?,
            refused: ErrorCode::new(refused).ok(),
        }),
        _ => None,
    }
}

#[async_trait]
impl TokenCache for RedisTokenCache {
    async fn read(&self, key: &TokenKey) -> Result<Option<CachedToken>, CacheError> {
        let mut command = redis::cmd("HMGET");
        command
            .arg(self.account_key(key))
            .arg("version")
            .arg("token");
        let (version, bytes): (Option<u64>, Option<Vec<u8>>) = self.query("read", &command).await?;
        let token = version.zip(bytes);
        Ok(token.map(|(version, bytes)| CachedToken {
            version: Version(version),
            bytes,
        }))
    }

    async fn lease(
        &self,
        key: &TokenKey,
        attempt: Attempt,
        life: Duration,
    ) -> Result<Lease, CacheError> {
        let mut command = self.call(&LEASE, key);
        command
            .arg(attempt.seen.0)
            .arg(attempt.owner.to_string())
            .arg(millis(life));
        let answer = self.run(&LEASE, &command).await?;
        lease(&answer).ok_or_else(|| self.unknown("lease", &answer))
    }

    async fn store(
        &self,
        key: &TokenKey,
        attempt: Attempt,
        token: &[u8],
    ) -> Result<Stored, CacheError> {
        let mut command = self.call(&STORE, key);
        command
            .arg(attempt.seen.0)
            .arg(attempt.owner.to_string())
            .arg(token);
        let answer = self.run(&STORE, &command).await?;
        let stored = match answer.as_slice() {
            [word] if word == "superseded" => Some(Stored::Superseded),
            [version] => number(version).map(Version).map(Stored::As),
            _ => None,
        };
        stored.ok_or_else(|| self.unknown("store", &answer))
    }

    async fn fail(
        &self,
        key: &TokenKey,
        attempt: Attempt,
        cool_down: CoolDown,
    ) -> Result<(), CacheError> {
        let mut command = self.call(&FAIL, key);
        let refused = cool_down.refused.as_ref();
        command
            .arg(attempt.seen.0)
            .arg(attempt.owner.to_string())
            .arg(cool_down.failures.account.saturating_add(1))
            .arg(millis(cool_down.account))
            .arg(refused.map_or("", ErrorCode::as_str))
            .arg(cool_down.failures.endpoint.saturating_add(1))
            // -1: the endpoint is not to blame.
            .arg(cool_down.endpoint.map_or(-1, millis))
            .arg(millis(limits::FAILURES_KEPT));
        self.run(&FAIL, &command).await.map(drop)
    }

    async fn put(&self, key: &TokenKey, token: &[u8]) -> Result<Version, CacheError> {
        let mut command = self.call(&PUT, key);
        command.arg(token);
        let answer = self.run(&PUT, &command).await?;
        let version = answer.first().and_then(|version| number(version));
        version
            .map(Version)
            .ok_or_else(|| self.unknown("put", &answer))
    }

    async fn forget(&self, key: &TokenKey) -> Result<(), CacheError> {
        let mut command = redis::cmd("DEL");
        command.arg(self.account_key(key));
        self.query::<u64>("forget", &command).await.map(drop)
    }
}

/// Without the address' credentials.
impl fmt::Debug for RedisTokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisTokenCache")
            .field("address", &self.link.address())
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_is_none_is_not_repeated() {
        let error = RedisTokenCache::open("http://user:hunter2@host/").unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(shown.contains("redis://host:port/database"), "{shown}");
    }

    #[test]
    fn debug_shows_no_password() {
        let cache = RedisTokenCache::open("redis://user:hunter2@127.0.0.1:6379/").unwrap();
        let shown = format!("{cache:?}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn answers_of_another_version_are_errors() {
        for words in [vec![], vec!["granted"], vec!["busy", "x"], vec!["later"]] {
            let answer: Vec<_> = words.iter().map(ToString::to_string).collect();
            assert_eq!(lease(&answer), None, "{words:?}");
        }
    }
}
