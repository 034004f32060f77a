//! Windows in headers of their own: `X-RateLimit-Limit`, `-Remaining`, `-Reset` and their like.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

use super::{
    Reset, ResetForm, Unread, Window, name,
    value::{Fault, calls_left, calls_used, limit, number},
};

use super::super::caps;

/// The headers of one window, or of several if they hold lists such as `200, 2000`.
///
/// What a channel does not send is worked out where it can be: a limit is what was used and what
/// remains.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowHeaders {
    /// Calls per window.
    #[serde(
        default,
        with = "name::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub limit: Option<HeaderName>,
    /// Calls left; less than none is none.
    #[serde(
        default,
        with = "name::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub remaining: Option<HeaderName>,
    /// Calls used.
    #[serde(
        default,
        with = "name::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub used: Option<HeaderName>,
    /// When the window ends.
    #[serde(
        default,
        with = "name::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub reset: Option<HeaderName>,
    /// What `reset` means.
    #[serde(default)]
    pub reset_form: ResetForm,
    /// How long the window lasts, seconds; of a list, each in its place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub window_s: Vec<u32>,
}

impl WindowHeaders {
    /// The usual four: `{prefix}-limit`, `-remaining`, `-used` and `-reset`.
    ///
    /// # Panics
    ///
    /// If `prefix` cannot begin a header's name: it has a blank, a colon or the like.
    #[must_use]
    pub fn prefixed(prefix: &str) -> Self {
        let name = |part| {
            let name = HeaderName::try_from(format!("{prefix}-{part}"));
            Some(name.expect("a prefix of a header's name"))
        };
        Self {
            limit: name("limit"),
            remaining: name("remaining"),
            used: name("used"),
            reset: name("reset"),
            ..Self::default()
        }
    }

    /// The same with the form of its reset declared.
    #[must_use]
    pub fn with_reset(mut self, form: ResetForm) -> Self {
        self.reset_form = form;
        self
    }

    /// The same with the lengths of its windows, seconds.
    #[must_use]
    pub fn with_windows(mut self, window_s: impl IntoIterator<Item = u32>) -> Self {
        self.window_s = window_s.into_iter().collect();
        self
    }

    pub(super) fn read(&self, headers: &HeaderMap, unread: &mut Vec<Unread>) -> Vec<Window> {
        let limits = numbers(headers, &self.limit, limit, unread);
        let remaining = numbers(headers, &self.remaining, Ok, unread);
        let used = numbers(headers, &self.used, Ok, unread);
        let resets = self.resets(headers, unread);
        // A limit may list policies that nothing else is told of; what is left is counted.
        let windows = match remaining.len().max(used.len()) {
            0 => limits.len().min(1).max(resets.len().min(1)),
            windows => windows,
        };
        let of_window = |at: usize| {
            let left = remaining.get(at).copied().flatten();
            let used = used.get(at).copied().flatten();
            let limit = limits.get(at).copied().flatten();
            let limit = limit.or_else(|| Some(calls_left(left?.max(0.0) + used?.max(0.0))));
            let unused = || Some(limit?.saturating_sub(calls_used(used?)));
            Window {
                limit,
                remaining: left.map(calls_left).or_else(unused),
                reset: resets.get(at).or(resets.last()).copied().flatten(),
                window_ms: self.window_s.get(at).map(|s| i64::from(*s) * 1000),
            }
        };
        (0..windows)
            .map(of_window)
            .filter(Window::is_told)
            .collect()
    }

    fn resets(&self, headers: &HeaderMap, unread: &mut Vec<Unread>) -> Vec<Option<Reset>> {
        let Some((name, text)) = listed(headers, &self.reset, unread) else {
            return Vec::new();
        };
        // A date has a comma of its own.
        if let Ok(reset) = self.reset_form.read(&text) {
            return vec![Some(reset)];
        }
        items(name, &text, |item| self.reset_form.read(item), unread)
    }
}

/// The numbers that a header lists as what they stand for; none if it is missing.
fn numbers<T>(
    headers: &HeaderMap,
    name: &Option<HeaderName>,
    of: impl Fn(f64) -> Result<T, Fault>,
    unread: &mut Vec<Unread>,
) -> Vec<Option<T>> {
    let Some((name, text)) = listed(headers, name, unread) else {
        return Vec::new();
    };
    items(name, &text, |item| number(item).and_then(&of), unread)
}

fn listed<'a>(
    headers: &'a HeaderMap,
    name: &'a Option<HeaderName>,
    unread: &mut Vec<Unread>,
) -> Option<(&'a HeaderName, Cow<'a, str>)> {
    let name = name.as_ref()?;
    Some((name, joined(headers, name, unread)?))
}

/// The items of a list, each without its parameters: of `100;w=60` the `100`.
fn items<T>(
    name: &HeaderName,
    text: &str,
    read: impl Fn(&str) -> Result<T, Fault>,
    unread: &mut Vec<Unread>,
) -> Vec<Option<T>> {
    let bare = |item: &str| read(item.split(';').next().unwrap_or(item));
    let items = text.split(',').take(caps::MAX_WINDOWS).map(bare);
    let (mut read, mut fault) = (Vec::new(), None);
    for item in items {
        read.push(item.map_err(|wrong| fault = fault.or(Some(wrong))).ok());
    }
    unread.extend(fault.map(|fault| Unread::new(name, text.as_bytes(), fault)));
    read
}

/// All values of a header as one text, as if they had come in one line; none if that is empty.
pub(super) fn joined<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
    unread: &mut Vec<Unread>,
) -> Option<Cow<'a, str>> {
    let values = headers.get_all(name).iter().map(HeaderValue::as_bytes);
    match *values.collect::<Vec<_>>() {
        [] => None,
        [only] => checked(name, only, unread).map(Cow::Borrowed),
        ref several => {
            let joined = several.join(&b", "[..]);
            let text = checked(name, &joined, unread)?;
            Some(Cow::Owned(text.to_owned()))
        }
    }
}

/// The first value of a header that is no list; none if it is empty.
pub(super) fn first<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
    unread: &mut Vec<Unread>,
) -> Option<&'a str> {
    checked(name, headers.get(name)?.as_bytes(), unread)
}

fn checked<'a>(name: &HeaderName, value: &'a [u8], unread: &mut Vec<Unread>) -> Option<&'a str> {
    let text = match str::from_utf8(value) {
        Ok(_) if value.len() > caps::MAX_HEADER_SIZE_BYTES => Err("is too large"),
        Ok(text) => Ok(text.trim()),
        Err(_) => Err("is no text"),
    };
    match text {
        Ok(text) => Some(text).filter(|text| !text.is_empty()),
        Err(fault) => {
            unread.push(Unread::new(name, value, fault));
            None
        }
    }
}
