//! How values of other crates look in JSON, for the document of the API alone.
#![expect(dead_code, reason = "they are never made, only described")]

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What is to be left of a limit for others: a number of calls, or a share of the limit such as `"10%"`.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Cushion {
    Calls(u64),
    Share(String),
}

/// What a person decided about how often a job is polled: a pin or a boost.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Pace {
    pin: Option<Pin>,
    boost: Option<Boost>,
}

/// At this interval, such as `"5m"`, whatever a poll is worth.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Pin {
    interval: String,
}

/// Its weight counts so many times, for so long. One of `for` and `until_ms` is written; `until_ms` is told.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Boost {
    factor: f64,
    /// UTC milliseconds.
    until_ms: Option<i64>,
    /// Such as `"2h"`.
    #[serde(rename = "for")]
    lasting: Option<String>,
}

/// What one poll leaves for the next: an object that only workers read.
#[derive(Serialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Context(BTreeMap<String, Value>);

/// An object, with whatever is in it.
#[derive(Serialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Object(BTreeMap<String, Value>);

/// Why a job is where it is: times in UTC milliseconds, reasons in words, limits, and what to do.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct Explanation {
    now_ms: i64,
    id: String,
    job_type: String,
    account: String,
    level: String,
    /// Where it is.
    place: BTreeMap<String, Value>,
    polled_ms: Option<i64>,
    failed_polls: u32,
    unfinished: u32,
    again_at_once: bool,
    /// How often it is polled.
    rules: Option<BTreeMap<String, Value>>,
    reasons: Vec<BTreeMap<String, Value>>,
    limits: Vec<BTreeMap<String, Value>>,
    limits_unknown: Option<String>,
    advice: Vec<String>,
}
