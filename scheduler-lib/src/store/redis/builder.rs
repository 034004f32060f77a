//! Opening a store: its layout, and the server's settings that it depends on.

use std::{fmt, sync::atomic::AtomicI64, time::Duration};

use polling_model::{ChannelId, Generator, Nonce, SlotRing};
use polling_transport::redis::link::{Link, LinkOptions};

use super::{
    LAYOUT, RedisStore, Replicated,
    call::{call, failed},
    scripts,
};
use crate::store::StoreError;

/// The layout that this version writes. It reads no other.
const LAYOUT_VERSION: u32 = 3;

/// How far our clock may be from the server's unless told otherwise.
pub(crate) const DEFAULT_MAX_SKEW: Duration = Duration::from_secs(5);

/// Options of a [`RedisStore`].
#[derive(Clone)]
#[must_use = "nothing is opened before open()"]
pub struct RedisStoreBuilder {
    url: String,
    channel: ChannelId,
    shard: u32,
    ring: SlotRing,
    max_skew: Option<Duration>,
    options: LinkOptions,
    replicas: Option<(usize, Duration)>,
    generator: Generator,
}

impl RedisStoreBuilder {
    pub(super) fn new(url: String, channel: ChannelId) -> Self {
        Self {
            url,
            channel,
            shard: 0,
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

    /// Which part of the channel's jobs this is, 0 by default.
    pub fn shard(mut self, shard: u32) -> Self {
        self.shard = shard;
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

    /// Connects, and creates the store if there is none, its cursor at `now_ms` (UTC milliseconds).
    ///
    /// # Errors
    ///
    /// - [`StoreError::Unavailable`] when the server cannot be reached, or the address is none
    /// - [`StoreError::Layout`] when the store is of a newer version, another width of slots or
    ///   another channel
    /// - [`StoreError::Evicts`] when the server may throw keys away; a step of the cycle looks
    ///   again once in a while
    pub async fn open(self, now_ms: i64) -> Result<RedisStore, StoreError> {
        let link = self.link()?;
        let layout_key = format!("polling:{{{}:{}}}:{LAYOUT}", self.channel, self.shard);
        let identity = self.layout(&link, &layout_key, now_ms).await?;
        let replicated = match self.replicas {
            Some((replicas, timeout)) => Some(Replicated {
                link: self.link()?,
                replicas,
                timeout,
            }),
            None => None,
        };
        Ok(RedisStore {
            ring: self.ring,
            link,
            replicated,
            layout_key,
            identity,
            max_skew: self.max_skew,
            revisions: self.generator,
            checked_ms: AtomicI64::new(now_ms),
        })
    }

    fn link(&self) -> Result<Link, StoreError> {
        Link::new(&self.url, &self.options).map_err(|error| {
            // The client's error would be safe to show, the address that it is about is not.
            StoreError::Unavailable {
                step: "open",
                address: "an address that is not redis://host:port/database".to_owned(),
                source: error.into(),
            }
        })
    }

    async fn layout(&self, link: &Link, key: &str, now_ms: i64) -> Result<Nonce, StoreError> {
        let fresh = self.generator.nonce();
        let mut command = call(&scripts::OPEN.script, key);
        command
            .arg(LAYOUT_VERSION)
            .arg(self.ring.width_ms())
            .arg(self.channel.as_str())
            .arg(fresh.to_string())
            .arg(self.ring.current(now_ms).0);
        let found: Vec<String> = link
            .eval(&scripts::OPEN.script, &command)
            .await
            .map_err(|error| failed("open", link, error))?;
        self.check_layout(&found).map_err(|what| {
            StoreError::Layout(format!(
                "the store under {key} at {} {what}",
                link.address()
            ))
        })
    }

    fn check_layout(&self, found: &[String]) -> Result<Nonce, String> {
        let [version, width_ms, channel, identity, _cursor] = found else {
            return Err("has an incomplete layout key: it is no store of ours".to_owned());
        };
        if version.parse() != Ok(LAYOUT_VERSION) {
            return Err(format!(
                "has layout version {version}, this program knows {LAYOUT_VERSION}: run the version that wrote it, or newer"
            ));
        }
        if width_ms.parse() != Ok(self.ring.width_ms()) {
            return Err(format!(
                "has slots of {width_ms} ms, not {} ms: configure the width it was created with",
                self.ring.width_ms()
            ));
        }
        if channel != self.channel.as_str() {
            return Err(format!(
                "belongs to channel {channel}, not {}",
                self.channel
            ));
        }
        identity
            .parse()
            .map_err(|_| "has no readable identity".to_owned())
    }
}

/// Without the address, which may hold a password.
impl fmt::Debug for RedisStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStoreBuilder")
            .field("channel", &self.channel)
            .field("shard", &self.shard)
            .field("ring", &self.ring)
            .field("max_skew", &self.max_skew)
            .finish_non_exhaustive()
    }
}
