//! The dialects of well-known channels.

use super::{Dialect, ResetForm, UsageHeader, WindowHeaders};

impl Dialect {
    /// For a channel of which nothing is known: `X-RateLimit-*`, `X-Rate-Limit-*` and the draft's
    /// `RateLimit`, their resets told apart by their values.
    #[must_use]
    pub fn common() -> Self {
        Self {
            windows: vec![
                WindowHeaders::prefixed("x-ratelimit"),
                WindowHeaders::prefixed("x-rate-limit"),
            ],
            draft: true,
            ..Self::default()
        }
    }

    /// One window of `{prefix}-limit`, `-remaining`, `-used` and `-reset`, whose reset has `form`.
    ///
    /// # Panics
    ///
    /// If `prefix` cannot begin a header's name.
    #[must_use]
    pub fn of_headers(prefix: &str, form: ResetForm) -> Self {
        Self {
            windows: vec![WindowHeaders::prefixed(prefix).with_reset(form)],
            ..Self::default()
        }
    }

    /// Mastodon: 300 calls in five minutes for an account; some endpoints have windows of their
    /// own. The reset is an ISO instant.
    #[must_use]
    pub fn mastodon() -> Self {
        Self::of_headers("x-ratelimit", ResetForm::Instant)
    }

    /// GitHub: an hour's window for a token. The reset counts Unix seconds. A secondary limit is
    /// told by `Retry-After` alone. What `X-RateLimit-Resource` names has a window of its own, so
    /// give calls of another resource, such as a search, a scope of their own.
    #[must_use]
    pub fn github() -> Self {
        Self::of_headers("x-ratelimit", ResetForm::UnixS)
    }

    /// X: windows of 15 minutes for each endpoint, and for some of a day, for the user and for the
    /// app. The reset counts Unix seconds.
    #[must_use]
    pub fn x() -> Self {
        let prefixes = ["x-rate-limit", "x-user-limit-24hour", "x-app-limit-24hour"];
        let windows =
            prefixes.map(|prefix| WindowHeaders::prefixed(prefix).with_reset(ResetForm::UnixS));
        Self {
            windows: windows.into(),
            ..Self::default()
        }
    }

    /// Reddit: windows of 10 minutes. The reset counts the seconds left; the limit is what was
    /// used and what remains.
    #[must_use]
    pub fn reddit() -> Self {
        Self::of_headers("x-ratelimit", ResetForm::SecondsLeft)
    }

    /// The Graph API: percentages of use for the app, the ad account and each business use case,
    /// over a rolling hour. Allowances count per cent unless [`UsageHeader::limit`] is set.
    #[must_use]
    pub fn graph() -> Self {
        const HOUR_S: u32 = 3600;
        let names = [
            "x-app-usage",
            "x-ad-account-usage",
            "x-business-use-case-usage",
        ];
        Self {
            usage: names.map(|name| UsageHeader::graph(name, HOUR_S)).into(),
            ..Self::default()
        }
    }
}
