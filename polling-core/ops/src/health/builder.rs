//! Which checks there are, and what they are for.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use polling_model::SharedClock;

use super::{Check, CheckFn, Health, LIVENESS, OVERALL, READINESS};

/// Pause between two looks by [`Health::run`] and for who watches, unless set otherwise.
pub const DEFAULT_INTERVAL: Duration = Duration::from_secs(5);

/// Builds a [`Health`].
#[derive(Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct HealthBuilder {
    clock: SharedClock,
    interval: Duration,
    checks: Vec<Check>,
    services: Vec<(String, Vec<String>)>,
}

/// Checks that cannot be told apart, or that do not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HealthError {
    /// Two checks with the same name.
    #[error("two checks are called {name:?}: give each a name of its own")]
    SameCheck {
        /// Their name.
        name: String,
    },
    /// Two services with the same name, or one with a name that is always there.
    #[error(
        "there is a service called {name:?} already; \"\", \"readiness\" and \"liveness\" are always there"
    )]
    SameService {
        /// Their name.
        name: String,
    },
    /// A service that stands on no check there is.
    #[error("service {service:?} needs check {check:?}, which was not added")]
    NoSuchCheck {
        /// The service.
        service: String,
        /// What it needs.
        check: String,
    },
}

/// Which checks a service stands on.
#[derive(Debug)]
pub(super) struct Needs {
    pub(super) checks: BTreeSet<String>,
    /// Whether it fails when the process says that it ends.
    pub(super) stops: bool,
}

impl HealthBuilder {
    pub(super) const fn new(clock: SharedClock) -> Self {
        Self {
            clock,
            interval: DEFAULT_INTERVAL,
            checks: Vec::new(),
            services: Vec::new(),
        }
    }

    /// Adds a check that must pass for callers to be sent here.
    pub fn ready<Kind: 'static>(self, name: impl Into<String>, check: impl CheckFn<Kind>) -> Self {
        self.check(Check::new(name, check))
    }

    /// Adds a check whose failure means that the process should be started anew. Who is not alive
    /// is not ready either.
    pub fn live<Kind: 'static>(self, name: impl Into<String>, check: impl CheckFn<Kind>) -> Self {
        self.check(Check::new(name, check).for_liveness())
    }

    /// Adds a check with settings of its own.
    pub fn check(mut self, check: Check) -> Self {
        self.checks.push(check);
        self
    }

    /// Adds many.
    pub fn checks(mut self, checks: impl IntoIterator<Item = Check>) -> Self {
        self.checks.extend(checks);
        self
    }

    /// Adds a name that callers of gRPC may ask for, and the checks that it stands on. Without any
    /// it fails only when the process ends.
    pub fn service<N: Into<String>>(
        mut self,
        name: impl Into<String>,
        checks: impl IntoIterator<Item = N>,
    ) -> Self {
        let checks = checks.into_iter().map(Into::into).collect();
        self.services.push((name.into(), checks));
        self
    }

    /// Pause between two looks, by [`Health::run`] and for who watches; [`DEFAULT_INTERVAL`] unless
    /// set, at least a millisecond.
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval.max(Duration::from_millis(1));
        self
    }

    /// The checks, of which none was asked yet.
    ///
    /// # Errors
    ///
    /// [`HealthError`] when names are not distinct, or a service needs a check that there is not.
    pub fn build(self) -> Result<Health, HealthError> {
        let mut checks = BTreeMap::new();
        for check in self.checks {
            let name = check.name.clone();
            if checks.insert(name.clone(), check).is_some() {
                return Err(HealthError::SameCheck { name });
            }
        }
        let live = checks.values().filter(|check| check.live);
        let live = live.map(|check| check.name.clone()).collect();
        let all = || Needs {
            checks: checks.keys().cloned().collect(),
            stops: true,
        };
        let alive = Needs {
            checks: live,
            stops: false,
        };
        let mut services = BTreeMap::from([
            (OVERALL.to_owned(), all()),
            (READINESS.to_owned(), all()),
            (LIVENESS.to_owned(), alive),
        ]);
        for (service, needs) in self.services {
            if let Some(check) = needs.iter().find(|name| !checks.contains_key(*name)) {
                let check = check.clone();
                return Err(HealthError::NoSuchCheck { service, check });
            }
            let needs = Needs {
                checks: needs.into_iter().collect(),
                stops: true,
            };
            if services.insert(service.clone(), needs).is_some() {
                return Err(HealthError::SameService { name: service });
            }
        }
        Ok(Health::new(self.clock, self.interval, checks, services))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use polling_model::SystemClock;

    use super::*;

    fn builder() -> HealthBuilder {
        Health::builder(Arc::new(SystemClock)).ready("store", || true)
    }

    #[test]
    fn names_are_distinct() {
        let twice = builder().live("store", || true).build().unwrap_err();
        let name = "store".to_owned();
        assert_eq!(twice, HealthError::SameCheck { name });
        for name in ["", "readiness", "liveness"] {
            let taken = builder().service(name, ["store"]).build().unwrap_err();
            let name = name.to_owned();
            assert_eq!(taken, HealthError::SameService { name });
        }
    }

    #[test]
    fn a_service_stands_on_checks_that_there_are() {
        let missing = builder().service("pkg.Poller", ["bus"]).build();
        assert_eq!(
            missing.unwrap_err().to_string(),
            "service \"pkg.Poller\" needs check \"bus\", which was not added"
        );
    }
}
