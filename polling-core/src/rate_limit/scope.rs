//! Who shares a rate limit.

use std::{fmt, sync::Arc};

use crate::{Job, ScopeKey};

/// Names the scope of a limit for each job: `app` for all, `account:42` for one account.
#[derive(Clone)]
pub struct Scope {
    name: &'static str,
    of: Arc<dyn Fn(&Job) -> ScopeKey + Send + Sync>,
}

impl Scope {
    /// One limit for the whole application: `app`.
    #[must_use]
    pub fn app() -> Self {
        let key = ScopeKey::new("app").expect("app is a valid scope");
        Self::from_fn("app", move |_| key.clone())
    }

    /// A limit for each account: `account:{account}`.
    #[must_use]
    pub fn account() -> Self {
        Self::from_fn("account", |job| {
            // An account's characters are a scope's, and the longest is shorter.
            ScopeKey::new(format!("account:{}", job.account)).expect("an account makes a scope")
        })
    }

    /// A limit for whatever `of` names. `name` is for logs, and to [tune](crate::worker::Tuning) a pace.
    #[must_use]
    pub fn from_fn(
        name: &'static str,
        of: impl Fn(&Job) -> ScopeKey + Send + Sync + 'static,
    ) -> Self {
        Self {
            name,
            of: Arc::new(of),
        }
    }

    pub(crate) const fn name(&self) -> &'static str {
        self.name
    }

    /// The scope of `job`.
    #[must_use]
    pub fn of(&self, job: &Job) -> ScopeKey {
        (self.of)(job)
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scope({})", self.name)
    }
}
