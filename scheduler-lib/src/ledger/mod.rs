//! What is left of a channel's rate limits, shared by all replicas.
//!
//! A [scope](ScopeKey) is whoever shares a limit: an app, an account, a token. It has one window or
//! more, each with a limit of its own. Schedulers [reserve](Ledger::reserve) calls before they send
//! jobs, [give back](Ledger::give_back) what they did not need, and tell what was
//! [heard](Ledger::hear) of the calls that were made.
//!
//! What the channel says wins over what was counted, since other products use the same limits. But
//! calls that were granted and not heard of yet may not be in what it said: they count on top,
//! until the window after theirs has ended. So lost calls hold up nobody for longer than that.
//!
//! Calls are spread over a window: in each turn of a request's `turn_ms` as many are granted as are
//! left above the cushion for each turn until the window's end. When more are asked for, a
//! [price](Standing::price) rises until only as many calls are worth it as can be made.

mod cushion;
mod memory;
mod pace;
#[cfg(feature = "redis")]
mod redis;
mod scope;
mod window;

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use polling_model::{Allowance, ScopeKey, caps};

#[cfg(feature = "redis")]
pub use self::redis::{RedisLedger, RedisLedgerBuilder};
use self::window::{MIN_LENGTH_MS, Told};
pub use self::{
    cushion::{Cushion, CushionError},
    memory::MemoryLedger,
};

/// A ledger as it is shared.
pub type SharedLedger = Arc<dyn Ledger>;

/// Most scopes that one call may count in.
pub const MAX_SCOPES: usize = 8;

/// Most calls of one request.
pub const MAX_WORTHS: usize = 1000;

/// A call that is worth this much is promised: no price, however high, keeps it back, and it does
/// not count when the price is found.
pub const PROMISED: f64 = 1e12;

/// Most that one call may use up of a limit.
pub const MAX_COST: u32 = 1000;

/// Most calls that are told apart: with [`MAX_COST`] still a whole number to Lua.
const MAX_CALLS: i64 = 1_000_000_000;

/// What is heard is taken to be so many milliseconds old at most: an hour.
const OLDEST_MS: i64 = 3_600_000;

/// The rate limits of one channel. Each step is atomic over the scopes it names.
#[async_trait]
pub trait Ledger: Send + Sync + fmt::Debug {
    /// Grants as many of each request's calls as all of its scopes have left above their cushions,
    /// and as are worth their price; a grant each, in their order. A scope of which nothing is
    /// known grants all.
    ///
    /// # Errors
    ///
    /// [`LedgerError`]; calls may have been granted, which nobody makes: they count until the
    /// window after theirs has ended.
    async fn reserve(&self, requests: &[Request], now_ms: i64) -> Result<Vec<Grant>, LedgerError>;

    /// Takes back so many calls of a grant for `request`, that will not be made.
    ///
    /// # Errors
    ///
    /// [`LedgerError`]; they may have been taken back or not.
    async fn give_back(
        &self,
        request: &Request,
        calls: usize,
        now_ms: i64,
    ) -> Result<(), LedgerError>;

    /// Notes what was heard of calls that ended; how each one's scope stands then. Repeating it may
    /// count a call twice, which the channel's next word mends.
    ///
    /// # Errors
    ///
    /// [`LedgerError`]; it may have been noted or not.
    async fn hear(&self, heard: &[Heard], now_ms: i64) -> Result<Vec<Standing>, LedgerError>;

    /// How scopes stand, in their order.
    ///
    /// # Errors
    ///
    /// [`LedgerError`] when they cannot be read.
    async fn standing(
        &self,
        scopes: &[ScopeKey],
        now_ms: i64,
    ) -> Result<Vec<Standing>, LedgerError>;
}

/// Calls that count in the same scopes.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// In which scopes each of them counts; at most [`MAX_SCOPES`] are looked at.
    pub claims: Vec<Claim>,
    /// What each call is worth, in minutes of delay that it saves, the most worthwhile first; at
    /// most [`MAX_WORTHS`] are looked at.
    pub worths: Vec<f64>,
    /// How much of the limit one call uses up; 1 to [`MAX_COST`].
    pub cost: u32,
    /// Grants calls below the price too, which take what others did not ask for.
    pub fill: bool,
    /// How often calls are asked for, in milliseconds: they are spread over the turns until a
    /// window's end. With 0 they are not.
    pub turn_ms: i64,
}

/// A scope in which a call counts.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// Which.
    pub scope: ScopeKey,
    /// What is to be left of each of its windows.
    pub cushion: Cushion,
    /// A limit that holds although the channel may not tell of it.
    pub limit: Option<Limit>,
}

/// A limit that is known without the channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Calls per window.
    pub calls: u64,
    /// How long the window is, in milliseconds. It begins at a multiple of its length.
    pub window_ms: i64,
}

/// Calls that may be made now: the first, most worthwhile ones of a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Grant {
    /// How many.
    pub calls: usize,
    /// What keeps back the others.
    pub denial: Option<Denial>,
    /// What a call has to be worth, in minutes of delay: the sum of its scopes' prices.
    pub price: f64,
}

/// Why calls are not granted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Denial {
    /// The channel refuses calls of a scope, or one call tries whether it still does.
    Refused {
        /// Which.
        scope: ScopeKey,
        /// Until then; UTC milliseconds.
        until_ms: i64,
    },
    /// What is left of a window is needed for its cushion.
    Cushion {
        /// Of which scope.
        scope: ScopeKey,
        /// The window.
        window: WindowStanding,
        /// Calls of the cushion.
        cushion: u64,
    },
    /// What is left of a window is spread over it, and this turn's part is spent.
    Paced {
        /// Of which scope.
        scope: ScopeKey,
        /// The window.
        window: WindowStanding,
        /// Calls of one turn.
        turn: u64,
    },
    /// They are worth less than the price.
    Price,
}

/// What was heard of calls in one scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// In which scope.
    pub scope: ScopeKey,
    /// What was reserved for the calls that have ended: their number times their cost; 0 if only
    /// news comes.
    pub ended: u64,
    /// What they used up.
    pub used: u64,
    /// What the channel said of this scope's windows; what it said of others is left out.
    pub allowances: Vec<Allowance>,
    /// When it said so, by the channel's clock brought to ours; UTC milliseconds.
    pub at_ms: i64,
    /// It refused the call, and asks to wait until then; UTC milliseconds.
    pub refused_until_ms: Option<i64>,
}

/// What is known of a scope.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Standing {
    /// The channel refuses calls until then; UTC milliseconds.
    pub refused_until_ms: Option<i64>,
    /// What a call has to be worth, in minutes of delay that it saves; 0 while all calls asked for
    /// can be made.
    pub price: f64,
    /// Its windows, shortest first; none if nothing is known.
    pub windows: Vec<WindowStanding>,
}

/// What is known of a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WindowStanding {
    /// Calls per window.
    pub limit: u64,
    /// Calls left, without those that were granted and not heard of.
    pub free: u64,
    /// Calls that were granted and not heard of yet.
    pub granted: u64,
    /// When it ends; UTC milliseconds.
    pub ends_ms: i64,
    /// How long it is, in milliseconds.
    pub length_ms: i64,
}

/// A ledger that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the ledger of rate limits at {at} failed: {operation}")]
#[non_exhaustive]
pub struct LedgerError {
    /// Where, without credentials.
    pub at: String,
    /// What was tried.
    pub operation: &'static str,
    /// What went wrong.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

impl LedgerError {
    /// The ledger `at` an address failed.
    pub fn new(
        at: impl Into<String>,
        operation: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self {
            at: at.into(),
            operation,
            source: source.into(),
        }
    }
}

impl Request {
    fn claims(&self) -> &[Claim] {
        &self.claims[..self.claims.len().min(MAX_SCOPES)]
    }

    fn worths(&self) -> &[f64] {
        &self.worths[..self.worths.len().min(MAX_WORTHS)]
    }

    fn cost(&self) -> i64 {
        i64::from(self.cost.clamp(1, MAX_COST))
    }

    /// The turn at `now_ms`.
    fn turn(&self, now_ms: i64) -> i64 {
        now_ms.checked_div_euclid(self.turn_ms).unwrap_or(0)
    }
}

impl Claim {
    /// The configured window and its limit, within bounds.
    fn limit(&self) -> Option<(i64, i64)> {
        let limit = self.limit?;
        let length_ms = limit
            .window_ms
            .clamp(MIN_LENGTH_MS, caps::MAX_RESET_AHEAD_MS);
        Some((length_ms, bounded(limit.calls)))
    }
}

impl Heard {
    fn ended(&self) -> i64 {
        bounded(self.ended)
    }

    fn used(&self) -> i64 {
        bounded(self.used)
    }

    /// Not after now, and not so long ago that it could tell nothing.
    fn at_ms(&self, now_ms: i64) -> i64 {
        self.at_ms.clamp(now_ms.saturating_sub(OLDEST_MS), now_ms)
    }

    fn told(&self, now_ms: i64) -> Vec<Told> {
        let at_ms = self.at_ms(now_ms);
        let of_scope = self.allowances.iter().filter(|one| one.scope == self.scope);
        of_scope.map(|one| Told::new(one, at_ms, now_ms)).collect()
    }

    /// 0 if it did not refuse.
    fn refused_until_ms(&self, now_ms: i64) -> i64 {
        let latest_ms = now_ms.saturating_add(caps::MAX_RESET_AHEAD_MS);
        self.refused_until_ms
            .map_or(0, |until_ms| until_ms.clamp(now_ms, latest_ms))
    }
}

fn bounded(calls: u64) -> i64 {
    i64::try_from(calls).unwrap_or(MAX_CALLS).min(MAX_CALLS)
}
