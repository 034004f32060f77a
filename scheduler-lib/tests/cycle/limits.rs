//! Rate limits in the cycle: told at settle, kept at dispatch.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use polling_model::{
    Allowance, Completion, Context, ErrorClass, Failure, Job, JobId, Outcome, ScopeKey,
    SharedClock, wire,
};
use polling_transport::{Queue, TokioClock};
use scheduler_lib::{
    Registration,
    ledger::{Cushion, Grant, Heard, Ledger, LedgerError, MemoryLedger, Request, Standing},
    policy::{Adaptive, JobTypeRules, LevelRules, LimitRule, ScopeRule},
};
use tokio::{task::JoinHandle, time::sleep};

use crate::bench::{Bench, INTERVAL, answer, succeeded};

const MINUTE: Duration = Duration::from_secs(60);

/// Rules whose calls count in `app`, with a configured limit in 15 minutes if there is one.
fn rules(limit: Option<u64>) -> JobTypeRules {
    let scope = ScopeRule {
        scope: "app".parse().unwrap(),
        cushion: None,
        limit: limit.map(|calls| LimitRule {
            calls,
            window: 15 * MINUTE,
        }),
    };
    JobTypeRules {
        scopes: vec![scope],
        ..JobTypeRules::every(INTERVAL)
    }
}

/// The polls of each account, by their times.
pub(crate) type Polls = Arc<Mutex<BTreeMap<String, Vec<i64>>>>;

/// Answers every job as `answers` says, and writes down when.
pub(crate) fn work(
    bench: &Bench,
    answers: impl Fn(&Job, i64) -> Completion<Context> + Send + 'static,
) -> (Polls, JoinHandle<()>) {
    let polls = Polls::default();
    let (work, completed, clock) = (
        bench.work.clone(),
        bench.completed.clone(),
        bench.clock.clone(),
    );
    let noted = polls.clone();
    let working = tokio::spawn(async move {
        loop {
            let messages = work.receive(10, Duration::from_secs(20)).await.unwrap();
            for message in messages {
                let job: Job = wire::decode_job(message.body.as_bytes()).unwrap();
                let now_ms = clock.now_ms();
                let account = job.account.to_string();
                noted
                    .lock()
                    .unwrap()
                    .entry(account)
                    .or_default()
                    .push(now_ms);
                let completion = Completion {
                    finished_ms: now_ms,
                    ..answers(&job, now_ms)
                };
                let body = wire::encode_completion(&completion).unwrap();
                completed.send(vec![body]).await;
                work.ack(&message.receipt).await.unwrap();
            }
        }
    });
    (polls, working)
}

pub(crate) fn quietly(job: &Job, _now_ms: i64) -> Completion<Context> {
    answer(job, succeeded(Context::new()))
}

fn app(remaining: u64, reset_at_ms: i64) -> Allowance {
    Allowance {
        limit: Some(1000),
        remaining: Some(remaining),
        reset_at_ms: Some(reset_at_ms),
        ..Allowance::of(ScopeKey::new("app").unwrap())
    }
}

pub(crate) fn total(polls: &Polls) -> usize {
    polls.lock().unwrap().values().map(Vec::len).sum()
}

pub(crate) async fn register(bench: &Bench, jobs: usize) -> Vec<JobId> {
    let mut ids = Vec::new();
    for account in 0..jobs {
        ids.push(bench.register(&account.to_string()).await);
    }
    ids
}

/// The longest time from one slot to the next.
pub(crate) async fn to_the_next_window(bench: &Bench) {
    let window_ms = 15 * 60_000;
    let into_ms = bench.clock.now_ms().rem_euclid(window_ms);
    sleep(Duration::from_millis((window_ms - into_ms).unsigned_abs())).await;
}

#[tokio::test(start_paused = true)]
async fn no_more_jobs_are_sent_than_a_configured_limit_has_calls() {
    let bench = Bench::with(rules(Some(30)), Arc::new(MemoryLedger::new()));
    let (polls, _working) = work(&bench, quietly);
    register(&bench, 60).await;
    to_the_next_window(&bench).await;
    let begun = total(&polls);
    for window in 1..=16 {
        let before = total(&polls);
        to_the_next_window(&bench).await;
        let calls = total(&polls) - before;
        assert!(calls <= 30, "window {window}: {calls}");
    }
    let calls = total(&polls) - begun;
    assert!(calls >= 16 * 30 * 95 / 100, "{calls}");
    bench.assert_conserved().await;
    let status = bench.monitor.status().into_values().next().unwrap();
    assert!(status.postponed > 0);
    assert_eq!(status.dispatched as usize, total(&polls));
}

#[tokio::test(start_paused = true)]
async fn a_job_without_a_call_says_why() {
    let mut few = rules(Some(2));
    few.cushion = Cushion::Share(0.5);
    let bench = Bench::with(few, Arc::new(MemoryLedger::new()));
    let (_polls, _working) = work(&bench, quietly);
    let ids = register(&bench, 5).await;
    sleep(10 * MINUTE).await;
    let mut reasons = Vec::new();
    for id in &ids {
        reasons.push(
            bench
                .registry
                .get(id)
                .await
                .unwrap()
                .state
                .reason()
                .to_owned(),
        );
    }
    let told = |text: &str| reasons.iter().any(|reason| reason.contains(text));
    assert!(
        told("1 of 2 calls of app left, cushion 1: next window, in"),
        "{reasons:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_one_worker_is_told_holds_for_all_jobs_of_the_scope() {
    let bench = Bench::with(rules(None), Arc::new(MemoryLedger::new()));
    let ends_ms = bench.clock.now_ms() + 40 * 60_000;
    let (polls, _working) = work(&bench, move |job, now_ms| Completion {
        allowances: match (&*job.account.to_string(), now_ms < ends_ms) {
            ("0", true) => vec![app(0, ends_ms)],
            _ => Vec::new(),
        },
        ..quietly(job, now_ms)
    });
    register(&bench, 50).await;
    sleep(6 * MINUTE).await;
    let first_round = total(&polls);
    sleep(33 * MINUTE).await;
    assert_eq!(
        total(&polls),
        first_round,
        "polled although nothing is left"
    );
    sleep(2 * 15 * MINUTE + 40 * MINUTE).await;
    assert!(polls.lock().unwrap().values().all(|of| of.len() > 1));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_stops_the_scope_and_one_job_tries_first() {
    let bench = Bench::with(rules(None), Arc::new(MemoryLedger::new()));
    let begin_ms = bench.clock.now_ms();
    let refusing_ms = begin_ms + 6 * 60_000..begin_ms + 26 * 60_000;
    let refused = refusing_ms.clone();
    let (polls, _working) = work(&bench, move |job, now_ms| {
        if !refused.contains(&now_ms) {
            return quietly(job, now_ms);
        }
        let failure = Failure {
            retry_after_ms: Some(5 * 60_000),
            ..Failure::new(ErrorClass::RateLimited, "429")
        };
        answer(job, Outcome::Failed { failure })
    });
    register(&bench, 100).await;
    sleep(60 * MINUTE).await;
    let all = polls.lock().unwrap().clone();
    let refused = all
        .values()
        .flatten()
        .filter(|at_ms| refusing_ms.contains(at_ms));
    // One slot's jobs, before the first refusal is known; then one at a time, every five minutes.
    assert!(refused.count() <= 40);
    let after = begin_ms + 45 * 60_000;
    assert!(all.values().all(|of| of.iter().any(|at_ms| *at_ms > after)));
}

#[tokio::test(start_paused = true)]
async fn what_a_stale_completion_says_of_limits_counts() {
    let bench = Bench::with(rules(None), Arc::new(MemoryLedger::new()));
    bench.register("42").await;
    let job = bench.poll().await;
    let ends_ms = bench.clock.now_ms() + 60 * 60_000;
    let repeated = Completion {
        allowances: vec![app(0, ends_ms)],
        finished_ms: bench.clock.now_ms(),
        ..answer(&job, succeeded(Context::new()))
    };
    let body = wire::encode_completion(&repeated).unwrap();
    bench.completed.send(vec![body]).await;
    let next = bench.poll().await;
    assert!(bench.clock.now_ms() >= ends_ms, "{}", next.due_ms);
}

#[tokio::test(start_paused = true)]
async fn absurd_words_about_limits_are_counted_and_late_ones_are_not() {
    let bench = Bench::start();
    bench.register("42").await;
    let job = bench.poll().await;
    let now_ms = bench.clock.now_ms();
    let told = |reset_at_ms| Completion {
        allowances: vec![app(500, reset_at_ms)],
        finished_ms: now_ms,
        ..answer(&job, succeeded(Context::new()))
    };
    for (reset_at_ms, absurd) in [
        (now_ms - 5000, 0),
        (now_ms + 60_000, 0),
        (i64::MAX, 1),
        (0, 2),
    ] {
        let body = wire::encode_completion(&told(reset_at_ms)).unwrap();
        bench.completed.send(vec![body]).await;
        sleep(MINUTE).await;
        let status = bench.monitor.status().into_values().next().unwrap();
        assert_eq!(status.absurd_limits, absurd, "{reset_at_ms}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_counts_in_the_scopes_that_its_worker_reports() {
    let bench = Bench::start();
    let id = bench.register("42").await;
    let (message, job) = bench.receive().await;
    let token = ScopeKey::new("token:abc").unwrap();
    let reset_at_ms = bench.clock.now_ms() + 3_600_000;
    let told = Completion {
        allowances: vec![Allowance {
            scope: token.clone(),
            ..app(500, reset_at_ms)
        }],
        finished_ms: bench.clock.now_ms(),
        ..answer(&job, succeeded(Context::new()))
    };
    let body = wire::encode_completion(&told).unwrap();
    bench.completed.send(vec![body]).await;
    bench.work.ack(&message.receipt).await.unwrap();
    sleep(MINUTE).await;
    let state = bench.registry.get(&id).await.unwrap().state;
    assert_eq!(state.scopes, [token]);
    // One that reports nothing leaves it so.
    bench.poll().await;
    assert_eq!(
        bench.registry.get(&id).await.unwrap().state.scopes,
        state.scopes
    );
}

/// A ledger that fails until it is mended.
#[derive(Debug)]
struct Failing {
    inner: MemoryLedger,
    clock: SharedClock,
    mended_ms: i64,
}

impl Failing {
    fn works(&self) -> Result<(), LedgerError> {
        if self.clock.now_ms() < self.mended_ms {
            return Err(LedgerError::new("nowhere", "test", "away"));
        }
        Ok(())
    }
}

#[async_trait]
impl Ledger for Failing {
    async fn reserve(&self, requests: &[Request], now_ms: i64) -> Result<Vec<Grant>, LedgerError> {
        self.works()?;
        self.inner.reserve(requests, now_ms).await
    }

    async fn give_back(&self, of: &Request, calls: usize, now_ms: i64) -> Result<(), LedgerError> {
        self.works()?;
        self.inner.give_back(of, calls, now_ms).await
    }

    async fn hear(&self, heard: &[Heard], now_ms: i64) -> Result<Vec<Standing>, LedgerError> {
        self.works()?;
        self.inner.hear(heard, now_ms).await
    }

    async fn standing(&self, of: &[ScopeKey], now_ms: i64) -> Result<Vec<Standing>, LedgerError> {
        self.works()?;
        self.inner.standing(of, now_ms).await
    }
}

#[tokio::test(start_paused = true)]
async fn while_the_ledger_is_away_nothing_is_sent_and_nothing_lost() {
    let clock: SharedClock = Arc::new(TokioClock::starting_at(1_700_000_040_000));
    let ledger = Failing {
        inner: MemoryLedger::new(),
        mended_ms: clock.now_ms() + 20 * 60_000,
        clock,
    };
    let bench = Bench::with(rules(Some(1000)), Arc::new(ledger));
    let (polls, _working) = work(&bench, quietly);
    register(&bench, 30).await;
    sleep(19 * MINUTE).await;
    assert_eq!(total(&polls), 0);
    sleep(20 * MINUTE).await;
    assert_eq!(polls.lock().unwrap().len(), 30);
    bench.assert_conserved().await;
}

#[tokio::test(start_paused = true)]
async fn when_calls_are_scarce_levels_are_polled_by_their_weight_and_none_is_left_out() {
    let mut scarce = rules(Some(150));
    for (name, weight) in [("gold", 9.0), ("basic", 1.0)] {
        let of_level = LevelRules {
            weight,
            ..LevelRules::default()
        };
        scarce.levels.insert(name.parse().unwrap(), of_level);
    }
    let bench = Bench::with(scarce, Arc::new(MemoryLedger::new()));
    let (polls, _working) = work(&bench, quietly);
    for account in 0..200 {
        let level = if account % 2 == 0 { "gold" } else { "basic" };
        let registration = Registration {
            level: Some(level.parse().unwrap()),
            ..Registration::new(
                "posts".parse().unwrap(),
                account.to_string().parse().unwrap(),
            )
        };
        bench.registry.register(registration).await.unwrap();
    }
    sleep(2 * 60 * MINUTE).await;
    polls.lock().unwrap().clear();
    sleep(8 * 60 * MINUTE).await;
    let polls = polls.lock().unwrap();
    let of = |rest: usize| -> usize {
        let of_level = polls
            .iter()
            .filter(|(name, _)| name.parse::<usize>().unwrap() % 2 == rest);
        of_level.map(|(_, times)| times.len()).sum()
    };
    let (gold, basic) = (of(0), of(1));
    let ratio = gold as f64 / basic as f64;
    // Delay is least where polls are as the roots of the weights.
    assert!((2.4..3.6).contains(&ratio), "{gold} {basic}");
    let calls = 150 * 4 * 8;
    assert!(
        (gold + basic) * 100 >= calls * 98 && gold + basic <= calls,
        "{gold} {basic}"
    );
    assert_eq!(polls.len(), 200);
    assert!(polls.values().all(|times| times.len() > 6));
}

#[tokio::test(start_paused = true)]
async fn adaptive_jobs_are_polled_as_they_bring_items_within_the_limit() {
    let rules = JobTypeRules {
        adaptive: Some(Adaptive::default()),
        max_age: Some(Duration::from_secs(12 * 3600)),
        ..rules(Some(60))
    };
    let bench = Bench::with(rules, Arc::new(MemoryLedger::new()));
    // Accounts 0 to 9 bring an item every 20 minutes, the 90 others one every other day.
    let every_ms = |job: &Job| match job.account.as_str().len() {
        1 => 20 * 60_000,
        _ => 48 * 3_600_000,
    };
    let (polls, _working) = work(&bench, move |job, now_ms| {
        let last_ms = job.context.get_i64("last").unwrap_or(now_ms);
        let every_ms = every_ms(job);
        let items = (last_ms / every_ms + 1..=now_ms / every_ms).map(|item| item * every_ms);
        Completion {
            created_ms: items.collect(),
            ..answer(
                job,
                succeeded(Context::from_iter([("last", now_ms.into())])),
            )
        }
    });
    register(&bench, 100).await;
    sleep(8 * 60 * MINUTE).await;
    polls.lock().unwrap().clear();
    sleep(13 * 60 * MINUTE).await;
    let polls = polls.lock().unwrap();
    let mean = |busy: bool| {
        let of = polls.iter().filter(|(name, _)| (name.len() == 1) == busy);
        let (jobs, polls) = of.fold((0, 0), |(jobs, sum), (_, times)| {
            (jobs + 1, sum + times.len())
        });
        polls as f64 / f64::from(jobs.max(1))
    };
    let (busy, quiet) = (mean(true), mean(false));
    assert!(busy > 4.0 * quiet, "{busy} {quiet}");
    let calls: usize = polls.values().map(Vec::len).sum();
    assert!(calls <= 60 * 4 * 13);
    assert!(calls >= 60 * 4 * 13 * 95 / 100, "{calls}");
    assert_eq!(polls.len(), 100, "each is polled at its max age");
}

#[tokio::test(start_paused = true)]
async fn who_is_asked_for_goes_before_all_others() {
    let bench = Bench::with(rules(Some(15)), Arc::new(MemoryLedger::new()));
    let (polls, _working) = work(&bench, quietly);
    let ids = register(&bench, 300).await;
    sleep(3 * 60 * MINUTE).await;
    for id in &ids[..10] {
        polls.lock().unwrap().clear();
        bench.registry.run_now(id).await.unwrap();
        sleep(3 * MINUTE).await;
        let (_, account) = id.as_str().split_once(':').unwrap();
        assert!(polls.lock().unwrap().contains_key(account), "{account}");
    }
}
