//! The simulated channel: accounts that post, pages, a rate limit, errors, and payloads that kill.

mod window;

use std::{
    collections::BTreeMap,
    future::pending,
    panic::resume_unwind,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use polling_core::{Event, Job, PollError, Polled, Poller};
use polling_model::{
    AccountId, Allowance, Clock, Context, Generator, JobId, ScopeKey, Topic, caps,
};
use polling_transport::TokioClock;
use tokio::time::sleep;

use self::window::{WINDOW_MS, Window, WindowLimit};
use super::{
    faults::{Fault, Faults},
    oracle::Oracle,
    process::Process,
    property::Property,
    scenario::Scenario,
};

/// The context's key: the last event that was published.
pub(crate) const SINCE: &str = "since_id";

/// The context's key of what is too large.
const BALLAST: &str = "ballast";

/// Within every limit, but with its job's other data more than a queue of
/// [`SMALL_MESSAGE_SIZE_BYTES`] takes.
const BALLAST_SIZE_BYTES: usize = 16 * 1024;

/// Largest message of a work queue that refuses a grown context, in bytes.
pub(crate) const SMALL_MESSAGE_SIZE_BYTES: usize = 8 * 1024;

/// Events of one page.
const PAGE: u64 = 20;

/// Pages of one poll; what is beyond makes it saturated.
const MAX_PAGES: u64 = 3;

/// The account of a simulated job, whose id is `posts:{account}`.
pub(crate) fn account_of(job: &JobId) -> AccountId {
    let (_, account) = job.as_str().split_once(':').unwrap_or(("", job.as_str()));
    AccountId::new(account).expect("a part of a valid id is a valid account")
}

/// What all workers call.
#[derive(Debug)]
pub(crate) struct Channel {
    state: Mutex<State>,
    seed: u64,
    limit: Option<WindowLimit>,
    quiet: bool,
    clock: TokioClock,
    topic: Topic,
    app: ScopeKey,
    faults: Arc<Faults>,
    oracle: Arc<Oracle>,
}

#[derive(Debug, Default)]
struct State {
    accounts: BTreeMap<AccountId, Author>,
    window: Window,
    poisoned: BTreeMap<AccountId, Poison>,
}

/// What polling a poisoned account does until a time, UTC milliseconds.
#[derive(Debug, Clone, Copy)]
struct Poison {
    until_ms: i64,
    kills: bool,
}

/// Posts at random times, sometimes many at once. Its posts are numbered from 1.
#[derive(Debug)]
struct Author {
    generator: Generator,
    mean_gap_ms: f64,
    next_ms: i64,
    posts: u64,
}

impl Author {
    fn new(generator: Generator, now_ms: i64) -> Self {
        let mean_gap_ms = 60_000.0 * (1.0 + 15.0 * generator.fraction());
        Self {
            generator,
            mean_gap_ms,
            next_ms: now_ms,
            posts: 0,
        }
    }

    fn posts_by(&mut self, now_ms: i64) -> u64 {
        while self.next_ms <= now_ms {
            let burst = self.generator.below(40) == 0;
            self.posts += if burst {
                self.generator.below(4 * PAGE)
            } else {
                1
            };
            let gap_ms = -(1.0 - self.generator.fraction()).ln() * self.mean_gap_ms;
            self.next_ms += 1 + gap_ms as i64;
        }
        self.posts
    }
}

impl Channel {
    pub(crate) fn new(
        scenario: &Scenario,
        clock: TokioClock,
        faults: Arc<Faults>,
        oracle: Arc<Oracle>,
    ) -> Arc<Self> {
        let limit = |calls| WindowLimit {
            calls,
            under_way: 2 * scenario.concurrency as u64,
            workers: scenario.workers,
        };
        Arc::new(Self {
            state: Mutex::default(),
            seed: scenario.seed,
            limit: scenario.calls_per_min.map(limit),
            quiet: scenario.quiet,
            clock,
            topic: Topic::new("posts").expect("posts is a valid topic"),
            app: ScopeKey::new("app").expect("app is a valid scope"),
            faults,
            oracle,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many posts an account has by now.
    pub(crate) fn posts(&self, account: &AccountId) -> u64 {
        if self.quiet {
            return 0;
        }
        let now_ms = self.clock.now_ms();
        let mut state = self.state();
        let author = state.accounts.entry(account.clone()).or_insert_with(|| {
            // Its posts depend on the seed and its name alone, not on who asks when.
            let salt = account.as_str().bytes().fold(self.seed, |salt, byte| {
                salt.wrapping_mul(31).wrapping_add(u64::from(byte))
            });
            Author::new(Generator::from_seed(salt), now_ms)
        });
        author.posts_by(now_ms)
    }

    /// For some time each poll of an account panics, or kills its worker.
    pub(crate) fn poison(&self, account: AccountId, lasting_ms: i64, kills: bool) {
        let until_ms = self.clock.now_ms() + lasting_ms;
        let poison = Poison { until_ms, kills };
        self.state().poisoned.insert(account, poison);
    }

    fn poison_of(&self, account: &AccountId) -> Option<Poison> {
        let now_ms = self.clock.now_ms();
        let poison = self.state().poisoned.get(account).copied()?;
        let acts = poison.until_ms > now_ms && !self.faults.healed.is_cancelled();
        acts.then_some(poison)
    }

    /// A worker knows nothing of the window any more.
    pub(crate) fn worker_renewed(&self) {
        self.state().window.renewals += 1;
    }

    /// One call, if the window allows it; what the channel tells of its limit.
    fn call(&self, process: &Process) -> Result<Option<Allowance>, PollError> {
        self.oracle.measure(|measures| measures.calls += 1);
        let Some(limit) = self.limit else {
            return Ok(None);
        };
        let now_ms = self.clock.now_ms();
        let mut state = self.state();
        let window = state.window.at(now_ms);
        let reset_at_ms = (window.number + 1) * WINDOW_MS;
        let allowance = |remaining| Allowance {
            limit: Some(limit.calls),
            remaining: Some(remaining),
            reset_at_ms: Some(reset_at_ms),
            window_ms: Some(WINDOW_MS),
            ..Allowance::of(self.app.clone())
        };
        if window.calls < limit.calls {
            window.calls += 1;
            return Ok(Some(allowance(limit.calls - window.calls)));
        }
        let checked = window.refuse(limit, process);
        drop(state);
        self.oracle.measure(|measures| measures.refused_calls += 1);
        if let Err(detail) = checked {
            self.oracle.violated(Property::WithinLimit, None, detail);
        }
        let wait = Duration::from_millis((reset_at_ms - now_ms).unsigned_abs());
        Err(PollError::rate_limited("429")
            .with_retry_after(wait)
            .with_allowance(allowance(0)))
    }

    /// What a call does besides answering.
    async fn mishap(&self, job: &Job, process: &Process) -> Result<(), PollError> {
        sleep(Duration::from_millis(
            20 + self.faults.generator().below(400),
        ))
        .await;
        process.pass().await;
        if let Some(poison) = self.poison_of(&job.account) {
            self.faults.count(Fault::Poison);
            if poison.kills {
                process.die();
                return pending().await;
            }
            // As a panic, without the hook's report on every one of them.
            resume_unwind(Box::new("a poisoned payload"));
        }
        match self.faults.draw(&[Fault::ApiError, Fault::ApiHang]) {
            Some(Fault::ApiError) => Err(PollError::transient("503")),
            Some(_) => pending().await,
            None => Ok(()),
        }
    }
}

impl Channel {
    /// A context may grow beyond what a completion can carry, so that the old one is kept; or
    /// beyond what the work queue takes, so that the job is held once it is to be sent.
    fn spoil(&self, context: &mut Context) {
        context.remove(BALLAST);
        if self.faults.draw(&[Fault::Oversize]).is_none() {
            return;
        }
        let size_bytes = if self.faults.toss() {
            caps::MAX_CONTEXT_SIZE_BYTES
        } else {
            BALLAST_SIZE_BYTES
        };
        context.insert(BALLAST, "x".repeat(size_bytes));
    }
}

/// A worker's poller of the channel.
#[derive(Debug)]
pub(crate) struct SimPoller {
    pub(crate) channel: Arc<Channel>,
    pub(crate) process: Arc<Process>,
}

impl Poller for SimPoller {
    async fn poll(&self, job: Job) -> Result<Polled, PollError> {
        let channel = &*self.channel;
        channel.oracle.polled(&job.id, job.token, job.due_ms);
        let mut context = job.context.clone();
        let first = context.get_i64(SINCE).map_or(0, i64::unsigned_abs);
        let (mut since, mut more) = (first, true);
        let mut polled = Polled::default();
        for page in 0..MAX_PAGES {
            match self.page(&job, since).await {
                Ok((newest, posts, allowance)) => {
                    (since, more) = (newest, newest < posts);
                    polled.allowances.extend(allowance);
                }
                Err(error) if page == 0 => return Err(error),
                Err(error) => {
                    polled = polled.with_stopped(error);
                    break;
                }
            }
            if !more {
                break;
            }
        }
        channel.oracle.trace.line(|| {
            let (name, id, generation) = (&self.process.name, &job.id, job.token.generation);
            format!("{name}: polled {id} generation {generation}, events {first} to {since}")
        });
        context.insert(SINCE, since as i64);
        channel.spoil(&mut context);
        polled.context = context;
        let now_ms = channel.clock.now_ms();
        let event = |number: u64| {
            let text = number.to_string();
            Event::new(channel.topic.clone(), text.clone(), text, now_ms)
        };
        Ok(polled
            .with_events((first + 1..=since).map(event))
            .with_saturated(more))
    }
}

impl SimPoller {
    /// The newest event of the page after `since`, the newest of all, and what is left of the
    /// window.
    async fn page(
        &self,
        job: &Job,
        since: u64,
    ) -> Result<(u64, u64, Option<Allowance>), PollError> {
        self.channel.mishap(job, &self.process).await?;
        let allowance = self.channel.call(&self.process)?;
        let posts = self.channel.posts(&job.account);
        Ok((posts.min(since + PAGE).max(since), posts, allowance))
    }
}
