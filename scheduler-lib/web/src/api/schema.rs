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

/// What a person decided about how often a job is polled.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "PaceInForce")]
#[serde(rename_all = "snake_case")]
pub(crate) enum Pace {
    /// At this interval, such as `"5m"`.
    Pin { interval: String },
    /// Its weight counts so many times, until then; UTC milliseconds.
    Boost { factor: f64, until_ms: i64 },
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
