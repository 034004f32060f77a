//! The servers that a configuration names: opened, and looked at, all at once.
//!
//! Opening goes on after a failure, so that one look tells everything that is wrong.

#[cfg(test)]
mod broken;
mod create;
mod finding;
mod judge;
mod queue;
mod redrive;
mod settings;
mod transport;

use std::{collections::BTreeMap, sync::Arc};

use futures_util::future::{join, join_all};
use polling_model::{ChannelId, SharedClock, SharedObserver};
use scheduler_lib::{
    MemoryStore, SharedStore, StoreError,
    ledger::{MemoryLedger, RedisLedger, SharedLedger},
    store::{Counts, RedisStore},
};

use self::transport::Transports;
pub use self::{
    create::{Created, create_queues},
    finding::Finding,
    queue::{QueueFound, QueuePart, Role},
    redrive::Redrive,
};
use crate::config::{ChannelConfig, Config, StoreKind};
use scheduler_web::Secret;

/// What was found of one channel.
#[derive(Debug)]
pub struct ChannelParts {
    /// Its name.
    pub channel: ChannelId,
    /// Its store, or why it cannot be used.
    pub store: Result<StoreFound, Finding>,
    /// Its queues: the work queues by job type, completed, dead-letter.
    pub queues: Vec<QueuePart>,
    /// Settings of its configuration that are hardly wanted.
    pub doubtful: Vec<Finding>,
}

/// A store that answers.
#[derive(Debug)]
pub struct StoreFound {
    /// The store.
    pub store: SharedStore,
    /// The ledger of rate limits, beside it.
    pub ledger: SharedLedger,
    /// Where it is, without credentials.
    pub address: String,
    /// What is in it.
    pub counts: Counts,
}

impl ChannelParts {
    /// Everything that keeps this channel from being served.
    #[must_use]
    pub fn problems(&self) -> Vec<Finding> {
        let store = self.store.as_ref().err().cloned().into_iter();
        store
            .chain(self.queues.iter().flat_map(QueuePart::problems))
            .collect()
    }

    /// What is allowed but hardly wanted.
    #[must_use]
    pub fn warnings(&self) -> Vec<Finding> {
        let found = self
            .queues
            .iter()
            .filter_map(|part| part.found.as_ref().ok());
        let queues = found.flat_map(|queue| queue.warnings.iter());
        self.doubtful.iter().chain(queues).cloned().collect()
    }
}

/// Opens the store and the queues of every channel.
pub async fn open(config: &Config, clock: &SharedClock) -> Vec<ChannelParts> {
    open_observed(config, clock, &(Arc::new(()) as SharedObserver)).await
}

/// The same, and each request to SQS is told to `observer`.
pub async fn open_observed(
    config: &Config,
    clock: &SharedClock,
    observer: &SharedObserver,
) -> Vec<ChannelParts> {
    let transports = Transports::new(config).await.observed(observer);
    let opening = config.channels.iter().map(|(id, channel)| {
        let transport = transports.of(id, channel);
        async move {
            let store = open_store(id, channel, clock);
            let queues = queue::open_all(transport, id, channel);
            let (store, queues) = join(store, queues).await;
            ChannelParts {
                channel: id.clone(),
                store: store.map_err(|error| Finding::from(&error)),
                queues,
                doubtful: channel.warnings().into_iter().map(Finding::doubt).collect(),
            }
        }
    });
    join_all(opening).await
}

/// What is wrong with the Redis servers of each channel: problems, then warnings. Those that do not
/// answer are left out, since [`open`] tells them.
pub async fn settings(
    config: &Config,
    clock: &SharedClock,
) -> BTreeMap<ChannelId, (Vec<Finding>, Vec<Finding>)> {
    let looking = config.channels.iter().map(|(id, channel)| async move {
        let (mut problems, mut warnings) = (Vec::new(), Vec::new());
        let store = channel.redis.as_ref();
        let store = store.filter(|_| channel.store == StoreKind::Redis);
        let queues = channel.queues_redis();
        let queues = queues.filter(|queues| Some(*queues) != store);
        for url in [store, queues].into_iter().flatten() {
            let judged = settings::look(url, &channel.link, clock).await;
            problems.extend(judged.problems);
            warnings.extend(judged.warnings);
        }
        (id.clone(), (problems, warnings))
    });
    join_all(looking).await.into_iter().collect()
}

pub(crate) async fn open_store(
    id: &ChannelId,
    channel: &ChannelConfig,
    clock: &SharedClock,
) -> Result<StoreFound, StoreError> {
    let now_ms = clock.now_ms();
    let (store, ledger, address) = match (&channel.redis, channel.store) {
        (Some(url), StoreKind::Redis) => open_redis(id, channel, url, now_ms).await?,
        // A configuration without an address and not in memory is refused before.
        _ => (
            Arc::new(MemoryStore::new(channel.ring, now_ms)) as SharedStore,
            Arc::new(MemoryLedger::new()) as SharedLedger,
            "this process's memory".to_owned(),
        ),
    };
    let counts = store.counts().await?;
    Ok(StoreFound {
        store,
        ledger,
        address,
        counts,
    })
}

async fn open_redis(
    id: &ChannelId,
    channel: &ChannelConfig,
    url: &Secret,
    now_ms: i64,
) -> Result<(SharedStore, SharedLedger, String), StoreError> {
    let ledger = RedisLedger::builder(url.expose(), id.clone()).link(channel.link.clone());
    let ledger = ledger.build().map_err(|error| StoreError::Unavailable {
        step: "open",
        address: error.at.clone(),
        source: error.into(),
    })?;
    let mut builder = RedisStore::builder(url.expose(), id.clone())
        .ring(channel.ring)
        .link(channel.link.clone());
    if let Some(replicas) = channel.replicas {
        builder = builder.wait_replicas(replicas.count, replicas.timeout);
    }
    let (store, address): (SharedStore, _) = match channel.shards {
        1 => {
            let store = builder.open(now_ms).await?;
            let address = store.address().to_owned();
            (Arc::new(store), address)
        }
        shards => {
            let store = builder.shards(shards).open(now_ms).await?;
            let first = store.shards().next();
            let address = first.map_or_else(String::new, |shard| shard.address().to_owned());
            (Arc::new(store), address)
        }
    };
    Ok((store, Arc::new(ledger), address))
}
