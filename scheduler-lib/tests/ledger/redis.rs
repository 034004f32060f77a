//! The same on Redis, and shared.

use std::sync::Arc;

use polling_model::{Clock, Generator, SystemClock};
use scheduler_lib::ledger::{Ledger, RedisLedger};

use crate::{at, calls, granted, hear, said};

/// Of a channel that no other test has; its keys go by themselves.
pub(crate) fn ledger() -> RedisLedger {
    let url = std::env::var("POLLING_REDIS_URL")
        .expect("POLLING_REDIS_URL names a Redis: see dev/services");
    let channel = format!("test-{}", Generator::from_os().nonce());
    RedisLedger::builder(url, channel.parse().unwrap())
        .max_skew(None)
        .build()
        .unwrap()
}

crate::ledger_cases! { [#[tokio::test] #[ignore = "needs dev/services"]] ledger() }

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dev/services"]
async fn eight_replicas_together_are_granted_what_is_left_and_no_more() {
    let ledger = Arc::new(ledger());
    hear(&*ledger, said(0, 5000, 5000, 15), 0).await;
    let mut replicas = tokio::task::JoinSet::new();
    for replica in 0..8usize {
        let ledger = Arc::clone(&ledger);
        replicas.spawn(async move {
            let mut made = 0;
            for round in 0..100 {
                let got = granted(&*ledger, &calls(10 + replica, 500), 1).await;
                // Each replica gives back one call in three rounds.
                let unused = usize::from(round % 3 == 0).min(got);
                let request = calls(unused, 500);
                ledger.give_back(&request, unused, at(1)).await.unwrap();
                made += got - unused;
            }
            made
        });
    }
    let made: usize = replicas.join_all().await.into_iter().sum();
    let mut rest = 0;
    loop {
        let got = granted(&*ledger, &calls(1000, 500), 1).await;
        rest += got;
        if got < 1000 {
            break;
        }
    }
    assert_eq!(made + rest, 4500);
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_clock_minutes_apart_changes_nothing() {
    let url = std::env::var("POLLING_REDIS_URL").unwrap();
    let channel = format!("test-{}", Generator::from_os().nonce());
    let ledger = RedisLedger::builder(url, channel.parse().unwrap())
        .build()
        .unwrap();
    let now_ms = SystemClock.now_ms();
    let request = [calls(10, 0)];
    for skewed_ms in [now_ms - 60_000, now_ms + 60_000] {
        let error = ledger.reserve(&request, skewed_ms).await.unwrap_err();
        let chain = polling_model::chain(&error);
        assert!(chain.contains("mend the clock"), "{chain}");
    }
    assert!(ledger.reserve(&request, now_ms).await.is_ok());
}
