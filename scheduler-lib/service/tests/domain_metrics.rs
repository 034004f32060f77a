//! A run over thousands of accounts: what is told of it is what happened, and no account becomes a label.
#![allow(clippy::unwrap_used)]

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use polling_model::{
    Allowance, Completion, Context, Generator, Job, Outcome, SharedClock, SlotRing, Token, wire,
};
use polling_ops::metrics::{Metrics, Sample, samples};
use polling_transport::{Queue as _, SharedQueue, TokioClock, memory::MemoryQueue};
use scheduler::{config::Config, metrics::watch};
use scheduler_lib::{Channel, MemoryStore, Registration, Scheduler, policy::JobTypeRules};
use tokio::{
    sync::oneshot,
    time::{Instant, sleep, timeout_at},
};

const START_MS: i64 = 1_700_000_040_000;

/// Registered accounts, every second of them gold.
const ACCOUNTS: usize = 3_000;

/// Every so many accounts have no more calls than the cushion.
const SHORT_OF_CALLS: usize = 10;

/// Ages of the events of each poll: on time, just on time, and just stale.
const AGES_MS: [i64; 3] = [10_000, 60_000, 60_001];

const CONFIG: &str = r#"
[channels.m]
store = "memory"
[channels.m.objectives]
staleness.gold = { within = "1m" }
lateness = { within = "10m" }
[channels.m.job_types.posts]
interval = "3m"
cushion = 20
scopes = [{ scope = "app", limit = { calls = 1000000, window = "1h" } }, "account:{account}"]
"#;

struct Run {
    clock: SharedClock,
    work: Arc<MemoryQueue>,
    completed: Arc<MemoryQueue>,
    dead_letter: Arc<MemoryQueue>,
    /// By account.
    polls: BTreeMap<String, usize>,
}

impl Run {
    fn new() -> Self {
        let clock: SharedClock = Arc::new(TokioClock::starting_at(START_MS));
        let queue = |name| MemoryQueue::builder(name, Arc::clone(&clock)).build();
        Self {
            work: queue("work"),
            completed: queue("completed"),
            dead_letter: queue("dead-letter"),
            polls: BTreeMap::new(),
            clock,
        }
    }

    fn scheduler(&self, config: &Config, metrics: &Metrics) -> Scheduler {
        let (id, channel) = config.channels.iter().next().unwrap();
        let rules: &JobTypeRules = &channel.job_types["posts"];
        let store = Arc::new(MemoryStore::new(SlotRing::MINUTES, START_MS));
        let served = Channel::builder(id.clone(), store)
            .job_type(
                "posts".parse().unwrap(),
                rules.clone(),
                Arc::clone(&self.work) as SharedQueue,
            )
            .completed(Arc::clone(&self.completed) as SharedQueue)
            .dead_letter(Arc::clone(&self.dead_letter) as SharedQueue)
            .build()
            .unwrap();
        Scheduler::builder()
            .clock(Arc::clone(&self.clock))
            .generator(Generator::from_seed(1))
            .observer(metrics.observer())
            .channel(served)
            .build()
    }

    /// Answers every job that comes until `end`; the first that comes again is given up on.
    async fn work_until(&mut self, end: Instant) {
        let mut given_up = false;
        while let Ok(received) =
            timeout_at(end, self.work.receive(10, Duration::from_secs(1))).await
        {
            let mut answers = Vec::new();
            for message in received.unwrap() {
                self.work.ack(&message.receipt).await.unwrap();
                let job = wire::decode_job(message.body.as_bytes()).unwrap();
                if given_up || !self.polls.contains_key(job.account.as_str()) {
                    answers.push(self.answer(&job));
                } else {
                    given_up = true;
                    self.dead_letter.send(vec![message.body.to_string()]).await;
                }
            }
            self.completed.send(answers).await;
        }
    }

    fn answer(&mut self, job: &Job) -> String {
        let number: usize = job
            .account
            .as_str()
            .trim_start_matches("acct-")
            .parse()
            .unwrap();
        let polls = self.polls.entry(job.account.to_string()).or_default();
        *polls += 1;
        let short = number.is_multiple_of(SHORT_OF_CALLS);
        let now_ms = self.clock.now_ms();
        let allowance = Allowance {
            limit: Some(100),
            remaining: Some(if short { 20 } else { 90 }),
            reset_at_ms: Some(now_ms + 3_600_000),
            ..Allowance::of(format!("account:{}", job.account).parse().unwrap())
        };
        let completion = Completion {
            id: job.id.clone(),
            job_type: job.job_type.clone(),
            token: job.token,
            outcome: Outcome::Succeeded {
                context: Context::new(),
                stopped: None,
            },
            allowances: vec![allowance],
            saturated: false,
            events: AGES_MS.len() as u64,
            created_ms: AGES_MS.iter().rev().map(|age_ms| now_ms - age_ms).collect(),
            calls: 2,
            finished_ms: now_ms,
            sent_ms: None,
        };
        wire::encode_completion(&completion).unwrap()
    }

    /// Polls, and those of them that were not the first of their job.
    fn counted(&self, meant: impl Fn(usize) -> bool) -> (usize, usize) {
        let meant = self
            .polls
            .iter()
            .filter(|(account, _)| meant(account.trim_start_matches("acct-").parse().unwrap()));
        meant.fold((0, 0), |(all, later), (_, polls)| {
            (all + polls, later + polls - 1)
        })
    }
}

/// The sum of the series of a metric that have these values among their labels.
fn sum(told: &[Sample<'_>], name: &str, labels: &[&str]) -> usize {
    let is_meant = |sample: &&Sample<'_>| {
        let has = |label: &&str| sample.labels.iter().any(|(_, value)| value == label);
        sample.name == name && labels.iter().all(has)
    };
    let found: Vec<f64> = told
        .iter()
        .filter(is_meant)
        .map(|sample| sample.value)
        .collect();
    assert!(!found.is_empty(), "no {name} of {labels:?}");
    found.iter().sum::<f64>() as usize
}

#[tokio::test(start_paused = true)]
async fn what_is_told_of_thousands_of_accounts_is_what_happened_and_names_none_of_them() {
    let config = Config::parse("test", CONFIG, []).unwrap();
    let metrics = Metrics::with_objectives(&config.objectives());
    let mut run = Run::new();
    let scheduler = run.scheduler(&config, &metrics);
    watch(&metrics, &scheduler, &config, &run.clock);
    let registry = scheduler.registry(&"m".parse().unwrap()).unwrap();
    let registrations = (0..ACCOUNTS).map(|number| {
        let level = if number % 2 == 0 { "gold" } else { "basic" };
        let account = format!("acct-{number}").parse().unwrap();
        let level = Some(level.parse().unwrap());
        Registration {
            level,
            ..Registration::new("posts".parse().unwrap(), account)
        }
    });
    registry
        .register_all(registrations.collect())
        .await
        .unwrap();
    // Of a job that nobody knows; received once by somebody who did not settle it.
    let stray = Job {
        id: "acct-stray".parse().unwrap(),
        channel: "m".parse().unwrap(),
        job_type: "posts".parse().unwrap(),
        account: "acct-1".parse().unwrap(),
        level: "gold".parse().unwrap(),
        token: Token::from_wire("00000000000000a1.7.00000000000000b2").unwrap(),
        due_ms: START_MS,
        not_after_ms: START_MS,
        context: Context::new(),
    };
    let stray = run.answer(&stray);
    run.polls.clear();
    run.completed.send(vec![stray]).await;
    run.completed.receive(1, Duration::ZERO).await.unwrap();

    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(scheduler.run(async { stopped.await.unwrap_or(()) }));
    run.work_until(Instant::now() + Duration::from_secs(8 * 60))
        .await;
    sleep(Duration::from_secs(60)).await;
    let text = metrics.scrape().await.unwrap();
    stop.send(()).unwrap();
    running.await.unwrap();

    assert!(!text.contains("acct-"), "{text}");
    let told: Vec<_> = samples(&text).collect();
    assert!(told.len() < 300, "{} series", told.len());
    let (polls, later) = run.counted(|_| true);
    assert!(later > ACCOUNTS, "{later} of {polls} polls");
    // The stray one made calls, too.
    assert_eq!(
        sum(&told, "polling_poll_calls_count", &["posts"]),
        polls + 1
    );
    assert_eq!(
        sum(&told, "polling_poll_calls_sum", &["posts"]),
        2 * (polls + 1)
    );
    assert_eq!(
        sum(&told, "polling_settled_total", &["accepted", "ok"]),
        polls
    );
    assert_eq!(sum(&told, "polling_settled_total", &["unknown"]), 1);
    assert_eq!(sum(&told, "polling_settled_total", &["dead_letter"]), 1);
    assert_eq!(
        sum(&told, "polling_redelivered_messages_total", &["completed"]),
        1
    );
    for scope in ["app", "account:{account}"] {
        assert_eq!(
            sum(&told, "polling_scope_used_calls_total", &[scope]),
            2 * polls
        );
        assert_eq!(
            sum(&told, "polling_scope_left_ratio_count", &[scope]),
            polls
        );
    }
    assert!(sum(&told, "polling_scope_remaining_calls", &["app", "1"]) < 1_000_000 - polls);
    let (short, _) = run.counted(|number| number.is_multiple_of(SHORT_OF_CALLS));
    assert_eq!(
        sum(
            &told,
            "polling_postponed_jobs_total",
            &["settle", "cushion"]
        ),
        short
    );

    let (_, gold) = run.counted(|number| number.is_multiple_of(2));
    let ages = AGES_MS.len();
    assert_eq!(
        sum(&told, "polling_event_staleness_seconds_count", &["gold"]),
        ages * gold
    );
    assert_eq!(
        sum(&told, "polling_event_staleness_seconds_count", &[]),
        ages * later
    );
    assert_eq!(
        sum(&told, "polling_staleness_objective_events_total", &["gold"]),
        ages * gold
    );
    assert_eq!(
        sum(&told, "polling_staleness_missed_events_total", &["gold"]),
        gold
    );
    let drained = sum(&told, "polling_drained_jobs_total", &[]);
    assert_eq!(
        sum(&told, "polling_lateness_objective_jobs_total", &[]),
        drained
    );
    assert_eq!(sum(&told, "polling_lateness_missed_jobs_total", &[]), 0);
    assert_eq!(sum(&told, "polling_overdue_jobs", &[]), 0);
}
