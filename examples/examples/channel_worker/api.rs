//! The part of Mastodon's API that the poller needs.

use std::{error::Error, fmt, time::Duration};

use polling_core::{Allowance, ScopeKey};
use reqwest::{Client, Response, StatusCode, header::HeaderMap};
use serde_json::value::RawValue;

/// Statuses of a page: as many as Mastodon gives unless asked.
pub(crate) const PAGE_LIMIT: usize = 20;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// How long one call may take, within the poll's own deadline.
const CALL_TIMEOUT: Duration = Duration::from_secs(4);

/// Calls the channel.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    base: String,
    client: Client,
}

/// One page, and what the channel said about the account's limit.
#[derive(Debug)]
pub(crate) struct Page {
    /// Newest first.
    pub(crate) statuses: Vec<Box<RawValue>>,
    pub(crate) allowance: Option<Allowance>,
}

/// A call that brought no page.
#[derive(Debug)]
pub(crate) enum ApiError {
    /// The channel refused it.
    Refused {
        status: StatusCode,
        retry_after: Option<Duration>,
        allowance: Option<Allowance>,
    },
    /// No answer, or one that makes no sense.
    Broken(reqwest::Error),
    /// An answer that is no page of statuses.
    Malformed(serde_json::Error),
}

impl Api {
    /// `name` is what the channel sees as the caller.
    pub(crate) fn new(base: &str, name: &str) -> reqwest::Result<Self> {
        // Built together with `polling_core::http`, reqwest wants somebody to choose its
        // cryptography, though this channel is not encrypted. Whoever was first wins.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .user_agent(name)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(CALL_TIMEOUT)
            .build()?;
        let base = base.trim_end_matches('/').to_owned();
        Ok(Self { base, client })
    }

    /// The page directly above `min_id`: with `since_id` alone the channel would give the newest
    /// page, and skip what lies between. `since_id` is where the poll began.
    pub(crate) async fn page(
        &self,
        account: &str,
        since_id: u64,
        min_id: u64,
    ) -> Result<Page, ApiError> {
        let url = format!(
            "{}/api/v1/accounts/{account}/statuses?since_id={since_id}&min_id={min_id}&limit={PAGE_LIMIT}",
            self.base
        );
        let response = self.client.get(url).send().await?;
        let allowance = allowance(account, response.headers());
        if response.status() != StatusCode::OK {
            return Err(refused(&response, allowance));
        }
        let body = response.bytes().await?;
        let statuses = serde_json::from_slice(&body).map_err(ApiError::Malformed)?;
        Ok(Page {
            statuses,
            allowance,
        })
    }
}

fn refused(response: &Response, allowance: Option<Allowance>) -> ApiError {
    let wait_s = number(response.headers(), "retry-after");
    ApiError::Refused {
        status: response.status(),
        retry_after: wait_s.map(Duration::from_secs),
        allowance,
    }
}

/// From the `X-RateLimit-*` headers; each of them may be missing.
fn allowance(account: &str, headers: &HeaderMap) -> Option<Allowance> {
    let mut allowance = Allowance::of(ScopeKey::new(format!("account:{account}")).ok()?);
    allowance.limit = number(headers, "x-ratelimit-limit");
    allowance.remaining = number(headers, "x-ratelimit-remaining");
    allowance.reset_at_ms = date_ms(text(headers, "x-ratelimit-reset").unwrap_or_default());
    allowance.remaining.is_some().then_some(allowance)
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    text(headers, name)?.parse().ok()
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// UTC milliseconds of an ISO 8601 date.
pub(crate) fn date_ms(text: &str) -> Option<i64> {
    let since_epoch = humantime::parse_rfc3339(text)
        .ok()?
        .duration_since(std::time::UNIX_EPOCH);
    i64::try_from(since_epoch.ok()?.as_millis()).ok()
}

impl From<reqwest::Error> for ApiError {
    fn from(error: reqwest::Error) -> Self {
        Self::Broken(error)
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { status, .. } => write!(f, "the channel answered {status}"),
            Self::Broken(_) => f.write_str("no answer from the channel"),
            Self::Malformed(_) => f.write_str("the answer is no page of statuses"),
        }
    }
}

impl Error for ApiError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Refused { .. } => None,
            Self::Broken(error) => Some(error),
            Self::Malformed(error) => Some(error),
        }
    }
}
