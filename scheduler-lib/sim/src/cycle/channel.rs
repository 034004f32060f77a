//! The simulated channel: accounts that post, pages, a rate limit, errors, and payloads that kill.

use std::{
    collections::BTreeMap,
    future::pending,
    panic::resume_unwind,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use polling_core::{Event, Job, PollError, Polled, Poller};
use polling_model::{AccountId, Allowance, Clock, Generator, JobId, ScopeKey, Topic};
use polling_transport::TokioClock;
use tokio::time::sleep;

use super::{
    faults::{Fault, Faults},
    process::Process,
    trace::Trace,
};

/// The context's key: the last event that was published.
pub(crate) const SINCE: &str = "since_id";

/// Events of one page.
const PAGE: u64 = 20;

/// Pages of one poll; what is beyond makes it saturated.
const MAX_PAGES: u64 = 3;

/// The window of the rate limit, milliseconds.
const WINDOW_MS: i64 = 60_000;

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
    /// Calls per window.
    limit: u64,
    clock: TokioClock,
    topic: Topic,
    app: ScopeKey,
    faults: Arc<Faults>,
    trace: Arc<Trace>,
}

#[derive(Debug, Default)]
struct State {
    accounts: BTreeMap<AccountId, Author>,
    window: i64,
    calls: u64,
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
        seed: u64,
        limit: u64,
        clock: TokioClock,
        faults: Arc<Faults>,
        trace: Arc<Trace>,
    ) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::default(),
            seed,
            limit,
            clock,
            topic: Topic::new("posts").expect("posts is a valid topic"),
            app: ScopeKey::new("app").expect("app is a valid scope"),
            faults,
            trace,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many posts an account has by now.
    pub(crate) fn posts(&self, account: &AccountId) -> u64 {
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

    /// One call, if the window allows it.
    fn call(&self) -> Result<Allowance, PollError> {
        let now_ms = self.clock.now_ms();
        let mut state = self.state();
        let window = now_ms / WINDOW_MS;
        if state.window != window {
            (state.window, state.calls) = (window, 0);
        }
        let reset_at_ms = (window + 1) * WINDOW_MS;
        let allowance = |remaining| Allowance {
            limit: Some(self.limit),
            remaining: Some(remaining),
            reset_at_ms: Some(reset_at_ms),
            window_ms: Some(WINDOW_MS),
            ..Allowance::of(self.app.clone())
        };
        if state.calls >= self.limit {
            let wait = Duration::from_millis((reset_at_ms - now_ms).unsigned_abs());
            return Err(PollError::rate_limited("429")
                .with_retry_after(wait)
                .with_allowance(allowance(0)));
        }
        state.calls += 1;
        Ok(allowance(self.limit - state.calls))
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

/// A worker's poller of the channel.
#[derive(Debug)]
pub(crate) struct SimPoller {
    pub(crate) channel: Arc<Channel>,
    pub(crate) process: Arc<Process>,
}

impl Poller for SimPoller {
    async fn poll(&self, job: Job) -> Result<Polled, PollError> {
        let channel = &*self.channel;
        let mut context = job.context.clone();
        let first = context.get_i64(SINCE).map_or(0, i64::unsigned_abs);
        let (mut since, mut more) = (first, true);
        let mut polled = Polled::default();
        for page in 0..MAX_PAGES {
            match self.page(&job, since).await {
                Ok((newest, posts, allowance)) => {
                    (since, more) = (newest, newest < posts);
                    polled = polled.with_allowance(allowance);
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
        channel.trace.line(|| {
            let (name, id, generation) = (&self.process.name, &job.id, job.token.generation);
            format!("{name}: polled {id} generation {generation}, events {first} to {since}")
        });
        context.insert(SINCE, since as i64);
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
    async fn page(&self, job: &Job, since: u64) -> Result<(u64, u64, Allowance), PollError> {
        self.channel.mishap(job, &self.process).await?;
        let allowance = self.channel.call()?;
        let posts = self.channel.posts(&job.account);
        Ok((posts.min(since + PAGE).max(since), posts, allowance))
    }
}
