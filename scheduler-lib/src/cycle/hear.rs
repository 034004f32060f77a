//! What ended dispatches tell of rate limits.

use std::collections::BTreeMap;

use polling_model::{Allowance, Completion, EncodedContext, ErrorClass, ScopeKey, caps};

use super::{Cycle, settle::Ending, status::add};
use crate::{
    ledger::{Claim, Heard, Ledger as _, MemoryLedger, Standing},
    limits::LEDGER_DEADLINE,
    policy::JobTypeRules,
    store::{JobState, MAX_BOUND_SCOPES},
};

/// How long a scope is left alone whose channel refused a call and does not say for how long,
/// milliseconds.
const REFUSED_MS: i64 = 60_000;

/// So late a word may be about a window that has ended, milliseconds: an hour.
const LATE_MS: i64 = 3_600_000;

/// How scopes stand after something was heard of them.
#[derive(Debug, Default)]
pub(super) struct Standings(BTreeMap<ScopeKey, Standing>);

impl Standings {
    /// The share that is left of a scope's tightest window.
    pub(super) fn left(&self, scope: &ScopeKey) -> Option<f64> {
        let windows = self.0.get(scope)?.windows.iter();
        let left = windows.map(|window| window.free as f64 / window.limit.max(1) as f64);
        left.reduce(f64::min)
    }

    /// The scopes in which a job's calls count, and how they stand.
    pub(super) fn of(&self, claims: Vec<Claim>) -> Vec<(Claim, Standing)> {
        let standing = |claim: &Claim| self.0.get(&claim.scope).cloned().unwrap_or_default();
        claims
            .into_iter()
            .map(|claim| {
                let standing = standing(&claim);
                (claim, standing)
            })
            .collect()
    }
}

impl Cycle {
    /// Tells the ledger what completions say, stale ones too, and how the scopes of their jobs
    /// stand then. A ledger that fails holds up nothing: each job goes by what its own calls were
    /// told.
    pub(super) async fn hear(&self, endings: &[&Ending], states: &[Option<JobState>]) -> Standings {
        let now_ms = self.clock.now_ms();
        let mut by_scope: BTreeMap<ScopeKey, Heard> = BTreeMap::new();
        for (ending, state) in endings.iter().zip(states) {
            let Some(completion) = &ending.completion else {
                continue;
            };
            self.count_absurd(&completion.allowances, now_ms);
            for heard in self.heard_of(completion, state.as_ref(), now_ms) {
                match by_scope.get_mut(&heard.scope) {
                    Some(before) => add_to(before, heard),
                    None => drop(by_scope.insert(heard.scope.clone(), heard)),
                }
            }
        }
        if by_scope.is_empty() {
            return Standings::default();
        }
        let heard: Vec<Heard> = by_scope.into_values().collect();
        let asked = tokio::time::timeout(LEDGER_DEADLINE, self.channel.ledger.hear(&heard, now_ms));
        let standings = match asked.await {
            Ok(Ok(standings)) => standings,
            Ok(Err(error)) => {
                tracing::warn!(channel = %self.channel.id, error = polling_model::chain(&error), "rate limits cannot be shared; each job goes by its own");
                alone(&heard, now_ms).await
            }
            Err(_) => {
                tracing::warn!(channel = %self.channel.id, "no answer from the ledger of rate limits in time; each job goes by its own");
                alone(&heard, now_ms).await
            }
        };
        let scopes = heard.into_iter().map(|heard| heard.scope);
        Standings(scopes.zip(standings).collect())
    }

    fn heard_of(
        &self,
        completion: &Completion<EncodedContext>,
        state: Option<&JobState>,
        now_ms: i64,
    ) -> Vec<Heard> {
        let policy = self.channel.policy(&completion.job_type);
        let rules = policy.as_deref().map(|policy| &policy.rules);
        let cost = u64::from(rules.map_or(1, |rules| rules.cost));
        let claims = state.zip(rules).map(|(state, rules)| rules.claims(state));
        let claimed = claims
            .unwrap_or_default()
            .into_iter()
            .map(|claim| (claim.scope, cost));
        let mut scopes: Vec<(ScopeKey, u64)> = claimed.collect();
        for allowance in &completion.allowances {
            if scopes.iter().all(|(scope, _)| *scope != allowance.scope) {
                // Nothing was reserved in a scope that nobody knew the job to count in.
                scopes.push((allowance.scope.clone(), 0));
            }
        }
        let refused = refused(completion, &scopes, now_ms);
        let heard = scopes.into_iter().map(|(scope, ended)| Heard {
            ended,
            used: cost * u64::from(completion.calls),
            allowances: of_scope(&completion.allowances, &scope),
            at_ms: completion.finished_ms,
            refused_until_ms: refused
                .iter()
                .find(|(refused, _)| *refused == scope)
                .map(|(_, until_ms)| *until_ms),
            scope,
        });
        heard.collect()
    }

    fn count_absurd(&self, allowances: &[Allowance], now_ms: i64) {
        let absurd = allowances.iter().filter(|allowance| {
            // A window that has ended meanwhile is nothing absurd.
            let reset_at_ms =
                allowance
                    .reset_at_ms
                    .map(|at_ms| match now_ms.saturating_sub(at_ms) {
                        0..LATE_MS => now_ms,
                        _ => at_ms,
                    });
            let told = Allowance {
                reset_at_ms,
                ..(*allowance).clone()
            };
            told != told.clone().clamped(now_ms)
        });
        add(&self.status.absurd_limits, absurd.count());
    }
}

/// Of what several completions of one batch say of a scope, the newest word counts.
fn add_to(before: &mut Heard, heard: Heard) {
    before.ended += heard.ended;
    before.used += heard.used;
    before.refused_until_ms = before.refused_until_ms.max(heard.refused_until_ms);
    if before.allowances.is_empty() || (heard.at_ms > before.at_ms && !heard.allowances.is_empty())
    {
        before.allowances = heard.allowances;
    }
    before.at_ms = before.at_ms.max(heard.at_ms);
}

/// The same as the ledger, from these words alone.
async fn alone(heard: &[Heard], now_ms: i64) -> Vec<Standing> {
    let own = MemoryLedger::new();
    own.hear(heard, now_ms).await.unwrap_or_default()
}

fn of_scope(allowances: &[Allowance], scope: &ScopeKey) -> Vec<Allowance> {
    allowances
        .iter()
        .filter(|allowance| allowance.scope == *scope)
        .cloned()
        .collect()
}

/// The scopes in which the channel refused a call, and until when: those of which it says that
/// nothing is left, otherwise the one that it names first, otherwise the narrowest of the rules,
/// which is named last.
fn refused(
    completion: &Completion<EncodedContext>,
    scopes: &[(ScopeKey, u64)],
    now_ms: i64,
) -> Vec<(ScopeKey, i64)> {
    let refusal = completion.outcome.failure();
    let Some(refusal) = refusal.filter(|failure| failure.class == ErrorClass::RateLimited) else {
        return Vec::new();
    };
    if completion.calls == 0 {
        return Vec::new(); // The worker's own pace held it back.
    }
    let asked_ms = refusal
        .retry_after_ms
        .map(|wait_ms| now_ms.saturating_add(wait_ms.clamp(0, caps::MAX_RESET_AHEAD_MS)));
    let until_ms = asked_ms.unwrap_or(now_ms.saturating_add(REFUSED_MS));
    let empty = completion
        .allowances
        .iter()
        .filter(|allowance| allowance.remaining == Some(0));
    let mut refused: Vec<_> = empty
        .map(|allowance| {
            let reset_ms = asked_ms.or(allowance.reset_at_ms);
            (allowance.scope.clone(), reset_ms.unwrap_or(until_ms))
        })
        .collect();
    if refused.is_empty() {
        let named = completion
            .allowances
            .first()
            .map(|allowance| &allowance.scope);
        let narrowest = || scopes.last().map(|(scope, _)| scope);
        refused.extend(
            named
                .or_else(narrowest)
                .map(|scope| (scope.clone(), until_ms)),
        );
    }
    refused
}

/// The scopes that a job is bound to from now on, if its completion names other ones than it is
/// bound to; those of its rules it counts in anyway.
pub(super) fn bound(
    completion: &Completion<EncodedContext>,
    state: &JobState,
    rules: &JobTypeRules,
) -> Option<Vec<ScopeKey>> {
    if completion.allowances.is_empty() {
        return None;
    }
    let by_rules: Vec<_> = rules.scopes_of(state).collect();
    let mut scopes: Vec<ScopeKey> = Vec::new();
    for Allowance { scope, .. } in &completion.allowances {
        let known = scopes.contains(scope) || by_rules.contains(scope);
        if !known && scopes.len() < MAX_BOUND_SCOPES {
            scopes.push(scope.clone());
        }
    }
    (scopes != state.scopes).then_some(scopes)
}
