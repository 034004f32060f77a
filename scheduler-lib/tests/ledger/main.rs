//! The ledger of rate limits, in memory and on Redis.
#![allow(clippy::unwrap_used)]

mod cases;
mod random;
#[cfg(feature = "redis")]
mod redis;

use polling_model::{Allowance, ScopeKey};
use scheduler_lib::ledger::{Cushion, Heard, Ledger, Request};

/// When the tests begin, UTC milliseconds.
const START_MS: i64 = 1_700_000_000_000;

const MINUTE_MS: i64 = 60_000;

fn scope(name: &str) -> ScopeKey {
    ScopeKey::new(name).unwrap()
}

/// The start of the minute `minutes` after the beginning.
fn at(minutes: i64) -> i64 {
    START_MS + minutes * MINUTE_MS
}

/// `calls` calls in the scope `app`, which leave `cushion`.
fn calls(calls: u64, cushion: u64) -> Request {
    Request {
        scopes: vec![(scope("app"), Cushion::Calls(cushion))],
        calls,
        cost: 1,
    }
}

/// What the channel says in minute `minutes`: so many left of so many, until another minute.
fn said(minutes: i64, remaining: u64, limit: u64, until: i64) -> Heard {
    Heard {
        scope: scope("app"),
        used: 0,
        allowances: vec![Allowance {
            limit: Some(limit),
            remaining: Some(remaining),
            reset_at_ms: Some(at(until)),
            ..Allowance::of(scope("app"))
        }],
        at_ms: at(minutes),
        refused_until_ms: None,
    }
}

/// How many calls are granted in minute `minutes`.
async fn granted(ledger: &dyn Ledger, request: &Request, minutes: i64) -> u64 {
    ledger.reserve(request, at(minutes)).await.unwrap().calls
}

async fn hear(ledger: &dyn Ledger, heard: Heard, minutes: i64) {
    ledger.hear(&[heard], at(minutes)).await.unwrap();
}
