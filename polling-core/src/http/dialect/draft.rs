//! The `RateLimit` headers of the IETF draft "RateLimit header fields for HTTP", old and new.
//!
//! | drafts | headers |
//! |---|---|
//! | 00 to 06 | `RateLimit-Limit: 100, 100;w=60`, `RateLimit-Remaining: 7`, `RateLimit-Reset: 30` |
//! | 07 | `RateLimit: limit=100, remaining=7, reset=30`, `RateLimit-Policy: 100;w=60` |
//! | from 08 | `RateLimit: "burst";r=7;t=30`, `RateLimit-Policy: "burst";q=100;w=60` |

use http::{HeaderMap, HeaderName, header::HeaderValue};
use sfv::{BareItem, Dictionary, Item, List, ListEntry, Parser};

use super::{
    Reset, Unread, Window, WindowHeaders,
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
    let policies = policies(headers, unread);
    let mut windows = match joined(headers, &RATE_LIMIT) {
        None => WindowHeaders::prefixed("ratelimit").read(headers, unread),
        Some(value) => service_limits(&value, &policies).unwrap_or_else(|| {
            unread.push(Unread::new(&RATE_LIMIT, &value, "is no structured field"));
            Vec::new()
        }),
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
fn service_limits(value: &[u8], policies: &[Policy]) -> Option<Vec<Window>> {
    if let Ok(dictionary) = Parser::new(value).parse::<Dictionary>()
        && dictionary.contains_key("remaining")
    {
        return Some(vec![from_dictionary(&dictionary)]);
    }
    let list = Parser::new(value).parse::<List>().ok()?;
    let items = list.iter().filter_map(item).take(caps::MAX_WINDOWS);
    let windows = items.filter_map(|item| from_item(item, policies));
    Some(windows.filter(Window::is_told).collect())
}

fn from_dictionary(dictionary: &Dictionary) -> Window {
    let member = |key: &str| match dictionary.get(key) {
        Some(ListEntry::Item(item)) => decimal(&item.bare_item),
        _ => None,
    };
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

/// The policies of `RateLimit-Policy`, and those that old drafts list with the limit.
fn policies(headers: &HeaderMap, unread: &mut Vec<Unread>) -> Vec<Policy> {
    let mut policies = Vec::new();
    for name in [POLICY, LIMIT] {
        let Some(value) = joined(headers, &name) else {
            continue;
        };
        match Parser::new(&value).parse::<List>() {
            Ok(list) => {
                let items = list.iter().filter_map(item).take(caps::MAX_WINDOWS);
                policies.extend(items.map(policy));
            }
            // What is wrong with a limit is told by those who read it.
            Err(_) if name == LIMIT => {}
            Err(_) => unread.push(Unread::new(&name, &value, "is no structured field")),
        }
    }
    policies
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

/// A header's values as one, as if they had come in one line.
fn joined(headers: &HeaderMap, name: &HeaderName) -> Option<Vec<u8>> {
    let values: Vec<_> = headers
        .get_all(name)
        .iter()
        .map(HeaderValue::as_bytes)
        .collect();
    let value = values.join(&b", "[..]);
    (!value.trim_ascii().is_empty() && value.len() <= caps::MAX_HEADER_SIZE_BYTES).then_some(value)
}

fn item(entry: &ListEntry) -> Option<&Item> {
    match entry {
        ListEntry::Item(item) => Some(item),
        ListEntry::InnerList(_) => None,
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
