//! Getting a token: the one that is there, another worker's, or a fresh one.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::{Core, Held};
use crate::{
    AccountId, ErrorClass, PollError,
    auth::{
        Attempt, CacheError, Lease, TokenKey, Version, codec::CodecError, limits, refresh_error,
    },
    backoff::Backoff,
};

impl Core {
    /// The account's token, refreshed if it must be; if that fails, the one at hand, as long as it
    /// is good.
    pub(super) async fn obtain_or_keep(
        &self,
        account: &AccountId,
        rejected: Option<Version>,
    ) -> Result<Held, PollError> {
        let obtained = self.obtain(account, rejected).await;
        obtained.or_else(|error| {
            let usable = self.usable(account, rejected);
            let held = usable.ok_or_else(|| error.clone())?;
            tracing::debug!(%account, %error, "the token in use is not refreshed yet");
            Ok(held)
        })
    }

    async fn obtain(
        &self,
        account: &AccountId,
        rejected: Option<Version>,
    ) -> Result<Held, PollError> {
        let key = self.key(account);
        // Longer than anybody waits: a lease whose holder died is taken over for the next who asks.
        let longest = self.config.lease.saturating_add(self.config.wait);
        let deadline = Instant::now() + longest;
        let mut pauses = Backoff::new(self.generator.clone(), limits::LOOK_AGAIN);
        loop {
            let found = self.read(&key).await?;
            if let Some(found) = &found {
                // Due or not, it is the one to fall back on.
                self.local.know(account, found.clone());
                let now_ms = self.clock.now_ms();
                if !found.is(rejected) && !found.is_due(now_ms) {
                    return Ok(found.clone());
                }
                self.check_age(found, rejected, now_ms)?;
            }
            match self.try_refresh(&key, found.as_ref(), deadline).await? {
                Step::Got(held) => return Ok(held),
                // Which the next look tells, unless the cache contradicts itself.
                Step::Changed => sleep(pauses.next()).await,
                // With a token that is good, another worker is not waited for.
                Step::Busy(_) if self.usable(account, rejected).is_some() => {
                    return Err(busy(self.config.wait));
                }
                Step::Busy(left) => sleep(pauses.next().min(left)).await,
            }
            if Instant::now() >= deadline {
                return Err(waited_too_long(longest));
            }
        }
    }

    /// One attempt: the lease, then the endpoint.
    async fn try_refresh(
        &self,
        key: &TokenKey,
        found: Option<&Held>,
        deadline: Instant,
    ) -> Result<Step, PollError> {
        // Before the lease, which does not wait.
        let Ok(_permit) = timeout_at(deadline, self.permits.acquire()).await else {
            return Err(waited_too_long(self.config.wait));
        };
        // First the token, then the question: `close` comes before both, or awaits the first.
        let _tracked = self.tasks.token();
        if self.tasks.is_closed() {
            return Err(closed());
        }
        let attempt = Attempt {
            seen: found.map_or_else(Version::default, |found| found.version),
            owner: self.generator.nonce(),
        };
        match self.lease(key, attempt).await? {
            Lease::Granted(failures) => self.refresh(key, attempt, failures, found).await,
            Lease::Changed => Ok(Step::Changed),
            Lease::Busy(left) => Ok(Step::Busy(left)),
            Lease::Cooling {
                left,
                refused: Some(code),
            } => Err(refresh_error::refused(code.as_str()).with_retry_after(left)),
            Lease::Cooling {
                left,
                refused: None,
            } => Err(cooling(left)),
        }
    }

    /// Asks for the lease, and again if its fate is unknown: nobody else would get it for its life.
    async fn lease(&self, key: &TokenKey, attempt: Attempt) -> Result<Lease, PollError> {
        let mut pauses = Backoff::new(self.generator.clone(), limits::LOOK_AGAIN);
        let mut attempts = 1;
        loop {
            match self.cache.lease(key, attempt, self.config.lease).await {
                Ok(lease) => return Ok(lease),
                Err(error) if attempts >= limits::LEASE_ATTEMPTS => {
                    return Err(cache_failed(error));
                }
                Err(error) => tracing::debug!(%key, %error, attempts, "asking for a lease"),
            }
            attempts += 1;
            sleep(pauses.next()).await;
        }
    }

    /// The newest token of the cache.
    async fn read(&self, key: &TokenKey) -> Result<Option<Held>, PollError> {
        let Some(cached) = self.cache.read(key).await.map_err(cache_failed)? else {
            return Ok(None);
        };
        let decoded = self.codec.decode(key, &cached.bytes);
        let credentials = decoded.map_err(|error| {
            // Nothing is overwritten: a worker that has the key may still need what is there.
            let flaw = format!("the cached token of {key} cannot be used: {error}");
            // While versions are deployed one after the other, a newer worker passes by.
            let class = match error {
                CodecError::Newer { .. } => ErrorClass::Transient,
                _ => ErrorClass::Invalid,
            };
            PollError::new(class, flaw).with_code("token_cache")
        })?;
        Ok(Some(self.held(credentials, cached.version)))
    }

    /// A token that has only just come is as fresh as can be had.
    fn check_age(
        &self,
        found: &Held,
        rejected: Option<Version>,
        now_ms: i64,
    ) -> Result<(), PollError> {
        let age = found.credentials.age(now_ms);
        if !found.is(rejected) || age >= self.config.shortest_life {
            return Ok(());
        }
        Err(PollError::unauthorized(format!(
            "the channel refuses a token that its endpoint gave {age:?} ago"
        ))
        .with_code("token_rejected"))
    }
}

/// What became of one attempt.
pub(super) enum Step {
    /// A fresh token, stored.
    Got(Held),
    /// Another worker was faster: look again.
    Changed,
    /// Another worker refreshes; its lease ends after this time.
    Busy(Duration),
}

pub(super) fn cache_failed(error: CacheError) -> PollError {
    PollError::transient("the token cache failed")
        .with_code("token_cache")
        .with_source(error)
}

pub(super) fn waited_too_long(wait: Duration) -> PollError {
    PollError::transient(format!(
        "no token came within {wait:?}: it is still being refreshed, or stored"
    ))
    .with_code("token_wait")
}

/// A refresh whose task did not end by itself: the runtime shuts down, or it panicked.
pub(super) fn stopped() -> PollError {
    PollError::transient("the refresh of the token was stopped").with_code("token_wait")
}

fn closed() -> PollError {
    let ends = "the process is about to end: no token is refreshed any more";
    PollError::new(ErrorClass::Interrupted, ends).with_code("token_wait")
}

fn busy(wait: Duration) -> PollError {
    PollError::transient("another worker refreshes the token")
        .with_code("token_wait")
        .with_retry_after(wait)
}

fn cooling(left: Duration) -> PollError {
    PollError::transient("the token endpoint failed, and is left alone for a while")
        .with_code("token_cooling")
        .with_retry_after(left)
}
