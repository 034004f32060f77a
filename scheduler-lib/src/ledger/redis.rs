//! The ledger in Redis, shared by all schedulers of a channel.

use std::{fmt, sync::LazyLock, time::Duration};

use async_trait::async_trait;
use polling_model::{ChannelId, ScopeKey};
use polling_transport::redis::link::{Link, LinkOptions, server_error};
use redis::{RedisError, Script};
use serde::{Deserialize, Serialize};

use super::{
    Claim, Cushion, Denial, Grant, Heard, Ledger, LedgerError, MAX_WORTHS, Request, Standing,
    WindowStanding, bounded, cushion::share_of_one, window::Told,
};
use crate::store::redis::DEFAULT_MAX_SKEW;

/// Most scopes of one script.
const MAX_KEYS: usize = 100;

static SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("lua/ledger.lua")));

/// Options of [`RedisLedger`].
#[must_use = "there is no ledger before build()"]
pub struct RedisLedgerBuilder {
    url: String,
    channel: ChannelId,
    options: LinkOptions,
    max_skew: Option<Duration>,
}

impl RedisLedgerBuilder {
    /// How long a step may take, 5 s by default.
    pub fn response_timeout(mut self, timeout: Duration) -> Self {
        self.options = self.options.response_timeout(timeout);
        self
    }

    /// How to connect: deadlines and, for `rediss://`, certificates.
    pub fn link(mut self, options: LinkOptions) -> Self {
        self.options = options;
        self
    }

    /// How much this machine's clock and the server's may differ, 5 s by default; every step beyond
    /// fails. Whoever is minutes ahead would begin the next window for everybody. `None` does not
    /// look, for tests.
    pub fn max_skew(mut self, max_skew: Option<Duration>) -> Self {
        self.max_skew = max_skew;
        self
    }

    /// Builds the ledger; it connects when it is first used.
    ///
    /// # Errors
    ///
    /// [`LedgerError`] when the address is none.
    pub fn build(self) -> Result<RedisLedger, LedgerError> {
        let link = Link::new(&self.url, &self.options);
        let link = link.map_err(|error| LedgerError {
            at: "an address that is not redis://host:port/database".to_owned(),
            operation: "reading its address",
            source: error.into(),
        })?;
        // All scopes of a channel under one tag, so that a call can count in several of them at
        // once.
        let prefix = format!("polling:{{{}:ledger}}:", self.channel);
        Ok(RedisLedger {
            link,
            prefix,
            max_skew: self.max_skew,
        })
    }
}

/// A [`Ledger`] in Redis. A scope is one string, which goes when nothing is known any more.
pub struct RedisLedger {
    link: Link,
    prefix: String,
    max_skew: Option<Duration>,
}

impl RedisLedger {
    /// A ledger at `url` (`redis://user:password@host:port/database`).
    pub fn builder(url: impl Into<String>, channel: ChannelId) -> RedisLedgerBuilder {
        RedisLedgerBuilder {
            url: url.into(),
            channel,
            options: LinkOptions::default(),
            max_skew: Some(DEFAULT_MAX_SKEW),
        }
    }

    async fn run<'a>(
        &self,
        step: &'static str,
        scopes: impl ExactSizeIterator<Item = &'a ScopeKey>,
        request: &impl Serialize,
        now_ms: i64,
    ) -> Result<Option<String>, LedgerError> {
        let mut command = redis::cmd("EVALSHA");
        command.arg(SCRIPT.get_hash()).arg(scopes.len());
        for scope in scopes {
            command.arg(format!("{}{scope}", self.prefix));
        }
        let request = serde_json::to_string(request).map_err(|error| self.error(step, error))?;
        let limit = self.max_skew.map(|skew| skew.as_millis().to_string());
        command
            .arg(step)
            .arg(now_ms)
            .arg(request)
            .arg(limit.unwrap_or_default());
        let answered = self.link.eval(&SCRIPT, &command).await;
        answered.map_err(|error: RedisError| match skew_ms(&error) {
            Some(skew_ms) => self.error(step, Skewed { skew_ms }),
            None => self.error(step, error),
        })
    }

    fn decode<'a, T: Deserialize<'a>>(
        &self,
        step: &'static str,
        answer: Option<&'a str>,
    ) -> Result<T, LedgerError> {
        serde_json::from_str(answer.unwrap_or_default()).map_err(|error| self.error(step, error))
    }

    fn error(
        &self,
        operation: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> LedgerError {
        LedgerError {
            at: self.link.address().to_owned(),
            operation,
            source: source.into(),
        }
    }
}

/// How many of the first requests one script takes.
fn first_of(requests: &[Request]) -> usize {
    let mut keys = 0;
    let fits = |request: &&Request| {
        keys += request.claims().len();
        keys <= MAX_KEYS
    };
    requests.iter().take_while(fits).count().max(1)
}

/// By how much the server says that our clock differs from its own, if that is why it refused.
fn skew_ms(error: &RedisError) -> Option<i64> {
    let (code, words) = server_error(error)?;
    let skew_ms = words.split_ascii_whitespace().next()?;
    skew_ms.parse().ok().filter(|_| code == "SKEW")
}

#[derive(Debug, thiserror::Error)]
#[error("this machine's clock differs from the server's by {skew_ms} ms: mend the clock (NTP)")]
struct Skewed {
    skew_ms: i64,
}

#[derive(Serialize)]
struct Asked<'a> {
    cushions: Vec<AskedCushion>,
    /// Length and calls of configured windows.
    limits: Vec<Option<(i64, i64)>>,
    worths: &'a [f64],
    cost: i64,
    fill: bool,
    turn: i64,
    turn_ms: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum AskedCushion {
    Calls(i64),
    Share(f64),
}

impl<'a> Asked<'a> {
    fn new(request: &'a Request, now_ms: i64) -> Self {
        let cushions = request.claims().iter().map(|claim| match claim.cushion {
            Cushion::Calls(calls) => AskedCushion::Calls(bounded(calls)),
            Cushion::Share(share) => AskedCushion::Share(share_of_one(share)),
        });
        Self {
            cushions: cushions.collect(),
            limits: request.claims().iter().map(Claim::limit).collect(),
            worths: request.worths(),
            cost: request.cost(),
            fill: request.fill,
            turn: request.turn(now_ms),
            turn_ms: request.turn_ms,
        }
    }
}

#[derive(Serialize)]
struct HeardOf {
    ended: i64,
    used: i64,
    told: Vec<Told>,
    refused_until_ms: i64,
    at_ms: i64,
}

#[derive(Deserialize)]
struct Granted {
    calls: usize,
    denial: Option<Denied>,
    price: String,
}

/// The scope is told by its number among those of the request, from 1.
#[derive(Deserialize)]
#[serde(untagged)]
enum Denied {
    Refused {
        scope: usize,
        refused: i64,
    },
    Cushion {
        scope: usize,
        window: WindowStands,
        cushion: u64,
    },
    Paced {
        scope: usize,
        window: WindowStands,
        turn: u64,
    },
    Price {},
}

impl Granted {
    fn of(self, request: &Request) -> Grant {
        let scope = |number: usize| request.claims()[number - 1].scope.clone();
        let denial = self.denial.map(|denied| match denied {
            Denied::Refused {
                scope: number,
                refused,
            } => Denial::Refused {
                scope: scope(number),
                until_ms: refused,
            },
            Denied::Cushion {
                scope: number,
                window,
                cushion,
            } => Denial::Cushion {
                scope: scope(number),
                window: window.into(),
                cushion,
            },
            Denied::Paced {
                scope: number,
                window,
                turn,
            } => Denial::Paced {
                scope: scope(number),
                window: window.into(),
                turn,
            },
            Denied::Price {} => Denial::Price,
        });
        Grant {
            calls: self.calls,
            denial,
            price: self.price.parse().unwrap_or(0.0),
        }
    }
}

#[derive(Deserialize)]
struct Stands {
    refused: i64,
    price: String,
    /// An empty list is an empty object, as Lua has but one kind of table.
    windows: Windows,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Windows {
    Some(Vec<WindowStands>),
    None {},
}

#[derive(Deserialize)]
struct WindowStands {
    limit: u64,
    free: u64,
    granted: u64,
    ends: i64,
    length: i64,
}

impl From<WindowStands> for WindowStanding {
    fn from(window: WindowStands) -> Self {
        Self {
            limit: window.limit,
            free: window.free,
            granted: window.granted,
            ends_ms: window.ends,
            length_ms: window.length,
        }
    }
}

impl From<Stands> for Standing {
    fn from(stands: Stands) -> Self {
        let windows = match stands.windows {
            Windows::Some(windows) => windows,
            Windows::None {} => Vec::new(),
        };
        Self {
            refused_until_ms: (stands.refused > 0).then_some(stands.refused),
            price: stands.price.parse().unwrap_or(0.0),
            windows: windows.into_iter().map(WindowStanding::from).collect(),
        }
    }
}

#[async_trait]
impl Ledger for RedisLedger {
    async fn reserve(&self, requests: &[Request], now_ms: i64) -> Result<Vec<Grant>, LedgerError> {
        let mut grants = Vec::with_capacity(requests.len());
        let mut rest = requests;
        while !rest.is_empty() {
            let (chunk, after) = rest.split_at(first_of(rest));
            rest = after;
            let claims = || chunk.iter().flat_map(Request::claims);
            let keys: Vec<_> = claims().map(|claim| &claim.scope).collect();
            let asked: Vec<_> = chunk
                .iter()
                .map(|request| Asked::new(request, now_ms))
                .collect();
            let answer = self
                .run("reserve", keys.into_iter(), &asked, now_ms)
                .await?;
            let granted: Vec<Granted> = self.decode("reserve", answer.as_deref())?;
            grants.extend(
                granted
                    .into_iter()
                    .zip(chunk)
                    .map(|(granted, request)| granted.of(request)),
            );
        }
        Ok(grants)
    }

    async fn give_back(
        &self,
        request: &Request,
        calls: usize,
        now_ms: i64,
    ) -> Result<(), LedgerError> {
        let keys = request.claims().iter().map(|claim| &claim.scope);
        let used = calls.min(MAX_WORTHS) as i64 * request.cost();
        let given = self.run("give_back", keys, &used, now_ms).await;
        given.map(drop)
    }

    async fn hear(&self, heard: &[Heard], now_ms: i64) -> Result<Vec<Standing>, LedgerError> {
        let mut standings = Vec::with_capacity(heard.len());
        for chunk in heard.chunks(MAX_KEYS) {
            let news = chunk.iter().map(|heard| HeardOf {
                ended: heard.ended(),
                used: heard.used(),
                told: heard.told(now_ms),
                refused_until_ms: heard.refused_until_ms(now_ms),
                at_ms: heard.at_ms(now_ms),
            });
            let news: Vec<_> = news.collect();
            let keys = chunk.iter().map(|heard| &heard.scope);
            let answer = self.run("hear", keys, &news, now_ms).await?;
            let stands: Vec<Stands> = self.decode("hear", answer.as_deref())?;
            standings.extend(stands.into_iter().map(Standing::from));
        }
        Ok(standings)
    }

    async fn standing(
        &self,
        scopes: &[ScopeKey],
        now_ms: i64,
    ) -> Result<Vec<Standing>, LedgerError> {
        let mut standings = Vec::with_capacity(scopes.len());
        for chunk in scopes.chunks(MAX_KEYS) {
            let answer = self.run("standing", chunk.iter(), &(), now_ms).await?;
            let known: Vec<Option<Stands>> = self.decode("standing", answer.as_deref())?;
            standings.extend(
                known
                    .into_iter()
                    .map(|one| one.map_or_else(Standing::default, Standing::from)),
            );
        }
        Ok(standings)
    }
}

impl fmt::Debug for RedisLedger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisLedger")
            .field("address", &self.link.address())
            .field("prefix", &self.prefix)
            .finish()
    }
}

/// Without the address, which may hold a password.
impl fmt::Debug for RedisLedgerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisLedgerBuilder")
            .field("channel", &self.channel)
            .finish_non_exhaustive()
    }
}
