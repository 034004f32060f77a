//! Opening a store: its layout, and the server's settings that it depends on.

use std::{
    fmt,
    sync::{Arc, atomic::AtomicI64},
    time::Duration,
};

use futures_util::future::try_join_all;
use polling_model::{ChannelId, Generator, SlotRing};
use polling_transport::redis::link::{Link, LinkOptions};

use super::{
    LAYOUT, RedisStore, Replicated,
    layout::{Key, open_layout, tell_shards},
    tag::tag,
};
use crate::store::{MAX_SHARDS, ShardedStore, StoreError};

/// How far our clock may be from the server's unless told otherwise.
pub(crate) const DEFAULT_MAX_SKEW: Duration = Duration::from_secs(5);

/// Options of a [`RedisStore`].
#[derive(Clone)]
#[must_use = "nothing is opened before open()"]
pub struct RedisStoreBuilder {
    url: String,
    pub(super) channel: ChannelId,
    pub(super) ring: SlotRing,
    max_skew: Option<Duration>,
    options: LinkOptions,
    replicas: Option<(usize, Duration)>,
    pub(super) generator: Generator,
}

impl RedisStoreBuilder {
    pub(super) fn new(url: String, channel: ChannelId) -> Self {
        Self {
            url,
            channel,
            ring: SlotRing::MINUTES,
            max_skew: Some(DEFAULT_MAX_SKEW),
            options: LinkOptions::default(),
            replicas: None,
            generator: Generator::from_os(),
        }
    }

    /// The ring of slots, one-minute slots by default. A store keeps the ring it was created with.
    pub fn ring(mut self, ring: SlotRing) -> Self {
        self.ring = ring;
        self
    }

    /// How far our clock may be from the server's, 5 s by default: steps that are told the time
    /// refuse to run beyond. `None` for a clock that is moved by hand.
    pub fn max_skew(mut self, max_skew: Option<Duration>) -> Self {
        self.max_skew = max_skew;
        self
    }

    /// Deadlines of connecting, 2 s by default, and of a whole step, connecting included, 5 s.
    pub fn timeouts(mut self, connect: Duration, response: Duration) -> Self {
        self.options = self
            .options
            .connect_timeout(connect)
            .response_timeout(response);
        self
    }

    /// How to connect: deadlines and, for `rediss://`, certificates.
    pub fn link(mut self, options: LinkOptions) -> Self {
        self.options = options;
        self
    }

    /// Registrations and removals wait until so many replicas have them, at most for `timeout`
    /// (whole milliseconds, at least one). With fewer the step fails, its outcome unknown: repeat
    /// it.
    pub fn wait_replicas(mut self, replicas: usize, timeout: Duration) -> Self {
        self.replicas = Some((replicas, timeout.max(Duration::from_millis(1))));
        self
    }

    /// Where the identity of a new store and the revisions of records come from: one number at
    /// opening and one each edit. Seeded by the operating system by default.
    pub fn generator(mut self, generator: Generator) -> Self {
        self.generator = generator;
        self
    }

    /// Spreads the channel's jobs over so many shards, 1 to
    /// [`MAX_SHARDS`](crate::store::MAX_SHARDS): each with a hash tag of its own, and these evenly
    /// over the hash slots of a cluster. Their number is fixed when the store is created. Take a
    /// multiple of the masters that there are, and will be: 12 is good for 1, 2, 3, 4, 6 and 12.
    pub fn shards(self, shards: usize) -> RedisShardsBuilder {
        RedisShardsBuilder { each: self, shards }
    }

    /// Connects, and creates the store if there is none, its cursor at `now_ms` (UTC milliseconds).
    ///
    /// # Errors
    ///
    /// - [`StoreError::Unavailable`] when the server cannot be reached, or the address is none
    /// - [`StoreError::Layout`] when the store is of a newer version, another width of slots,
    ///   another number of shards or another channel
    /// - [`StoreError::Evicts`] when the server may throw keys away; a step of the cycle looks
    ///   again once in a while
    pub async fn open(self, now_ms: i64) -> Result<RedisStore, StoreError> {
        self.open_shard(0, 1, now_ms).await
    }

    async fn open_shard(
        &self,
        shard: usize,
        shards: usize,
        now_ms: i64,
    ) -> Result<RedisStore, StoreError> {
        let link = self.connect()?;
        let key = Key {
            name: layout_key(&tag(&self.channel, shard, shards)),
            shards,
        };
        let fresh = self.generator.nonce();
        let identity = open_layout(self, &link, &key, fresh, now_ms).await?;
        let replicated = match self.replicas {
            Some((replicas, timeout)) => Some(Replicated {
                link: self.connect()?,
                replicas,
                timeout,
            }),
            None => None,
        };
        Ok(RedisStore {
            ring: self.ring,
            link,
            replicated,
            layout_key: key.name,
            identity,
            max_skew: self.max_skew,
            revisions: self.generator.clone(),
            checked_ms: AtomicI64::new(now_ms),
        })
    }

    fn connect(&self) -> Result<Link, StoreError> {
        Link::new(&self.url, &self.options).map_err(|error| {
            // The client's error would be safe to show, the address that it is about is not.
            StoreError::Unavailable {
                step: "open",
                address: "an address that is not redis://host:port/database".to_owned(),
                source: error.into(),
            }
        })
    }
}

fn layout_key(tag: &str) -> String {
    format!("polling:{{{tag}}}:{LAYOUT}")
}

/// Opens all shards of a channel.
#[derive(Debug, Clone)]
#[must_use = "nothing is opened before open()"]
pub struct RedisShardsBuilder {
    each: RedisStoreBuilder,
    shards: usize,
}

impl RedisShardsBuilder {
    /// Connects, and creates the store if there is none, as [`RedisStoreBuilder::open`] does.
    ///
    /// # Errors
    ///
    /// The same, of any shard; [`StoreError::Layout`] also for a number of shards out of bounds.
    pub async fn open(self, now_ms: i64) -> Result<ShardedStore<RedisStore>, StoreError> {
        let Self { each, shards } = self;
        if !(1..=MAX_SHARDS).contains(&shards) {
            return Err(StoreError::Layout(format!(
                "a store has 1 to {MAX_SHARDS} shards, not {shards}"
            )));
        }
        // Where every program looks first: other numbers of shards have other keys.
        let first = Key {
            name: layout_key(&tag(&each.channel, 0, 1)),
            shards,
        };
        tell_shards(&each, &each.connect()?, &first).await?;
        let all = (0..shards).map(|shard| each.open_shard(shard, shards, now_ms));
        let opened = try_join_all(all).await?;
        Ok(ShardedStore::new(
            opened.into_iter().map(Arc::new).collect(),
        ))
    }
}

/// Without the address, which may hold a password.
impl fmt::Debug for RedisStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStoreBuilder")
            .field("channel", &self.channel)
            .field("ring", &self.ring)
            .field("max_skew", &self.max_skew)
            .finish_non_exhaustive()
    }
}
