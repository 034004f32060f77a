//! A hash in Redis.

use futures_util::{FutureExt as _, future::BoxFuture};
use polling_transport::redis::link::{Link, LinkOptions};
use redis::{RedisError, cmd};

use super::{Found, MAX_KEYS, Source, SourceError, source::differing};

/// A hash in Redis whose fields are keys: `HSET polling:settings mastodon/posts/interval 5m`.
#[derive(Debug)]
pub struct RedisSource {
    name: String,
    link: Link,
    key: String,
    told: Option<Found>,
}

impl RedisSource {
    /// The hash at `key`. Nothing is connected yet.
    ///
    /// # Errors
    ///
    /// When `url` is no address of a Redis, such as `redis://127.0.0.1:6379/`. The error repeats no password.
    pub fn new(
        url: &str,
        options: &LinkOptions,
        key: impl Into<String>,
    ) -> Result<Self, SourceError> {
        let link = Link::new(url, options)
            .map_err(|error| SourceError::new("this is no address of a Redis").because(error))?;
        let key = key.into();
        Ok(Self {
            name: format!("redis {}/{key}", link.address()),
            link,
            key,
            told: None,
        })
    }
}

impl Source for RedisSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn next(&mut self) -> BoxFuture<'_, Result<Found, SourceError>> {
        let Self {
            link, key, told, ..
        } = self;
        differing(told, || read(link, key)).boxed()
    }
}

async fn read(link: &Link, key: &str) -> Result<Found, SourceError> {
    let failed = |error: RedisError| {
        SourceError::new(format!("the hash {key} cannot be read")).because(error)
    };
    // Before all of it is asked for: what is not ours may be of any size.
    let length: usize = link.query(cmd("HLEN").arg(key)).await.map_err(failed)?;
    if length > MAX_KEYS {
        let what = format!("the hash {key} has {length} fields, more than {MAX_KEYS}");
        return Err(SourceError::new(what));
    }
    link.query(cmd("HGETALL").arg(key)).await.map_err(failed)
}
