//! What the channel said is used up.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::{Allowance, ScopeKey, caps};

/// The scopes of which nothing remains, with their reset in UTC milliseconds; at most
/// [`caps::MAX_SCOPES`] of them.
#[derive(Debug, Default)]
pub(super) struct Ledger(Mutex<BTreeMap<ScopeKey, i64>>);

impl Ledger {
    /// Whether nothing is used up.
    pub(super) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// How long `scope` is still used up.
    pub(super) fn wait(&self, scope: &ScopeKey, now_ms: i64) -> Duration {
        let reset_at_ms = self.lock().get(scope).copied().unwrap_or(now_ms);
        let wait_ms = reset_at_ms.saturating_sub(now_ms).max(0);
        Duration::from_millis(wait_ms.unsigned_abs())
    }

    /// Takes up a clamped allowance. Answers arrive in any order: one that says less than nothing
    /// remains does not lift a window that another said is used up.
    pub(super) fn note(&self, allowance: Allowance, now_ms: i64) {
        let (Some(0), Some(reset_at_ms)) = (allowance.remaining, allowance.reset_at_ms) else {
            return;
        };
        let mut used_up = self.lock();
        if used_up.len() >= caps::MAX_SCOPES && !used_up.contains_key(&allowance.scope) {
            used_up.retain(|_, reset_at_ms| *reset_at_ms > now_ms);
        }
        if used_up.len() >= caps::MAX_SCOPES && !used_up.contains_key(&allowance.scope) {
            // Forgetting costs a refused call at most, which reports the scope again.
            used_up.pop_first();
        }
        let noted = used_up.entry(allowance.scope).or_insert(reset_at_ms);
        *noted = reset_at_ms.max(*noted);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ScopeKey, i64>> {
        // No change of the map can panic half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used_up(scope: &str, reset_at_ms: i64) -> Allowance {
        Allowance {
            remaining: Some(0),
            reset_at_ms: Some(reset_at_ms),
            ..Allowance::of(ScopeKey::new(scope).unwrap())
        }
    }

    #[test]
    fn a_scope_waits_until_its_reset_and_no_longer() {
        let ledger = Ledger::default();
        let app = ScopeKey::new("app").unwrap();
        ledger.note(used_up("app", 5_000), 1_000);
        ledger.note(used_up("app", 3_000), 1_000);
        assert_eq!(ledger.wait(&app, 2_000), Duration::from_secs(3));
        assert_eq!(ledger.wait(&app, 5_000), Duration::ZERO);
        assert_eq!(
            ledger.wait(&ScopeKey::new("other").unwrap(), 0),
            Duration::ZERO
        );
    }

    #[test]
    fn the_number_of_scopes_is_bounded() {
        let ledger = Ledger::default();
        for account in 0..caps::MAX_SCOPES + 100 {
            ledger.note(used_up(&format!("account:{account}"), 9_000), 0);
        }
        assert_eq!(ledger.lock().len(), caps::MAX_SCOPES);
        let last = ScopeKey::new("zebra").unwrap();
        ledger.note(used_up("zebra", 12_000), 10_000);
        assert_eq!(ledger.lock().len(), 1, "what has ended goes first");
        assert_eq!(ledger.wait(&last, 10_000), Duration::from_secs(2));
    }
}
