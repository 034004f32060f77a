//! The store on Redis.
//!
//! One shard is one hash tag, such as `polling:{channel:0}:`, so that its scripts run on one node of
//! a Redis Cluster. Each step of [`SlotStore`](super::SlotStore) is one script in `lua/`; what the
//! keys hold, and why no step can lose a job even if it fails half-way, is told in
//! `lua/prelude.lua`.

mod answers;
mod builder;
mod call;
mod layout;
mod reads;
mod record;
mod scripts;
mod steps;
mod tag;

use std::{fmt, sync::atomic::AtomicI64, time::Duration};

use polling_model::{ChannelId, Generator, Nonce, SlotRing};
use polling_transport::redis::link::Link;

pub(crate) use self::builder::DEFAULT_MAX_SKEW;
pub use self::builder::{RedisShardsBuilder, RedisStoreBuilder};

/// A [`SlotStore`](super::SlotStore) on Redis 6.2 or newer.
///
/// A step that fails is not repeated by the store: its outcome may be unknown, and the scheduler's
/// loops come back to it.
///
/// ```no_run
/// use polling_model::{Clock, SystemClock};
/// use scheduler_lib::store::{RedisStore, SlotStore};
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let store = RedisStore::builder("redis://127.0.0.1:6379/", "mastodon".parse()?)
///     .open(SystemClock.now_ms())
///     .await?;
/// println!("{} jobs", store.counts().await?.registered);
/// # Ok(())
/// # }
/// ```
pub struct RedisStore {
    ring: SlotRing,
    link: Link,
    /// For writes that wait for replicas; `WAIT` would block every other step on a shared one.
    replicated: Option<Replicated>,
    layout_key: String,
    identity: Nonce,
    max_skew: Option<Duration>,
    revisions: Generator,
    /// When a drain last looked whether the server evicts, UTC milliseconds.
    checked_ms: AtomicI64,
}

/// Writes that replicas acknowledge before they count as done.
struct Replicated {
    link: Link,
    replicas: usize,
    timeout: Duration,
}

impl RedisStore {
    /// Opens one channel's store at `url`, `redis://user:password@host:port/database`.
    ///
    /// On a Redis Cluster any node's address will do, its database left out, or several,
    /// `redis://host:port,host:port/`: the store finds the node that owns its slot, and finds the
    /// next owner after a failover or a reshard. While its slot is being moved it does not answer.
    ///
    /// With sentinels, `redis+sentinel://user:password@host:port,host:port/database?master=NAME`, it
    /// asks them where the master is each time it connects. A name that is moved to another server
    /// by whoever manages it is looked up each time, too.
    pub fn builder(url: impl Into<String>, channel: ChannelId) -> RedisStoreBuilder {
        RedisStoreBuilder::new(url.into(), channel)
    }

    /// Random, given when the store was created. Steps refuse to run on any other.
    #[must_use]
    pub fn identity(&self) -> Nonce {
        self.identity
    }

    /// Hosts and ports, without credentials.
    #[must_use]
    pub fn address(&self) -> &str {
        self.link.address()
    }

    /// What every key of this shard begins with.
    #[must_use]
    pub fn prefix(&self) -> &str {
        self.layout_key
            .strip_suffix(LAYOUT)
            .unwrap_or(&self.layout_key)
    }
}

/// The last part of the layout key; the scripts cut it off.
const LAYOUT: &str = "layout";

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("address", &self.address())
            .field("prefix", &self.prefix())
            .field("ring", &self.ring)
            .finish_non_exhaustive()
    }
}
