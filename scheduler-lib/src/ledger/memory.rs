//! The ledger in memory, for one process.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use polling_model::ScopeKey;

use super::{
    Denial, Grant, Heard, Ledger, LedgerError, MAX_WORTHS, Request, Standing, scope::Scope,
};

/// Scopes of which nothing is known any more are dropped whenever there are twice as many as after
/// the last time, and so many at least.
const FEW_SCOPES: usize = 1000;

/// A [`Ledger`] that schedulers of one process share.
#[derive(Debug, Default)]
pub struct MemoryLedger {
    scopes: Mutex<Scopes>,
}

#[derive(Debug, Default)]
struct Scopes {
    known: BTreeMap<ScopeKey, Scope>,
    after_last_drop: usize,
}

impl MemoryLedger {
    /// One that knows nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, Scopes> {
        // Every step leaves the scopes whole.
        self.scopes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Scopes {
    /// The scope as it is at `now_ms`, if anything is known of it.
    fn load(&self, key: &ScopeKey, now_ms: i64) -> Option<Scope> {
        let known = self.known.get(key);
        let mut scope = known.filter(|scope| scope.forgotten_ms() > now_ms)?.clone();
        scope.move_on(now_ms);
        Some(scope)
    }

    fn save(&mut self, key: &ScopeKey, scope: Scope, now_ms: i64) {
        if scope.forgotten_ms() > now_ms {
            self.known.insert(key.clone(), scope);
        } else {
            self.known.remove(key);
        }
        if self.known.len() > (2 * self.after_last_drop).max(FEW_SCOPES) {
            self.known.retain(|_, scope| scope.forgotten_ms() > now_ms);
            self.after_last_drop = self.known.len();
        }
    }
}

impl Scopes {
    fn reserve(&mut self, request: &Request, now_ms: i64) -> Grant {
        let mut price = 0.0;
        for claim in request.claims() {
            let limit = claim.limit();
            let known = self.load(&claim.scope, now_ms);
            let Some(mut scope) = known.or_else(|| limit.map(|_| Scope::default())) else {
                continue;
            };
            if let Some((length_ms, limit)) = limit {
                scope.configure(length_ms, limit, now_ms);
            }
            scope.begin_turn(request.turn(now_ms));
            price += scope.price();
            self.save(&claim.scope, scope, now_ms);
        }
        let worths = request.worths();
        let worthwhile = worths.iter().take_while(|worth| **worth >= price).count();
        let wanted = if request.fill {
            worths.len()
        } else {
            worthwhile
        };
        let mut free = (
            wanted as i64,
            (wanted < worths.len()).then_some(Denial::Price),
        );
        for claim in request.claims() {
            self.change(&claim.scope, now_ms, |scope| {
                if !request.fill {
                    scope.asked(&worths[..worthwhile]);
                }
                free = scope.free(free.clone(), claim, request, now_ms);
            });
        }
        let (calls, denial) = (free.0 as usize, free.1);
        if calls > 0 {
            for claim in request.claims() {
                self.change(&claim.scope, now_ms, |scope| {
                    scope.take(&worths[..calls], request, now_ms);
                });
            }
        }
        Grant {
            calls,
            denial,
            price,
        }
    }

    fn change(&mut self, key: &ScopeKey, now_ms: i64, change: impl FnOnce(&mut Scope)) {
        if let Some(mut scope) = self.load(key, now_ms) {
            change(&mut scope);
            self.save(key, scope, now_ms);
        }
    }
}

#[async_trait]
impl Ledger for MemoryLedger {
    async fn reserve(&self, requests: &[Request], now_ms: i64) -> Result<Vec<Grant>, LedgerError> {
        let mut scopes = self.lock();
        let grants = requests
            .iter()
            .map(|request| scopes.reserve(request, now_ms));
        Ok(grants.collect())
    }

    async fn give_back(
        &self,
        request: &Request,
        calls: usize,
        now_ms: i64,
    ) -> Result<(), LedgerError> {
        let mut scopes = self.lock();
        for claim in request.claims() {
            if let Some(mut scope) = scopes.load(&claim.scope, now_ms) {
                scope.give_back(calls.min(MAX_WORTHS) as i64 * request.cost());
                scopes.save(&claim.scope, scope, now_ms);
            }
        }
        Ok(())
    }

    async fn hear(&self, heard: &[Heard], now_ms: i64) -> Result<Vec<Standing>, LedgerError> {
        let mut scopes = self.lock();
        let hear = |heard: &Heard| {
            let mut scope = scopes.load(&heard.scope, now_ms).unwrap_or_default();
            scope.hear(
                heard.ended(),
                heard.used(),
                &heard.told(now_ms),
                heard.refused_until_ms(now_ms),
                heard.at_ms(now_ms),
            );
            let standing = scope.standing(now_ms);
            scopes.save(&heard.scope, scope, now_ms);
            standing
        };
        Ok(heard.iter().map(hear).collect())
    }

    async fn standing(
        &self,
        scopes: &[ScopeKey],
        now_ms: i64,
    ) -> Result<Vec<Standing>, LedgerError> {
        let known = self.lock();
        let standing = |key| {
            let scope = known.load(key, now_ms)?;
            Some(scope.standing(now_ms))
        };
        let standings = scopes.iter().map(standing);
        Ok(standings.map(Option::unwrap_or_default).collect())
    }
}

#[cfg(test)]
mod tests {
    use polling_model::Allowance;

    use super::*;

    #[tokio::test]
    async fn scopes_of_which_nothing_is_known_any_more_are_dropped() {
        let ledger = MemoryLedger::new();
        let told = |scope: String, at_ms| {
            let scope = ScopeKey::new(scope).expect("a valid scope");
            let allowance = Allowance {
                remaining: Some(1),
                window_ms: Some(60_000),
                ..Allowance::of(scope.clone())
            };
            Heard {
                scope,
                ended: 0,
                used: 0,
                allowances: vec![allowance],
                at_ms,
                refused_until_ms: None,
            }
        };
        for round in 0..10 {
            let now_ms = round * 3_600_000;
            let heard: Vec<_> = (0..600)
                .map(|n| told(format!("account:{round}-{n}"), now_ms))
                .collect();
            ledger.hear(&heard, now_ms).await.expect("memory");
            let kept = ledger.lock().known.len();
            assert!((600..=2 * FEW_SCOPES).contains(&kept), "{kept}");
        }
    }
}
