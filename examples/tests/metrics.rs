//! The whole cycle in memory, with time that stands still between the steps: what is exported equals what the channel saw.
#![allow(clippy::unwrap_used)]

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use polling_core::{
    ChannelId, Context, Event, Job, PollError, Polled, SharedClock, TokioClock, Topic, Worker,
    WorkerConfig,
    model::{Generator, SlotRing},
    poller_fn,
    transport::{
        Metered,
        memory::{MemoryBus, MemoryQueue},
    },
};
use polling_ops::metrics::{Metrics, samples};
use scheduler_lib::{
    Channel, Limits, MemoryStore, Registration, Registry, Scheduler, policy::JobTypeRules,
};
use tokio::sync::watch;

const NOW_MS: i64 = 1_700_000_040_000;
const ACCOUNTS: usize = 40;

/// What the fake channel saw.
#[derive(Debug, Default)]
struct Seen {
    calls: BTreeMap<&'static str, u64>,
    events: u64,
}

/// Every fifth call is refused, every seventh fails; the others bring events.
fn answer(seen: &Mutex<Seen>, topic: &Topic) -> Result<Polled, PollError> {
    let mut seen = seen.lock().unwrap();
    let call: u64 = seen.calls.values().sum::<u64>() + 1;
    let (outcome, events) = match call {
        call if call.is_multiple_of(5) => ("rate_limited", 0),
        call if call.is_multiple_of(7) => ("transient", 0),
        call => ("ok", call % 4),
    };
    *seen.calls.entry(outcome).or_default() += 1;
    seen.events += events;
    match outcome {
        "rate_limited" => Err(PollError::rate_limited("slow down")),
        "transient" => Err(PollError::transient("try later")),
        _ => {
            let event = |n| Event::new(topic.clone(), format!("{call}-{n}"), "x", NOW_MS);
            Ok(Polled::new(Context::new()).with_events((0..events).map(event)))
        }
    }
}

async fn told(signal: watch::Receiver<bool>) {
    let mut signal = signal;
    let _ = signal.wait_for(|stop| *stop).await;
}

/// Sums a metric over its series, by the value of one label.
fn by_label(text: &str, name: &str, label: &str) -> BTreeMap<String, u64> {
    let mut sums = BTreeMap::new();
    for sample in samples(text).filter(|sample| sample.name == name) {
        let value = sample.labels.iter().find(|(name, _)| *name == label);
        *sums.entry(value.unwrap().1.clone()).or_default() += sample.value as u64;
    }
    sums.retain(|_, sum| *sum > 0);
    sums
}

fn sum(text: &str, name: &str) -> u64 {
    let series = samples(text).filter(|sample| sample.name == name);
    series.map(|sample| sample.value as u64).sum()
}

#[tokio::test(start_paused = true)]
async fn what_is_exported_equals_what_the_channel_saw() {
    let clock: SharedClock = Arc::new(TokioClock::starting_at(NOW_MS));
    let metrics = Metrics::new();
    let topic = Topic::new("posts").unwrap();
    let queue = |name: &str| {
        let queue = MemoryQueue::builder(name, Arc::clone(&clock)).build();
        Arc::new(Metered::new(queue, name, metrics.observer()))
    };
    let (work, completed, dead) = (queue("work"), queue("completed"), queue("dead"));
    let bus = MemoryBus::new();

    let id: ChannelId = "fake".parse().unwrap();
    let store = Arc::new(MemoryStore::new(SlotRing::SECONDS, clock.now_ms()));
    let store = Arc::new(Metered::new(store, id.as_str(), metrics.observer()));
    let rules = JobTypeRules::every(Duration::from_secs(10));
    let channel = Channel::builder(id.clone(), store)
        .job_type("posts".parse().unwrap(), rules, work.clone())
        .completed(completed.clone())
        .dead_letter(dead)
        .limits(Limits::of_seconds())
        .build()
        .unwrap();
    let scheduler = Scheduler::builder()
        .channel(channel)
        .clock(Arc::clone(&clock))
        .generator(Generator::from_seed(1))
        .observer(metrics.observer())
        .build();
    let registry = scheduler.registry(&id).unwrap();

    let seen = Arc::new(Mutex::new(Seen::default()));
    let channel = Arc::clone(&seen);
    let poller = poller_fn(move |_: Job| {
        let answer = answer(&channel, &topic);
        async move { answer }
    });
    let worker = Worker::builder()
        .work(work)
        .completed(completed)
        .bus(Arc::new(Metered::new(
            Arc::new(bus.clone()),
            "memory",
            metrics.observer(),
        )))
        .observer(metrics.observer())
        .clock(Arc::clone(&clock))
        .config(WorkerConfig {
            name: "metrics".to_owned(),
            poll_timeout: Duration::from_secs(5),
            publish_timeout: Duration::from_secs(5),
            complete_timeout: Duration::from_secs(2),
            ..WorkerConfig::default()
        })
        .poller(poller)
        .build()
        .unwrap();
    register(&registry).await;

    let (stop_worker, worker_stopped) = watch::channel(false);
    let (stop_scheduler, scheduler_stopped) = watch::channel(false);
    let working = tokio::spawn(worker.run(told(worker_stopped)));
    let scheduling = tokio::spawn(scheduler.run(told(scheduler_stopped)));
    tokio::time::sleep(Duration::from_secs(120)).await;
    stop_worker.send_replace(true);
    let report = working.await.unwrap();
    // The completions of the last polls are settled, and no more jobs polled.
    tokio::time::sleep(Duration::from_secs(30)).await;
    stop_scheduler.send_replace(true);
    scheduling.await.unwrap();

    let text = metrics.scrape().await.unwrap();
    let seen = seen.lock().unwrap();
    let calls: u64 = seen.calls.values().sum();
    assert!(calls > 200 && seen.calls.len() == 3, "{seen:?}");
    assert_eq!((report.bugs, report.flushed), (0, true));

    let expected: BTreeMap<_, _> = seen
        .calls
        .iter()
        .map(|(k, n)| ((*k).to_owned(), *n))
        .collect();
    assert_eq!(by_label(&text, "polling_polls_total", "outcome"), expected);
    assert_eq!(
        by_label(&text, "polling_settled_total", "outcome"),
        expected
    );
    assert_eq!(
        by_label(&text, "polling_settled_total", "verdict"),
        BTreeMap::from([("accepted".to_owned(), calls)])
    );
    assert_eq!(sum(&text, "polling_poll_duration_seconds_count"), calls);
    assert_eq!(sum(&text, "polling_poll_events_total"), seen.events);
    assert_eq!(
        bus.take(&"posts".parse().unwrap()).len() as u64,
        seen.events
    );
    assert!(sum(&text, "polling_drained_jobs_total") >= calls, "{text}");
    for name in ["bugs", "repaired_jobs", "undecodable", "ack_failures"] {
        assert_eq!(sum(&text, &format!("polling_{name}_total")), 0, "{name}");
    }
    let operations = by_label(
        &text,
        "polling_port_call_duration_seconds_count",
        "operation",
    );
    for operation in ["receive", "send", "drain", "settle", "publish", "deliver"] {
        assert!(operations[operation] > 0, "{operations:?}");
    }
}

async fn register(registry: &Registry) {
    for account in 0..ACCOUNTS {
        let account = account.to_string().parse().unwrap();
        let job = Registration::new("posts".parse().unwrap(), account);
        registry.register(job).await.unwrap();
    }
}
