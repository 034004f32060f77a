//! How a channel tells its rate limits: declared, not coded.
//!
//! A [`Dialect`] names the headers of a channel and what they mean. It comes ready-made for
//! well-known channels, from configuration, or is put together by hand:
//!
//! ```
//! use http::{HeaderMap, HeaderValue, StatusCode};
//! use polling_core::{ScopeKey, http::dialect::Dialect};
//!
//! let mut headers = HeaderMap::new();
//! headers.insert("date", HeaderValue::from_static("Sat, 01 Aug 2026 13:52:47 GMT"));
//! headers.insert("x-ratelimit-limit", HeaderValue::from_static("300"));
//! headers.insert("x-ratelimit-remaining", HeaderValue::from_static("299"));
//! headers.insert("x-ratelimit-reset", HeaderValue::from_static("2026-08-01T13:55:00.885474Z"));
//!
//! // Our clock is two minutes behind the channel's.
//! let received_ms = 1_785_592_367_000 - 120_000;
//! let reading = Dialect::mastodon().read(
//!     StatusCode::OK, &headers, &ScopeKey::new("account:42")?, received_ms,
//! );
//! let allowance = &reading.allowances[0];
//! assert_eq!((allowance.limit, allowance.remaining), (Some(300), Some(299)));
//! assert_eq!(allowance.reset_at_ms, Some(received_ms + 133_885));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! In configuration, here with TOML, the same is:
//!
//! ```toml
//! [[windows]]
//! limit = "X-RateLimit-Limit"
//! remaining = "X-RateLimit-Remaining"
//! reset = "X-RateLimit-Reset"
//! reset_form = "instant"     # of ResetForm; told apart by its value unless declared
//! window_s = [300]
//! ```
//!
//! What a channel says is not trusted: resets are neither in the past nor more than
//! [`MAX_RESET_AHEAD_MS`](super::caps::MAX_RESET_AHEAD_MS) away, counts are between 0 and
//! [`MAX_CALLS`](super::caps::MAX_CALLS), and what cannot be read is left out and told.

mod draft;
mod headers;
mod instant;
mod name;
mod preset;
mod reset;
mod usage;
mod value;
mod window;

use std::time::Duration;

use http::{HeaderMap, StatusCode, header};
use serde::{Deserialize, Serialize};

pub use self::{
    headers::WindowHeaders,
    instant::instant_ms,
    reset::{Reset, ResetForm},
    usage::UsageHeader,
    window::{Clocks, Unread, Window},
};
use super::caps;
use crate::{Allowance, ScopeKey};

/// How a channel tells its rate limits. One that declares nothing reads `Retry-After` alone.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dialect {
    /// Windows in headers of their own, such as `X-RateLimit-*`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<WindowHeaders>,
    /// Percentages of use in JSON.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub usage: Vec<UsageHeader>,
    /// Whether the `RateLimit` headers of the IETF draft are read, old and new. Of these, windows
    /// that count something else than calls are left out.
    #[serde(default)]
    pub draft: bool,
}

/// What a response tells, before any clock comes in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Told {
    /// Its windows, at most [`caps::MAX_WINDOWS`].
    pub windows: Vec<Window>,
    /// When to come again.
    pub retry_after: Option<Reset>,
    /// Headers that are there but cannot be read.
    pub unread: Vec<Unread>,
}

/// What a response means to the worker.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reading {
    /// One for each window, clamped, by the worker's clock.
    pub allowances: Vec<Allowance>,
    /// How long the channel asked to wait, at most [`caps::MAX_RESET_AHEAD_MS`].
    pub retry_after: Option<Duration>,
    /// Headers that are there but cannot be read.
    pub unread: Vec<Unread>,
}

impl Dialect {
    /// What a response received at `received_ms`, UTC milliseconds by the worker's clock, says
    /// about the limits of `scope`. The response's `Date` tells how the channel's clock differs.
    #[must_use]
    pub fn read(
        &self,
        status: StatusCode,
        headers: &HeaderMap,
        scope: &ScopeKey,
        received_ms: i64,
    ) -> Reading {
        let clocks = Clocks::new(received_ms, date_ms(headers));
        let told = self.told_at(status, headers, Some(clocks.channel_ms()));
        let allowances = told.windows.iter();
        let wait_ms = told
            .retry_after
            .map(|reset| clocks.local_ms(reset) - received_ms);
        Reading {
            allowances: allowances
                .map(|window| window.allowance(scope.clone(), clocks))
                .collect(),
            retry_after: wait_ms.map(|ms| Duration::from_millis(ms.unsigned_abs())),
            unread: told.unread,
        }
    }

    /// What a response tells by itself, for those who have no clock to go by: a recorded one.
    #[must_use]
    pub fn told(&self, status: StatusCode, headers: &HeaderMap) -> Told {
        self.told_at(status, headers, date_ms(headers))
    }

    /// The same, made when the channel's clock read `made_ms`, if that is known.
    fn told_at(&self, status: StatusCode, headers: &HeaderMap, made_ms: Option<i64>) -> Told {
        let mut told = Told::default();
        for group in &self.windows {
            told.windows.extend(group.read(headers, &mut told.unread));
        }
        for usage in &self.usage {
            told.windows.extend(usage.read(headers, &mut told.unread));
        }
        if self.draft {
            told.windows.extend(draft::read(headers, &mut told.unread));
        }
        told.retry_after = retry_after(headers, &mut told.unread);
        if told.retry_after.is_some_and(|wait| wait.is_sane(made_ms)) {
            // It is to be followed, and no reset that cannot be.
            for window in &mut told.windows {
                window.reset = window.reset.filter(|reset| reset.is_sane(made_ms));
            }
        }
        heed_refusal(status, &mut told);
        keep_strictest(&mut told.windows);
        for window in &mut told.windows {
            // What is used up without a word on when it ends, ends after a whole window.
            let whole = window.window_ms.map(Reset::After);
            let used_up = window.remaining == Some(0);
            window.reset = window.reset.or(whole.filter(|_| used_up));
        }
        told
    }
}

/// Of too many windows those with the least left.
fn keep_strictest(windows: &mut Vec<Window>) {
    if windows.len() > caps::MAX_WINDOWS {
        windows.sort_by_key(|window| window.remaining.unwrap_or(u64::MAX));
        windows.truncate(caps::MAX_WINDOWS);
    }
}

/// Whether there were too many calls: 429, and 420 of some.
pub(super) fn is_too_many(status: StatusCode) -> bool {
    matches!(status.as_u16(), 420 | 429)
}

/// A refused call says that nothing remains, even if the windows do not.
fn heed_refusal(status: StatusCode, told: &mut Told) {
    let retry_after = told.retry_after;
    let forbidden = status == StatusCode::FORBIDDEN && retry_after.is_some();
    let refused = is_too_many(status) || forbidden;
    if let [only] = told.windows.as_mut_slice()
        && refused
    {
        only.remaining = only.remaining.or(Some(0));
    }
    let mut known = false;
    for window in &mut told.windows {
        if window.remaining == Some(0) {
            window.reset = window.reset.or(retry_after);
            known |= window.reset == retry_after;
        }
    }
    if refused && !known && retry_after.is_some() {
        // The last of the windows that are used up counts.
        told.windows.push(Window {
            remaining: Some(0),
            reset: retry_after,
            ..Window::default()
        });
    }
}

fn retry_after(headers: &HeaderMap, unread: &mut Vec<Unread>) -> Option<Reset> {
    let text = headers::first(headers, &header::RETRY_AFTER, unread)?;
    let read = ResetForm::Auto.read(text);
    let told = |fault| unread.push(Unread::new(&header::RETRY_AFTER, text.as_bytes(), fault));
    read.map_err(told).ok()
}

/// The channel's clock as the response was made, UTC milliseconds: its `Date`, and its `Age` if it
/// comes from a cache.
#[must_use]
pub fn date_ms(headers: &HeaderMap) -> Option<i64> {
    let text = |name| headers.get(name)?.to_str().ok();
    let date_ms = instant_ms(text(header::DATE)?)?;
    let age_s = text(header::AGE).and_then(|age| age.trim().parse::<u32>().ok());
    Some(date_ms + i64::from(age_s.unwrap_or(0)) * 1000)
}
