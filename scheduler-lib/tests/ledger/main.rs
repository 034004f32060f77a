//! The ledger of rate limits, in memory and on Redis.
#![allow(clippy::unwrap_used)]

mod cases;
mod random;
#[cfg(feature = "redis")]
mod redis;

use polling_model::{Allowance, ScopeKey};
use scheduler_lib::ledger::{Claim, Cushion, Grant, Heard, Ledger, Request};

/// When the tests begin, UTC milliseconds: a multiple of all lengths that they use.
const START_MS: i64 = 1_700_000_100_000;

const MINUTE_MS: i64 = 60_000;

fn scope(name: &str) -> ScopeKey {
    ScopeKey::new(name).unwrap()
}

/// The start of the minute `minutes` after the beginning.
fn at(minutes: i64) -> i64 {
    START_MS + minutes * MINUTE_MS
}

/// `calls` equally worthwhile calls in the scope `app`, which leave `cushion`, and are not paced.
fn calls(calls: usize, cushion: u64) -> Request {
    Request {
        claims: vec![claim("app", Cushion::Calls(cushion))],
        worths: vec![1.0; calls],
        cost: 1,
        fill: false,
        turn_ms: 0,
    }
}

fn claim(name: &str, cushion: Cushion) -> Claim {
    Claim {
        scope: scope(name),
        cushion,
        limit: None,
    }
}

/// What the channel says in minute `minutes`: so many left of so many, until another minute.
fn said(minutes: i64, remaining: u64, limit: u64, until: i64) -> Heard {
    Heard {
        scope: scope("app"),
        ended: 0,
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
async fn granted(ledger: &dyn Ledger, request: &Request, minutes: i64) -> usize {
    grant(ledger, request, minutes).await.calls
}

async fn grant(ledger: &dyn Ledger, request: &Request, minutes: i64) -> Grant {
    let granted = ledger.reserve(std::slice::from_ref(request), at(minutes));
    granted.await.unwrap().remove(0)
}

async fn hear(ledger: &dyn Ledger, heard: Heard, minutes: i64) {
    ledger.hear(&[heard], at(minutes)).await.unwrap();
}
