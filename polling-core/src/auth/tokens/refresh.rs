//! One call of the token endpoint, and what becomes of its outcome.

use std::{panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt;
use tokio::time::{sleep, timeout};

use super::{Core, Held, obtain::Step};
use crate::{
    ErrorCode, PollError,
    auth::{
        Attempt, CoolDown, Credentials, Failures, FreshToken, RefreshError, RefreshErrorKind,
        Stored, TokenKey, Version, limits, token::millis,
    },
    backoff::Backoff,
};

impl Core {
    /// Calls the endpoint, under a lease.
    pub(super) async fn refresh(
        &self,
        key: &TokenKey,
        attempt: Attempt,
        failures: Failures,
        found: Option<&Held>,
    ) -> Result<Step, PollError> {
        let current = found.map(|found| &found.credentials);
        let fresh = match self.call(key, current).await {
            Ok(fresh) => fresh,
            Err(error) => return self.failed(key, attempt, failures, current, error).await,
        };
        let now_ms = self.clock.now_ms();
        let credentials = fresh.into_credentials(current, self.config.shortest_life, now_ms);
        let stored = self.save(key, attempt, &credentials).await;
        Ok(match stored {
            Stored::As(version) => Step::Got(self.held(credentials, version)),
            Stored::Superseded => Step::Changed,
        })
    }

    /// The endpoint's answer, in time and in bounds.
    async fn call(
        &self,
        key: &TokenKey,
        current: Option<&Credentials>,
    ) -> Result<FreshToken, RefreshError> {
        let limit = self.config.refresh_timeout;
        let call = async { self.endpoint.refresh(&key.account, current).await };
        let answered = timeout(limit, AssertUnwindSafe(call).catch_unwind()).await;
        let late = |_| RefreshError::unavailable(format!("no answer within {limit:?}"));
        let panicked = |_| RefreshError::invalid("the program's TokenEndpoint panicked");
        let fresh = answered.map_err(late)?.map_err(panicked)??;
        match fresh.flaw() {
            Some(flaw) => Err(RefreshError::invalid(flaw)),
            None => Ok(fresh),
        }
    }

    /// Stores a fresh token, however long the cache does not take it: until then nobody gets it,
    /// and its refresh token may be the only one that is good.
    async fn save(&self, key: &TokenKey, attempt: Attempt, credentials: &Credentials) -> Stored {
        let bytes = self.codec.encode(key, credentials);
        let mut pauses = Backoff::new(self.generator.clone(), limits::SAVE_BACKOFF);
        let mut attempts: u32 = 1;
        let stored = loop {
            match self.cache.store(key, attempt, &bytes).await {
                Ok(stored) => break stored,
                Err(error) if attempts < limits::SAVE_ALARM => {
                    tracing::warn!(%key, %error, attempts, "storing a fresh token");
                }
                Err(error) if attempts == limits::SAVE_ALARM => {
                    tracing::error!(%key, %error, "a fresh token is not stored yet; if this process ends now, its account may have to be connected anew");
                }
                Err(error) => tracing::debug!(%key, %error, attempts, "storing a fresh token"),
            }
            attempts = attempts.saturating_add(1);
            sleep(pauses.next()).await;
        };
        match stored {
            Stored::As(_) => tracing::info!(%key, attempts, "token refreshed"),
            Stored::Superseded => {
                tracing::warn!(%key, "a refresh was overtaken by another: its token is not kept");
            }
        }
        stored
    }

    /// A token as this process keeps it at hand.
    pub(super) fn held(&self, credentials: Credentials, version: Version) -> Held {
        let refresh_at_ms = self.refresh_at_ms(&credentials);
        Held {
            credentials,
            version,
            refresh_at_ms,
        }
    }

    /// When to refresh: each token, in each worker, with a jitter of its own.
    fn refresh_at_ms(&self, credentials: &Credentials) -> i64 {
        let jitter = self.config.jitter.mul_f64(self.generator.fraction());
        credentials.refresh_at_ms(self.config.margin.saturating_add(jitter))
    }

    /// Begins the cool-downs.
    async fn failed(
        &self,
        key: &TokenKey,
        attempt: Attempt,
        failures: Failures,
        current: Option<&Credentials>,
        error: RefreshError,
    ) -> Result<Step, PollError> {
        let cool_down = self.cool_down(failures, &error);
        let left = cool_down.account;
        let is_refused = error.kind() == RefreshErrorKind::Refused;
        let error = error.into_poll_error(current).with_retry_after(left);
        let refused = error.code().filter(|_| is_refused).cloned();
        let cool_down = CoolDown {
            refused: refused.or_else(|| is_refused.then(unnamed)),
            ..cool_down
        };
        tracing::warn!(%key, %error, cool_down_ms = millis(left), "refreshing a token failed");
        if let Err(unknown) = self.cache.fail(key, attempt, cool_down).await {
            // The lease keeps others away until it ends.
            tracing::warn!(%key, error = %unknown, "the cool-down may not be known to other workers");
        }
        // Someone may have been faster, with success: then that is what counts.
        let newest = self.cache.read(key).await.ok().flatten();
        if newest.is_some_and(|newest| newest.version != attempt.seen) {
            return Ok(Step::Changed);
        }
        Err(error)
    }

    fn cool_down(&self, failures: Failures, error: &RefreshError) -> CoolDown {
        let is_refused = error.kind() == RefreshErrorKind::Refused;
        let cool = |failures| self.cool_for(failures, error.retry_after());
        CoolDown {
            failures,
            account: match is_refused {
                true => self.config.refused_cool_down,
                false => cool(failures.account),
            },
            endpoint: (!is_refused).then(|| cool(failures.endpoint)),
            refused: None,
        }
    }

    /// Doubles with each failure; what the endpoint asks for counts, within the bound.
    fn cool_for(&self, failures: u32, asked: Option<Duration>) -> Duration {
        let (first, longest) = self.config.cool_down;
        let doubled = first.saturating_mul(1u32 << failures.min(31));
        let least = doubled.max(asked.unwrap_or_default()).min(longest);
        least.mul_f64(1.0 + self.generator.fraction() / 4.0)
    }
}

/// For a refusal whose code is empty.
fn unnamed() -> ErrorCode {
    ErrorCode::new("refused").expect("refused is a valid code")
}
