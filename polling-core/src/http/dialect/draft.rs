//! The `RateLimit` headers of the IETF draft "RateLimit header fields for HTTP", old and new.
//!
//! | drafts | headers |
//! |---|---|
//! | 00 to 06 | `RateLimit-Limit: 100, 100;w=60`, `RateLimit-Remaining: 7`, `RateLimit-Reset: 30` |
//! | 07 | `RateLimit: limit=100, remaining=7, reset=30`, `RateLimit-Policy: 100;w=60` |
//! | from 08 | `RateLimit: "burst";r=7;t=30`, `RateLimit-Policy: "burst";q=100;w=60` |

use http::{HeaderMap, HeaderName};
use sfv::{BareItem, Dictionary, Item, List, ListEntry, Parser};

use super::{
    Reset, Unread, Window, WindowHeaders, headers,
    value::{calls_left, limit, ms},
};

use super::super::caps;

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");

/// What a policy says: so many calls per window.
struct Policy {
    name: Option<String>,
    limit: Option<u64>,
    window_ms: Option<i64>,
    counts_calls: bool,
}

pub(super) fn read(headers: &HeaderMap, unread: &mut Vec<Unread>) -> Vec<Window> {
    let mut policies = policies(headers, &POLICY, unread);
    // What is wrong with a limit is told by those who read it.
    policies.extend(self::policies(headers, &LIMIT, &mut Vec::new()));
    let mut windows = if headers.contains_key(RATE_LIMIT) {
        service_limits(headers, &policies, unread)
    } else {
        WindowHeaders::prefixed("ratelimit").read(headers, unread)
    };
    for window in &mut windows {
        let same = |policy: &&Policy| policy.limit.is_some() && policy.limit == window.limit;
        let mut lengths_ms = policies
            .iter()
            .filter(same)
            .filter_map(|policy| policy.window_ms);
        window.window_ms = window.window_ms.or_else(|| lengths_ms.next());
    }
    windows
}

/// The items of `RateLimit`: a list from draft 08 on, a dictionary before.
fn service_limits(
    headers: &HeaderMap,
    policies: &[Policy],
    unread: &mut Vec<Unread>,
) -> Vec<Window> {
    let Some(text) = headers::joined(headers, &RATE_LIMIT, unread) else {
        return Vec::new();
    };
    if let Ok(dictionary) = Parser::new(&*text).parse::<Dictionary>()
        && member(&dictionary, "remaining").is_some()
    {
        return vec![from_dictionary(&dictionary)];
    }
    let items = items(&RATE_LIMIT, &text, unread);
    let windows = items.iter().filter_map(|item| from_item(item, policies));
    windows.filter(Window::is_told).collect()
}

fn member(dictionary: &Dictionary, key: &str) -> Option<f64> {
    match dictionary.get(key)? {
        ListEntry::Item(item) => decimal(&item.bare_item),
        ListEntry::InnerList(_) => None,
    }
}

fn from_dictionary(dictionary: &Dictionary) -> Window {
    let member = |key| member(dictionary, key);
    Window {
        limit: member("limit").and_then(|calls| limit(calls).ok()),
        remaining: member("remaining").map(calls_left),
        reset: member("reset").map(|seconds| Reset::After(ms(seconds))),
        window_ms: None,
    }
}

/// The window of an item, unless its policy counts something else than calls.
fn from_item(item: &Item, policies: &[Policy]) -> Option<Window> {
    let name = text(&item.bare_item);
    let policy = policies
        .iter()
        .find(|policy| policy.name.is_some() && policy.name.as_deref() == name);
    if policy.is_some_and(|policy| !policy.counts_calls) {
        return None;
    }
    Some(Window {
        limit: policy.and_then(|policy| policy.limit),
        remaining: parameter(item, "r").map(calls_left),
        reset: parameter(item, "t").map(|seconds| Reset::After(ms(seconds))),
        window_ms: policy.and_then(|policy| policy.window_ms),
    })
}

/// The policies that a header lists: `RateLimit-Policy`, or the limit of old drafts.
fn policies(headers: &HeaderMap, name: &HeaderName, unread: &mut Vec<Unread>) -> Vec<Policy> {
    let text = headers::joined(headers, name, unread).unwrap_or_default();
    items(name, &text, unread).iter().map(policy).collect()
}

/// The items of a list; what is no list has none.
fn items(name: &HeaderName, text: &str, unread: &mut Vec<Unread>) -> Vec<Item> {
    let Ok(list) = Parser::new(text).parse::<List>() else {
        unread.push(Unread::new(name, text.as_bytes(), "is no structured field"));
        return Vec::new();
    };
    let item = |entry| match entry {
        ListEntry::Item(item) => Some(item),
        ListEntry::InnerList(_) => None,
    };
    list.into_iter()
        .filter_map(item)
        .take(caps::MAX_WINDOWS)
        .collect()
}

fn policy(item: &Item) -> Policy {
    let quota = parameter(item, "q").or_else(|| decimal(&item.bare_item));
    let unit = item.params.get("qu").and_then(text);
    Policy {
        name: text(&item.bare_item).map(str::to_owned),
        limit: quota.and_then(|calls| limit(calls).ok()),
        window_ms: parameter(item, "w").map(ms),
        counts_calls: unit.is_none_or(|unit| unit.starts_with("request")),
    }
}

fn parameter(item: &Item, key: &str) -> Option<f64> {
    decimal(item.params.get(key)?)
}

fn decimal(bare: &BareItem) -> Option<f64> {
    let thousandths = bare
        .as_decimal()
        .map(|d| i64::from(d.as_integer_scaled_1000()));
    let whole = || bare.as_integer().map(|integer| i64::from(integer) as f64);
    whole().or_else(|| Some(thousandths? as f64 / 1e3))
}

fn text(bare: &BareItem) -> Option<&str> {
    let string = bare.as_string().map(|text| text.as_str());
    string.or_else(|| Some(bare.as_token()?.as_str()))
}
