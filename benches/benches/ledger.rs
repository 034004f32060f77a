//! What it costs to reserve calls in the shared ledger, once for each chunk of jobs.
//!
//! Beside it the same number of trips that only count (`INCRBY`), from as many tasks, in one run;
//! then how long the server itself takes.
//!
//! ```sh
//! cargo bench -p benches --features redis --bench ledger
//! ```
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

mod redis_server;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use polling_model::{Allowance, Clock, ScopeKey, SystemClock};
use redis_server::Server;
use scheduler_lib::ledger::{Claim, Cushion, Heard, Ledger, RedisLedger, Request};
use tokio::task::JoinSet;

const TASKS: usize = 32;
const TRIPS: usize = 2000;

/// An app's limit with two windows, and an account's.
async fn known(ledger: &RedisLedger, scopes: &[ScopeKey]) {
    let window = |scope: &ScopeKey, minutes: i64| Allowance {
        limit: Some(1_000_000_000),
        remaining: Some(1_000_000_000),
        window_ms: Some(minutes * 60_000),
        ..Allowance::of(scope.clone())
    };
    let now_ms = SystemClock.now_ms();
    let heard = scopes.iter().map(|scope| Heard {
        scope: scope.clone(),
        ended: 0,
        used: 0,
        allowances: vec![window(scope, 15), window(scope, 1440)],
        at_ms: now_ms,
        refused_until_ms: None,
    });
    let heard: Vec<_> = heard.collect();
    ledger.hear(&heard, now_ms).await.unwrap();
}

/// Trips per second of all tasks together.
async fn measured<F: Future<Output = ()> + Send + 'static>(task: impl Fn() -> F) -> f64 {
    let begin = Instant::now();
    (0..TASKS)
        .map(|_| task())
        .collect::<JoinSet<_>>()
        .join_all()
        .await;
    (TASKS * TRIPS) as f64 / begin.elapsed().as_secs_f64()
}

/// Mean time that the server took for one call of a command, since its statistics were reset.
async fn server_time(
    connection: &mut redis::aio::MultiplexedConnection,
    command: &str,
) -> Duration {
    let stats: String = redis::cmd("INFO")
        .arg("commandstats")
        .query_async(connection)
        .await
        .unwrap();
    let line = stats
        .lines()
        .find(|line| line.starts_with(&format!("cmdstat_{command}:")))
        .unwrap();
    let mean = line
        .split(',')
        .find_map(|field| field.strip_prefix("usec_per_call="))
        .unwrap();
    Duration::from_secs_f64(mean.parse::<f64>().unwrap() / 1e6)
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let server = Server::start();
    let mut raw = server.raw().await;
    let ledger = RedisLedger::builder(server.url(), "mastodon".parse().unwrap())
        .build()
        .unwrap();
    let ledger = Arc::new(ledger);
    let scopes = ["app", "account:7"].map(|name| ScopeKey::new(name).unwrap());
    known(&ledger, &scopes).await;
    let counted = {
        let raw = raw.clone();
        measured(move || {
            let mut raw = raw.clone();
            async move {
                for _ in 0..TRIPS {
                    redis::cmd("INCRBY")
                        .arg("count")
                        .arg(10)
                        .exec_async(&mut raw)
                        .await
                        .unwrap();
                }
            }
        })
        .await
    };
    println!("counting only:            {counted:>8.0} trips/s");
    for used in 1..=scopes.len() {
        redis::cmd("CONFIG")
            .arg("RESETSTAT")
            .exec_async(&mut raw)
            .await
            .unwrap();
        let request = Request {
            claims: scopes[..used]
                .iter()
                .map(|scope| Claim {
                    scope: scope.clone(),
                    cushion: Cushion::Share(0.1),
                    limit: None,
                })
                .collect(),
            worths: vec![1.0; 10],
            cost: 1,
            fill: false,
            turn_ms: 0,
        };
        let reserved = measured(|| {
            let (ledger, request) = (Arc::clone(&ledger), request.clone());
            async move {
                for _ in 0..TRIPS {
                    let requests = std::slice::from_ref(&request);
                    let grants = ledger
                        .reserve(requests, SystemClock.now_ms())
                        .await
                        .unwrap();
                    assert_eq!(grants[0].calls, 10);
                }
            }
        })
        .await;
        let server = server_time(&mut raw, "evalsha").await;
        println!(
            "reserving in {used} scope(s):  {reserved:>8.0} trips/s, {:.2} of counting; {server:?} of the server's time each",
            reserved / counted,
        );
    }
}
