//! Scopes found by a part of their name.

use std::collections::BTreeMap;

use polling_model::{AccountId, JobId, ScopeKey};
use scheduler_lib::{Registry, RegistryError, ScopeState, store::ListCursor};

use crate::console::Sorry;

/// Scopes of one page, about.
const MAX_SHOWN: usize = 50;

/// Jobs looked at in one step.
const STEP: usize = 100;

/// Most of them for one page: whoever wants more looks further.
const MAX_SEEN: usize = 2_000;

/// What was found, and how far was looked.
pub(super) struct Found {
    pub(super) scopes: Vec<ScopeState>,
    /// Jobs looked at.
    pub(super) seen: usize,
    /// Where to look further.
    pub(super) next: Option<ListCursor>,
}

/// The scopes with `wanted` in their name, of some jobs from where `after` says.
pub(super) async fn find(
    registry: &Registry,
    wanted: &str,
    after: Option<&ListCursor>,
) -> Result<Found, Sorry> {
    let mut scopes: BTreeMap<ScopeKey, ScopeState> = BTreeMap::new();
    let (mut seen, mut next) = (0, after.cloned());
    let named = match after {
        None => named(registry, wanted).await?,
        Some(_) => Vec::new(),
    };
    scopes.extend(named.into_iter().map(|state| (state.scope.clone(), state)));
    loop {
        let page = registry.list(next.as_ref(), STEP).await?;
        seen += page.records.len();
        let found = registry.scopes_of(&page.records).await?;
        let meant = found
            .into_iter()
            .filter(|state| state.scope.as_str().contains(wanted));
        scopes.extend(meant.map(|state| (state.scope.clone(), state)));
        next = page.next;
        if next.is_none() || scopes.len() >= MAX_SHOWN || seen >= MAX_SEEN {
            break;
        }
    }
    Ok(Found {
        scopes: tightest_first(scopes.into_values().collect()),
        seen,
        next,
    })
}

/// The scopes of the account that is meant if `wanted` is its name, or its scope's: found at once among any number.
async fn named(registry: &Registry, wanted: &str) -> Result<Vec<ScopeState>, Sorry> {
    let account = wanted
        .split_once(':')
        .map_or(wanted, |(_, account)| account);
    let Ok(account) = AccountId::new(account) else {
        return Ok(Vec::new());
    };
    let mut jobs = Vec::new();
    for job_type in registry.job_types() {
        match registry.get(&JobId::of(job_type, &account)).await {
            Ok(job) => jobs.push(job),
            Err(RegistryError::Unknown { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let mut scopes = registry.scopes_of(&jobs).await?;
    scopes.retain(|state| state.scope.as_str().contains(wanted));
    Ok(scopes)
}

/// Those that refuse calls, then those with the smallest share left.
fn tightest_first(mut scopes: Vec<ScopeState>) -> Vec<ScopeState> {
    scopes.sort_by(|a, b| share_left(a).total_cmp(&share_left(b)));
    scopes
}

fn share_left(state: &ScopeState) -> f64 {
    if state.standing.refused_until_ms.is_some() {
        return -1.0;
    }
    let windows = state.standing.windows.iter();
    let shares = windows.map(|window| window.free as f64 / window.limit.max(1) as f64);
    // All of one of which nothing is known.
    shares.fold(1.0, f64::min)
}
