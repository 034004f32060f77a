//! A cache of service levels in Redis, shared by all schedulers of a channel.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use polling_model::{AccountId, ChannelId, ServiceLevel, SharedClock};
use polling_transport::redis::link::{Link, LinkOptions};
use redis::RedisError;

use super::{LevelsError, ServiceLevels, entry::Entry};

/// Most accounts of one question to the source, and of one command to Redis.
const MAX_ACCOUNTS: usize = 200;

/// Most questions to the source at once, of one call.
const MAX_QUESTIONS: usize = 4;

/// Options of [`CachedLevels`].
#[must_use = "nothing is cached before build()"]
pub struct CachedLevelsBuilder {
    url: String,
    channel: ChannelId,
    source: Arc<dyn ServiceLevels>,
    clock: SharedClock,
    fresh: Duration,
    kept: Duration,
    source_deadline: Duration,
    source_pause: Duration,
    options: LinkOptions,
}

impl CachedLevelsBuilder {
    /// How to connect: deadlines and, for `rediss://`, certificates.
    pub fn link(mut self, options: LinkOptions) -> Self {
        self.options = options;
        self
    }

    /// How long a level is used without asking again, 5 min by default. So long may a change take
    /// to be seen, unless it is [forgotten](CachedLevels::forget).
    pub fn fresh_for(mut self, fresh: Duration) -> Self {
        self.fresh = fresh;
        self
    }

    /// How long a level that is no longer fresh is kept for when the source fails, 1 day by
    /// default.
    pub fn kept_for(mut self, kept: Duration) -> Self {
        self.kept = kept;
        self
    }

    /// How long the source may take to answer all of one call, 1 s by default.
    pub fn source_deadline(mut self, deadline: Duration) -> Self {
        self.source_deadline = deadline;
        self
    }

    /// How long the source is left alone after it failed, 5 s by default.
    pub fn source_pause(mut self, pause: Duration) -> Self {
        self.source_pause = pause;
        self
    }

    /// Builds the cache; it connects when it is first asked.
    ///
    /// # Errors
    ///
    /// [`LevelsError`] when the address is none.
    pub fn build(self) -> Result<CachedLevels, LevelsError> {
        let link = Link::new(&self.url, &self.options);
        let link = link.map_err(|error| LevelsError {
            from: "an address that is not redis://host:port/database".to_owned(),
            source: error.into(),
        })?;
        Ok(CachedLevels {
            link,
            prefix: format!("polling:{{{}}}:level:", self.channel),
            source: self.source,
            clock: self.clock,
            fresh_ms: self.fresh.as_millis() as i64,
            kept_ms: self.kept.as_millis() as i64,
            source_deadline: self.source_deadline,
            source_pause_ms: self.source_pause.as_millis() as i64,
            source_rests_until_ms: AtomicI64::new(i64::MIN),
            counters: Counters::default(),
        })
    }
}

/// [`ServiceLevels`] that remember what a slower source said.
///
/// A level that is no longer fresh still serves while the source fails; an account without one
/// keeps the level it was registered with. So this source never fails: [`counts`](Self::counts)
/// tells how it fares.
pub struct CachedLevels {
    link: Link,
    prefix: String,
    source: Arc<dyn ServiceLevels>,
    clock: SharedClock,
    fresh_ms: i64,
    kept_ms: i64,
    source_deadline: Duration,
    source_pause_ms: i64,
    source_rests_until_ms: AtomicI64,
    counters: Counters,
}

#[derive(Default)]
struct Counters {
    fresh: AtomicU64,
    asked: AtomicU64,
    stale: AtomicU64,
    unanswered: AtomicU64,
}

/// How accounts' levels were found, since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CacheCounts {
    /// In the cache.
    pub fresh: u64,
    /// By asking the source.
    pub asked: u64,
    /// In the cache, no longer fresh: the source failed.
    pub stale: u64,
    /// Not at all: the source failed.
    pub unanswered: u64,
}

type Answer = Result<Vec<Option<ServiceLevel>>, LevelsError>;

/// Entries by account.
type Found = BTreeMap<AccountId, Entry>;

impl CachedLevels {
    /// A cache at `url` (`redis://user:password@host:port/database`) before `source`.
    pub fn builder(
        url: impl Into<String>,
        channel: ChannelId,
        source: Arc<dyn ServiceLevels>,
        clock: SharedClock,
    ) -> CachedLevelsBuilder {
        CachedLevelsBuilder {
            url: url.into(),
            channel,
            source,
            clock,
            fresh: Duration::from_secs(300),
            kept: Duration::from_secs(86_400),
            source_deadline: Duration::from_secs(1),
            source_pause: Duration::from_secs(5),
            options: LinkOptions::default(),
        }
    }

    /// How levels were found.
    #[must_use]
    pub fn counts(&self) -> CacheCounts {
        let Counters {
            fresh,
            asked,
            stale,
            unanswered,
        } = &self.counters;
        CacheCounts {
            fresh: fresh.load(Relaxed),
            asked: asked.load(Relaxed),
            stale: stale.load(Relaxed),
            unanswered: unanswered.load(Relaxed),
        }
    }

    /// Forgets an account, so that a change of its level is seen at its jobs' next settle.
    ///
    /// # Errors
    ///
    /// [`LevelsError`] when Redis fails; the account may be forgotten or not.
    pub async fn forget(&self, account: &AccountId) -> Result<(), LevelsError> {
        let mut command = redis::cmd("DEL");
        command.arg(self.key(account));
        let removed = self.link.query::<i64>(&command).await;
        removed.map(|_| ()).map_err(|error| LevelsError {
            from: format!("the cache at {}", self.link.address()),
            source: error.into(),
        })
    }

    fn key(&self, account: &AccountId) -> String {
        format!("{}{account}", self.prefix)
    }

    async fn cached(&self, accounts: &[AccountId]) -> Found {
        let mut found = Found::new();
        for chunk in accounts.chunks(MAX_ACCOUNTS) {
            let mut command = redis::cmd("MGET");
            for account in chunk {
                command.arg(self.key(account));
            }
            match self.link.query::<Vec<Option<String>>>(&command).await {
                Ok(texts) => found.extend(chunk.iter().zip(texts).filter_map(|(account, text)| {
                    Some((account.clone(), Entry::from_text(&text?)?))
                })),
                Err(error) => self.warn(&error, "read"),
            }
        }
        found
    }

    /// What the source says within its deadline; what it had no time for is left out.
    async fn ask(&self, accounts: &[AccountId], now_ms: i64) -> Found {
        if accounts.is_empty() || now_ms < self.source_rests_until_ms.load(Relaxed) {
            return Found::new();
        }
        let fresh_until_ms = now_ms.saturating_add(self.fresh_ms);
        let mut found = Found::new();
        let questions: Vec<_> = accounts
            .chunks(MAX_ACCOUNTS)
            .map(|chunk| self.question(chunk))
            .collect();
        let mut answers = stream::iter(questions).buffer_unordered(MAX_QUESTIONS);
        let deadline = tokio::time::Instant::now() + self.source_deadline;
        loop {
            match tokio::time::timeout_at(deadline, answers.next()).await {
                Ok(None) => break,
                Ok(Some((chunk, Ok(levels)))) => {
                    let entries = levels.into_iter().map(|level| Entry {
                        fresh_until_ms,
                        level,
                    });
                    found.extend(chunk.iter().cloned().zip(entries));
                }
                Ok(Some((_, Err(error)))) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "the source of service levels failed"
                    );
                    self.source_rests(now_ms);
                }
                Err(_) => {
                    tracing::warn!(deadline = ?self.source_deadline, "the source of service levels is too slow");
                    self.source_rests(now_ms);
                    break;
                }
            }
        }
        found
    }

    async fn question<'a>(&self, accounts: &'a [AccountId]) -> (&'a [AccountId], Answer) {
        (accounts, self.source.levels_of(accounts).await)
    }

    fn source_rests(&self, now_ms: i64) {
        self.source_rests_until_ms
            .store(now_ms.saturating_add(self.source_pause_ms), Relaxed);
    }

    async fn remember(&self, found: &Found) {
        let lifetime_ms = self.fresh_ms.saturating_add(self.kept_ms).max(1);
        let entries: Vec<_> = found.iter().collect();
        for chunk in entries.chunks(MAX_ACCOUNTS) {
            let mut pipeline = redis::Pipeline::with_capacity(chunk.len());
            for (account, entry) in chunk {
                let set = pipeline
                    .cmd("SET")
                    .arg(self.key(account))
                    .arg(entry.to_text());
                set.arg("PX").arg(lifetime_ms);
            }
            if let Err(error) = self.link.query_all::<()>(&pipeline).await {
                self.warn(&error, "written");
            }
        }
    }

    fn warn(&self, error: &RedisError, what: &str) {
        let address = self.link.address();
        tracing::warn!(
            error = error as &dyn std::error::Error,
            "the cache of service levels at {address} cannot be {what}"
        );
    }
}

#[async_trait]
impl ServiceLevels for CachedLevels {
    async fn levels_of(
        &self,
        accounts: &[AccountId],
    ) -> Result<Vec<Option<ServiceLevel>>, LevelsError> {
        let now_ms = self.clock.now_ms();
        let cached = self.cached(accounts).await;
        let is_fresh =
            |account: &AccountId| cached.get(account).is_some_and(|one| one.is_fresh(now_ms));
        let mut open: Vec<_> = accounts
            .iter()
            .filter(|one| !is_fresh(one))
            .cloned()
            .collect();
        open.sort();
        open.dedup();
        let asked = self.ask(&open, now_ms).await;
        self.remember(&asked).await;
        let level_of = |account: &AccountId| {
            let (entry, counter) = match (asked.get(account), cached.get(account)) {
                (Some(entry), _) => (Some(entry), &self.counters.asked),
                (None, Some(entry)) if entry.is_fresh(now_ms) => {
                    (Some(entry), &self.counters.fresh)
                }
                (None, Some(entry)) => (Some(entry), &self.counters.stale),
                (None, None) => (None, &self.counters.unanswered),
            };
            counter.fetch_add(1, Relaxed);
            entry.and_then(|entry| entry.level.clone())
        };
        Ok(accounts.iter().map(level_of).collect())
    }
}

impl fmt::Debug for CachedLevels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedLevels")
            .field("address", &self.link.address())
            .field("prefix", &self.prefix)
            .field("source", &self.source)
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}

/// Without the address, which may hold a password.
impl fmt::Debug for CachedLevelsBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedLevelsBuilder")
            .field("channel", &self.channel)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}
