//! Everything on one Redis server: the store, and Redis Streams as queues.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use polling_model::{Clock as _, SlotRing, SystemClock};
use polling_transport::{SharedQueue, memory::MemoryBus, redis};
use scheduler_lib::{SharedStore, ledger::MemoryLedger, store::RedisStore};

use super::Ports;
use crate::jobs;

const VISIBILITY: Duration = Duration::from_secs(60);
const MAX_RECEIVES: u32 = 3;

/// Queues and a store on the server at `url`. Nothing is published.
///
/// # Errors
///
/// The server's.
pub async fn streams(url: &str) -> anyhow::Result<Ports> {
    let client = redis::Client::builder(url, jobs::channel().as_str()).build()?;
    let dead = redis::QueueSpec::new("dead-letter", VISIBILITY);
    redis::create_queue(&client, &dead).await?;
    for name in ["work", "completed"] {
        let spec = redis::QueueSpec::new(name, VISIBILITY);
        redis::create_queue(&client, &spec.dead_letter("dead-letter", MAX_RECEIVES)).await?;
    }
    let queue = async |name: &str| {
        let queue: SharedQueue = Arc::new(redis::RedisQueue::connect(&client, name).await?);
        anyhow::Ok(queue)
    };
    Ok(Ports {
        store: store(url).await?,
        ledger: Arc::new(MemoryLedger::new()),
        work: queue("work").await?,
        completed: queue("completed").await?,
        dead_letter: queue("dead-letter").await?,
        bus: Arc::new(MemoryBus::new()),
    })
}

/// A new store with slots of a second.
pub(super) async fn store(url: &str) -> anyhow::Result<SharedStore> {
    let store = RedisStore::builder(url, jobs::channel())
        .ring(SlotRing::SECONDS)
        .open(SystemClock.now_ms())
        .await;
    Ok(Arc::new(store.context("cannot open the store")?))
}
