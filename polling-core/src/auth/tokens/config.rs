//! What an operator may set.

use std::time::Duration;

use crate::auth::limits;

/// Times and bounds of [`Tokens`](super::Tokens).
///
/// ```
/// use std::time::Duration;
/// use polling_core::auth::TokensConfig;
///
/// let config = TokensConfig { margin: Duration::from_secs(300), ..TokensConfig::default() };
/// assert!(config.check().is_ok());
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct TokensConfig {
    /// A token is refreshed so long before its end, but not in the first half of its life. 60 s.
    pub margin: Duration,
    /// And up to this much earlier, at random, so that tokens that came together do not go
    /// together. 60 s.
    pub jitter: Duration,
    /// Deadline of one call of the token endpoint. 20 s.
    pub refresh_timeout: Duration,
    /// When a worker that died while it refreshed is no longer waited for. At least
    /// `refresh_timeout` and [`limits::SAVE_BUDGET`]. 60 s.
    pub lease: Duration,
    /// How long a poll waits for a token. A refresh that takes longer goes on, for the next poll.
    /// 15 s.
    pub wait: Duration,
    /// First and longest cool-down after a failed refresh; it doubles with each that follows, and
    /// up to a quarter is added at random. 5 s and 15 min.
    pub cool_down: (Duration, Duration),
    /// How long an account is left alone that the endpoint refused for good. 1 h.
    pub refused_cool_down: Duration,
    /// A token that its endpoint calls shorter-lived counts as good for this long; and one that is
    /// younger is not refreshed because the channel refuses it. 10 s.
    pub shortest_life: Duration,
    /// Most refreshes of this process at once. 32.
    pub concurrency: usize,
}

impl Default for TokensConfig {
    fn default() -> Self {
        Self {
            margin: Duration::from_secs(60),
            jitter: Duration::from_secs(60),
            refresh_timeout: Duration::from_secs(20),
            lease: Duration::from_secs(60),
            wait: Duration::from_secs(15),
            cool_down: (Duration::from_secs(5), Duration::from_secs(900)),
            refused_cool_down: Duration::from_secs(3600),
            shortest_life: Duration::from_secs(10),
            concurrency: 32,
        }
    }
}

/// A setting that cannot work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {flaw}")]
pub struct TokensConfigError {
    /// Which.
    pub field: &'static str,
    /// What is wrong, and what to do.
    pub flaw: String,
}

impl TokensConfig {
    /// Whether the times fit into each other.
    ///
    /// # Errors
    ///
    /// [`TokensConfigError`] for the first setting that cannot work.
    pub fn check(&self) -> Result<(), TokensConfigError> {
        let shortest = Duration::from_millis(1);
        let longest = limits::MAX_LIFE;
        for (field, value) in [
            ("refresh_timeout", self.refresh_timeout),
            ("lease", self.lease),
            ("wait", self.wait),
            ("cool_down's first", self.cool_down.0),
            ("cool_down's longest", self.cool_down.1),
            ("refused_cool_down", self.refused_cool_down),
            ("shortest_life", self.shortest_life),
        ] {
            if !(shortest..=longest).contains(&value) {
                let flaw = format!("is {value:?}: set it to between 1 ms and 366 days");
                return Err(TokensConfigError { field, flaw });
            }
        }
        self.check_order()
    }

    fn check_order(&self) -> Result<(), TokensConfigError> {
        let flawed = |field, flaw| Err(TokensConfigError { field, flaw });
        let needed = self.refresh_timeout + limits::SAVE_BUDGET;
        if self.lease < needed {
            let lease = self.lease;
            return flawed(
                "lease",
                format!("is {lease:?}: refresh_timeout and storing the token need {needed:?}"),
            );
        }
        if self.cool_down.0 > self.cool_down.1 {
            let flaw = "begins longer than its longest: swap them".to_owned();
            return flawed("cool_down", flaw);
        }
        if self.concurrency == 0 {
            let flaw = "is 0: nothing would ever be refreshed; set at least 1".to_owned();
            return flawed("concurrency", flaw);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_must_outlive_its_refresh() {
        let config = TokensConfig {
            lease: Duration::from_secs(49),
            ..TokensConfig::default()
        };
        assert_eq!(
            config.check().unwrap_err().to_string(),
            "lease is 49s: refresh_timeout and storing the token need 50s"
        );
    }

    #[test]
    fn what_would_stop_all_refreshes_is_refused() {
        let none = TokensConfig {
            concurrency: 0,
            ..TokensConfig::default()
        };
        assert_eq!(none.check().unwrap_err().field, "concurrency");
        let zero = TokensConfig {
            wait: Duration::ZERO,
            ..TokensConfig::default()
        };
        assert_eq!(zero.check().unwrap_err().field, "wait");
    }
}
