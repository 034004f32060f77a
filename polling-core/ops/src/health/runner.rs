//! Asking: on demand or in the background, each check at most once at a time.

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    fmt,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::future::join_all;
use polling_model::SharedClock;
use tokio::{
    sync::watch,
    time::{Instant, MissedTickBehavior, interval_at},
};

use super::{
    Check, CheckReport, HealthBuilder, LIVENESS, READINESS, Report, State, Verdict, builder::Needs,
};

/// Named checks, asked on demand or in the background. Clones share them.
///
/// However many ask, a check runs once at a time, on a task of its own, and its answer holds for as
/// long as its cache says. So asking costs at most one run per check and cache time, and takes at
/// most as long as the longest timeout.
#[derive(Debug, Clone)]
pub struct Health(Arc<Inner>);

struct Inner {
    clock: SharedClock,
    interval: Duration,
    checks: BTreeMap<String, Runner>,
    services: BTreeMap<String, Needs>,
    view: watch::Sender<Report>,
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner")
            .field("checks", &self.checks.keys())
            .field("services", &self.services.keys())
            .finish_non_exhaustive()
    }
}

struct Runner {
    check: Check,
    turn: Mutex<Turn>,
    /// Sends at the end of each run.
    ended: watch::Sender<()>,
}

#[derive(Default)]
struct Turn {
    running: bool,
    last_end: Option<Instant>,
}

enum Step {
    /// The last answer still holds.
    Fresh,
    /// A run is under way.
    Join,
    /// A run is to be started, and nobody else starts it.
    Start,
}

impl Health {
    /// Checks that tell the time by `clock`.
    pub const fn builder(clock: SharedClock) -> HealthBuilder {
        HealthBuilder::new(clock)
    }

    pub(super) fn new(
        clock: SharedClock,
        interval: Duration,
        checks: BTreeMap<String, Check>,
        services: BTreeMap<String, Needs>,
    ) -> Self {
        let not_yet = |check: &Check| (check.name.clone(), CheckReport::not_yet(check.live));
        let report = Report {
            checks: checks.values().map(not_yet).collect(),
            stopping: false,
        };
        let runners = checks.into_iter().map(|(name, check)| {
            let runner = Runner {
                check,
                turn: Mutex::default(),
                ended: watch::Sender::new(()),
            };
            (name, runner)
        });
        Self(Arc::new(Inner {
            clock,
            interval,
            checks: runners.collect(),
            services,
            view: watch::Sender::new(report),
        }))
    }

    /// Asks all checks: may callers be sent here?
    pub async fn readiness(&self) -> Report {
        self.known_service(READINESS).await
    }

    /// Asks the checks for liveness: should the process be started anew?
    pub async fn liveness(&self) -> Report {
        self.known_service(LIVENESS).await
    }

    /// Asks the checks of a service; `None` if there is none of that name.
    pub async fn service(&self, name: &str) -> Option<Report> {
        let needs = self.0.services.get(name)?;
        self.refresh(&needs.checks).await;
        Some(self.0.view.borrow().of(needs))
    }

    async fn known_service(&self, name: &str) -> Report {
        let report = self.service(name).await;
        report.expect("every health has readiness and liveness")
    }

    /// What the checks of a service said last, without asking; `None` if there is none of that name.
    #[must_use]
    pub fn last_of_service(&self, name: &str) -> Option<Report> {
        let needs = self.0.services.get(name)?;
        Some(self.0.view.borrow().of(needs))
    }

    /// All checks as they were last seen, and every change. It asks nothing by itself: that is done
    /// by [`Health::run`], and by whoever asks.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Report> {
        self.0.view.subscribe()
    }

    /// Asks all checks at every interval until `stop` resolves, so that [`Health::watch`] and the
    /// log tell of changes although nobody asks.
    pub async fn run(&self, stop: impl Future<Output = ()>) {
        let stop = pin!(stop);
        let asking = async {
            self.readiness().await;
            self.keep_fresh(READINESS).await
        };
        tokio::select! {
            biased;
            () = stop => {}
            never = asking => match never {},
        }
    }

    /// Says that the process ends: it is no longer ready, so that callers go elsewhere while what
    /// is under way is finished. It stays alive. Streams of `Watch` tell so and end.
    pub fn stop_serving(&self) {
        self.0.view.send_modify(|report| report.stopping = true);
        tracing::info!("health tells that this process ends");
    }

    /// The clock that times are told by.
    #[must_use]
    pub fn clock(&self) -> &SharedClock {
        &self.0.clock
    }

    /// Asks the checks of a service at every interval, from the next on.
    pub(super) async fn keep_fresh(&self, service: &str) -> Infallible {
        let Some(needs) = self.0.services.get(service) else {
            return std::future::pending().await;
        };
        let mut ticks = interval_at(Instant::now() + self.0.interval, self.0.interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.refresh(&needs.checks).await;
        }
    }

    async fn refresh(&self, checks: &BTreeSet<String>) {
        join_all(checks.iter().map(|name| self.refresh_one(name))).await;
    }

    async fn refresh_one(&self, name: &str) {
        let runner = &self.0.checks[name];
        // Before the turn is looked at, so that no end is missed.
        let mut ended = runner.ended.subscribe();
        match runner.next_step() {
            Step::Fresh => return,
            Step::Join => {}
            // On a task of its own: whoever asks may go away or stop polling, and others wait for
            // the same run.
            Step::Start => {
                tokio::spawn(Arc::clone(&self.0).run_one(name.to_owned()));
            }
        }
        // The sender lives as long as `self`.
        let _ = ended.changed().await;
    }
}

impl Inner {
    async fn run_one(self: Arc<Self>, name: String) {
        let runner = &self.checks[&name];
        let start = Instant::now();
        let verdict = runner.check.run().await;
        self.note(&name, verdict, start.elapsed());
        runner.end();
    }

    fn note(&self, name: &str, verdict: Verdict, took: Duration) {
        let now_ms = self.clock.now_ms();
        let (state, reason) = verdict.into_parts();
        let mut before = State::Unknown;
        self.view.send_modify(|report| {
            let live = self.checks[name].check.live;
            let last = report.checks.get(name);
            before = last.map_or(State::Unknown, |last| last.state);
            let since_ms = last.and_then(|last| last.since_ms);
            let since_ms = since_ms.filter(|_| state == before).unwrap_or(now_ms);
            let next = CheckReport {
                state,
                reason: reason.clone(),
                live,
                checked_ms: Some(now_ms),
                since_ms: Some(since_ms),
                took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            };
            report.checks.insert(name.to_owned(), next);
        });
        let reason = reason.as_deref().unwrap_or_default();
        match (before, state) {
            (before, now) if before == now => {}
            (State::Unknown, State::Passing) => tracing::debug!(check = name, "a check passes"),
            (_, State::Passing) => tracing::info!(check = name, "a check passes again"),
            (_, now) => tracing::warn!(check = name, state = %now, reason, "a check does not pass"),
        }
    }
}

impl Runner {
    fn next_step(&self) -> Step {
        let mut turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let holds = |end: Instant| end.elapsed() < self.check.cache;
        if turn.running {
            Step::Join
        } else if turn.last_end.is_some_and(holds) {
            Step::Fresh
        } else {
            turn.running = true;
            Step::Start
        }
    }

    fn end(&self) {
        let mut turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        turn.running = false;
        turn.last_end = Some(Instant::now());
        drop(turn);
        self.ended.send_replace(());
    }
}

impl Report {
    /// The part that a service stands on.
    pub(super) fn of(&self, needs: &Needs) -> Self {
        let part = |name: &String| Some((name.clone(), self.checks.get(name)?.clone()));
        Self {
            checks: needs.checks.iter().filter_map(part).collect(),
            stopping: self.stopping && needs.stops,
        }
    }
}
