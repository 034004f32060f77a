//! What a token endpoint gives, what is kept of it, and what a poller gets.

use std::{fmt, time::Duration};

use super::{Secret, Version, limits};

/// What a token endpoint has just given for an account.
///
/// ```
/// use std::time::Duration;
/// use polling_core::auth::FreshToken;
///
/// let fresh = FreshToken::new("access").with_refresh("refresh").expires_in(Duration::from_secs(3600));
/// assert!(!format!("{fresh:?}").contains("access\""));
/// ```
#[derive(Debug, Clone)]
pub struct FreshToken {
    /// For calls of the channel.
    pub access: Secret,
    /// For the next refresh. `None` keeps the one before.
    pub refresh: Option<Secret>,
    /// How long the access token lives. `None`: until the channel refuses it.
    pub expires_in: Option<Duration>,
}

impl FreshToken {
    /// An access token that lives until the channel refuses it.
    #[must_use]
    pub fn new(access: impl Into<Secret>) -> Self {
        Self {
            access: access.into(),
            refresh: None,
            expires_in: None,
        }
    }

    /// Adds the refresh token that came along.
    #[must_use]
    pub fn with_refresh(mut self, refresh: impl Into<Secret>) -> Self {
        self.refresh = Some(refresh.into());
        self
    }

    /// Adds how long the access token lives; at most [`limits::MAX_LIFE`] counts.
    #[must_use]
    pub fn expires_in(mut self, life: Duration) -> Self {
        self.expires_in = Some(life);
        self
    }

    /// As it is kept from `now_ms` on, with the refresh token of `before` unless a new one came.
    pub(super) fn into_credentials(
        self,
        before: Option<&Credentials>,
        shortest_life: Duration,
        now_ms: i64,
    ) -> Credentials {
        let ends = |life: Duration| {
            let life = life.clamp(shortest_life.min(limits::MAX_LIFE), limits::MAX_LIFE);
            now_ms.saturating_add(millis(life))
        };
        Credentials {
            access: self.access,
            refresh: self
                .refresh
                .or_else(|| before.and_then(|before| before.refresh.clone())),
            issued_at_ms: now_ms,
            expires_at_ms: self.expires_in.map(ends),
        }
    }

    /// Whether a part of it is empty or longer than what is taken.
    pub(super) fn flaw(&self) -> Option<String> {
        let flaw = |name: &str, secret: &Secret| {
            let len = secret.expose().len();
            let max = limits::MAX_SECRET_LEN;
            let wrong = len == 0 || len > max;
            wrong.then(|| format!("{name} token has {len} bytes: 1 to {max} are allowed"))
        };
        let refresh = self.refresh.as_ref();
        flaw("the access", &self.access)
            .or_else(|| refresh.and_then(|refresh| flaw("the refresh", refresh)))
    }
}

/// What is kept for an account: what a refresh starts from.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// For calls of the channel.
    pub access: Secret,
    /// For the next refresh, if the channel has such tokens.
    pub refresh: Option<Secret>,
    /// When the access token came, UTC milliseconds.
    pub issued_at_ms: i64,
    /// When the access token ends, UTC milliseconds. `None`: when the channel refuses it.
    pub expires_at_ms: Option<i64>,
}

impl Credentials {
    /// When to refresh: `early` before the end, but never in the first half of the token's life.
    pub(super) fn refresh_at_ms(&self, early: Duration) -> i64 {
        let Some(expires_at_ms) = self.expires_at_ms else {
            return i64::MAX;
        };
        let half_ms = expires_at_ms.saturating_sub(self.issued_at_ms).max(0) / 2;
        expires_at_ms.saturating_sub(millis(early).min(half_ms))
    }

    /// Whether a call that begins now may still use it.
    pub(super) fn is_usable(&self, now_ms: i64) -> bool {
        let last_use_ms = millis(limits::LAST_USE);
        self.expires_at_ms
            .is_none_or(|expires_at_ms| now_ms < expires_at_ms.saturating_sub(last_use_ms))
    }

    /// How far from now it came: before, or after by the clock of a worker that is ahead.
    pub(super) fn age(&self, now_ms: i64) -> Duration {
        Duration::from_millis(now_ms.abs_diff(self.issued_at_ms))
    }
}

/// An access token as a poller gets it. Cheap to clone; shows nothing.
#[derive(Clone)]
pub struct AccessToken {
    secret: Secret,
    version: Version,
}

impl AccessToken {
    /// A token that is the `version`th of its account, for sources of your own.
    #[must_use]
    pub fn new(secret: impl Into<Secret>, version: Version) -> Self {
        Self {
            secret: secret.into(),
            version,
        }
    }

    /// The token itself, for the `Authorization` header.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.secret.expose()
    }

    /// Tells it from the account's other tokens.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccessToken([secret], {:?})", self.version)
    }
}

/// Whole milliseconds.
pub(super) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORTEST: Duration = Duration::from_secs(10);

    fn kept(fresh: FreshToken) -> Credentials {
        fresh.into_credentials(None, SHORTEST, 1_000_000)
    }

    #[test]
    fn a_token_is_refreshed_early_but_not_in_the_first_half_of_its_life() {
        let early = Duration::from_secs(90);
        let hour = kept(FreshToken::new("a").expires_in(Duration::from_secs(3600)));
        assert_eq!(hour.refresh_at_ms(early), 1_000_000 + 3_510_000);
        let minute = kept(FreshToken::new("a").expires_in(Duration::from_secs(60)));
        assert_eq!(minute.refresh_at_ms(early), 1_000_000 + 30_000);
        assert_eq!(kept(FreshToken::new("a")).refresh_at_ms(early), i64::MAX);
    }

    #[test]
    fn absurd_lives_are_clamped() {
        let ends = |life| kept(FreshToken::new("a").expires_in(life)).expires_at_ms;
        assert_eq!(ends(Duration::ZERO), Some(1_000_000 + millis(SHORTEST)));
        assert_eq!(
            ends(Duration::MAX),
            Some(1_000_000 + millis(limits::MAX_LIFE))
        );
    }

    #[test]
    fn the_refresh_token_is_kept_unless_a_new_one_came() {
        let first = kept(FreshToken::new("a").with_refresh("r1"));
        let refresh = |fresh: FreshToken| {
            let kept = fresh.into_credentials(Some(&first), SHORTEST, 0);
            kept.refresh.map(|refresh| refresh.expose().to_owned())
        };
        assert_eq!(refresh(FreshToken::new("b")).as_deref(), Some("r1"));
        let rotated = FreshToken::new("b").with_refresh("r2");
        assert_eq!(refresh(rotated).as_deref(), Some("r2"));
    }

    #[test]
    fn empty_and_oversized_tokens_are_refused_without_being_shown() {
        assert_eq!(FreshToken::new("fine").flaw(), None);
        assert_eq!(
            FreshToken::new("").flaw().unwrap(),
            "the access token has 0 bytes: 1 to 16384 are allowed"
        );
        let long = FreshToken::new("a").with_refresh("x".repeat(20_000));
        assert!(
            long.flaw()
                .unwrap()
                .starts_with("the refresh token has 20000")
        );
    }
}
