//! What else is in Redis, each under a tag of its own: found by `MOVED`, wherever it is.

use std::sync::Arc;

use async_trait::async_trait;
use polling_model::{AccountId, Clock, ServiceLevel, SystemClock};
use scheduler_lib::{
    ledger::{Claim, Cushion, Ledger, Limit, RedisLedger, Request},
    levels::{CachedLevels, LevelsError, ServiceLevels},
};

use super::shared;
use crate::fixture::channel;

/// So many that some belong to each node.
const CHANNELS: usize = 12;

#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_ledger_finds_its_node() {
    let cluster = shared().await;
    let scope = |name: &str| name.parse().expect("a scope");
    let claim = |name| Claim {
        scope: scope(name),
        cushion: Cushion::Calls(0),
        limit: Some(Limit {
            calls: 7,
            window_ms: 86_400_000,
        }),
    };
    for _ in 0..CHANNELS {
        let ledger = RedisLedger::builder(cluster.nodes[0].url(), channel());
        let ledger = ledger.build().expect("an address");
        let request = Request {
            claims: vec![claim("app"), claim("account:42")],
            worths: vec![1.0; 10],
            cost: 1,
            fill: false,
            turn_ms: 0,
        };
        let now_ms = SystemClock.now_ms();
        let granted = ledger.reserve(std::slice::from_ref(&request), now_ms).await;
        assert_eq!(granted.expect("reserve")[0].calls, 7);
        let standing = ledger.standing(&[scope("account:42")], now_ms).await;
        assert_eq!(standing.expect("standing")[0].windows[0].free, 0);
    }
}

#[derive(Debug)]
struct Gold;

#[async_trait]
impl ServiceLevels for Gold {
    async fn levels_of(
        &self,
        accounts: &[AccountId],
    ) -> Result<Vec<Option<ServiceLevel>>, LevelsError> {
        let gold = "gold".parse().expect("a level");
        Ok(vec![Some(gold); accounts.len()])
    }
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_cache_of_levels_finds_its_node() {
    let cluster = shared().await;
    let account = "42".parse().expect("an account");
    for _ in 0..CHANNELS {
        let url = cluster.nodes[0].url();
        let levels = CachedLevels::builder(url, channel(), Arc::new(Gold), Arc::new(SystemClock));
        let levels = levels.build().expect("an address");
        for _ in 0..2 {
            let found = levels.levels_of(std::slice::from_ref(&account)).await;
            assert!(found.expect("levels")[0].is_some());
        }
        let counts = levels.counts();
        assert_eq!((counts.fresh, counts.asked), (1, 1), "{counts:?}");
    }
}
