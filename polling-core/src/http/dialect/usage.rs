//! Percentages of use in JSON, as the Graph API tells them.

use http::{HeaderMap, HeaderName};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    Reset, Unread, Window, headers, name,
    value::{calls_left, ms},
};

/// A header whose JSON tells how much of a limit is used up, in per cent:
/// `{"call_count":28,"total_time":25,"total_cputime":25}`, or such objects in lists and maps. Each
/// object is a window, and the highest of its percentages counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UsageHeader {
    /// The header.
    #[serde(with = "name")]
    pub name: HeaderName,
    /// The members that tell how much is used up, in per cent.
    #[serde(default = "percent_members")]
    pub percent: Vec<String>,
    /// The members that tell in how many minutes calls are possible again; 0 tells nothing.
    #[serde(default = "minutes_members")]
    pub regain_minutes: Vec<String>,
    /// The members that tell in how many seconds the window ends; 0 tells nothing.
    #[serde(default = "seconds_members")]
    pub regain_seconds: Vec<String>,
    /// Calls per window. Unless it is known, the allowance counts per cent: its limit is 100.
    #[serde(default = "hundred")]
    pub limit: u32,
    /// How long the window lasts, seconds. What is used up without a word on when it ends, ends
    /// after a whole window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_s: Option<u32>,
}

fn percent_members() -> Vec<String> {
    let members = [
        "call_count",
        "total_cputime",
        "total_time",
        "acc_id_util_pct",
        "app_id_util_pct",
    ];
    members.map(str::to_owned).into()
}

fn minutes_members() -> Vec<String> {
    vec!["estimated_time_to_regain_access".to_owned()]
}

fn seconds_members() -> Vec<String> {
    vec!["reset_time_duration".to_owned()]
}

fn hundred() -> u32 {
    100
}

impl UsageHeader {
    /// A header with the members of the Graph API, whose windows last `window_s` seconds.
    ///
    /// # Panics
    ///
    /// If `name` is no header's name in lower case.
    #[must_use]
    pub fn graph(name: &'static str, window_s: u32) -> Self {
        Self {
            name: HeaderName::from_static(name),
            percent: percent_members(),
            regain_minutes: minutes_members(),
            regain_seconds: seconds_members(),
            limit: hundred(),
            window_s: Some(window_s),
        }
    }

    pub(super) fn read(&self, headers: &HeaderMap, unread: &mut Vec<Unread>) -> Vec<Window> {
        let Some(text) = headers::first(headers, &self.name, unread) else {
            return Vec::new();
        };
        let mut windows = Vec::new();
        let fault = match serde_json::from_str(text) {
            // The decoder bounds how deep it nests.
            Ok(value) => {
                self.collect(&value, &mut windows);
                windows
                    .is_empty()
                    .then_some("has none of the percentages declared")
            }
            Err(_) => Some("is no JSON"),
        };
        unread.extend(fault.map(|fault| Unread::new(&self.name, text.as_bytes(), fault)));
        windows
    }

    fn collect(&self, value: &Value, windows: &mut Vec<Window>) {
        match value {
            Value::Array(values) => values.iter().for_each(|value| self.collect(value, windows)),
            Value::Object(members) => match self.window(members) {
                Some(window) => windows.push(window),
                None => members
                    .values()
                    .for_each(|value| self.collect(value, windows)),
            },
            _ => {}
        }
    }

    fn window(&self, members: &Map<String, Value>) -> Option<Window> {
        let used = highest(members, &self.percent)?;
        let left = (100.0 - used.clamp(0.0, 100.0)) * f64::from(self.limit) / 100.0;
        let minutes = highest(members, &self.regain_minutes).map(|minutes| minutes * 60.0);
        let seconds = highest(members, &self.regain_seconds);
        let wait = minutes
            .into_iter()
            .chain(seconds)
            .filter(|wait| *wait > 0.0);
        Some(Window {
            limit: Some(u64::from(self.limit)),
            remaining: Some(calls_left(left)),
            reset: wait.reduce(f64::max).map(|wait| Reset::After(ms(wait))),
            window_ms: self.window_s.map(|s| i64::from(s) * 1000),
        })
    }
}

/// The highest of some members' numbers, be they numbers or written as text.
fn highest(members: &Map<String, Value>, names: &[String]) -> Option<f64> {
    let numbers = names.iter().filter_map(|name| match members.get(name)? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => super::value::number(text).ok(),
        _ => None,
    });
    numbers.reduce(f64::max)
}
