//! Windows in headers of their own: `X-RateLimit-Limit`, `-Remaining`, `-Reset` and their like.

use http::{HeaderMap, HeaderName};
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
        let mut read = |name| numbers(headers, name, unread);
        let (limits, remaining, used) =
            (read(&self.limit), read(&self.remaining), read(&self.used));
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
            let limit = limit.or_else(|| Some(left?.max(0.0) + used?));
            Window {
                limit: limit.and_then(|calls| self::limit(calls).ok()),
                remaining: left
                    .or_else(|| Some(limit? - calls_used(used?) as f64))
                    .map(calls_left),
                reset: resets.get(at).or(resets.last()).copied().flatten(),
                window_ms: self.window_s.get(at).map(|s| i64::from(*s) * 1000),
            }
        };
        let windows = (0..windows.min(caps::MAX_WINDOWS)).map(of_window);
        windows.filter(Window::is_told).collect()
    }

    fn resets(&self, headers: &HeaderMap, unread: &mut Vec<Unread>) -> Vec<Option<Reset>> {
        let Some((name, text)) = text(headers, &self.reset, unread) else {
            return Vec::new();
        };
        // A date has a comma of its own.
        if let Ok(reset) = self.reset_form.read(text) {
            return vec![Some(reset)];
        }
        let read = |item: &str| self.reset_form.read(bare(item));
        list(name, text, read, unread)
    }
}

/// The numbers listed by a header, none if it is missing.
fn numbers(
    headers: &HeaderMap,
    name: &Option<HeaderName>,
    unread: &mut Vec<Unread>,
) -> Vec<Option<f64>> {
    let Some((name, text)) = text(headers, name, unread) else {
        return Vec::new();
    };
    list(name, text, |item| number(bare(item)), unread)
}

fn list<T>(
    name: &HeaderName,
    text: &str,
    read: impl Fn(&str) -> Result<T, Fault>,
    unread: &mut Vec<Unread>,
) -> Vec<Option<T>> {
    let items = text.split(',').take(caps::MAX_WINDOWS);
    let mut noted = |fault| unread.push(Unread::new(name, text.as_bytes(), fault));
    items
        .map(|item| read(item).map_err(&mut noted).ok())
        .collect()
}

/// An item of a list without its parameters: of `100;w=60` the `100`.
fn bare(item: &str) -> &str {
    item.split(';').next().unwrap_or(item)
}

/// The text of a header that is there, not empty and not too large.
pub(super) fn text<'a>(
    headers: &'a HeaderMap,
    name: &'a Option<HeaderName>,
    unread: &mut Vec<Unread>,
) -> Option<(&'a HeaderName, &'a str)> {
    let name = name.as_ref()?;
    let value = headers.get(name)?.as_bytes();
    let text = match str::from_utf8(value) {
        Ok(_) if value.len() > caps::MAX_HEADER_SIZE_BYTES => Err("is too large"),
        Ok(text) => Ok(text.trim()),
        Err(_) => Err("is no text"),
    };
    match text {
        Ok("") => None,
        Ok(text) => Some((name, text)),
        Err(fault) => {
            unread.push(Unread::new(name, value, fault));
            None
        }
    }
}
