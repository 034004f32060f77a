//! The workers of the examples, each against its channel on loopback, through Redis, SQS and
//! Kafka: every event is there, and nothing else.
#![allow(clippy::unwrap_used)]

// Its neighbours call it so.
#[path = "../examples/graph_feed/api.rs"]
mod api;
#[path = "../examples/feeds/fake.rs"]
#[allow(dead_code)]
mod feeds;
#[path = "../examples/feeds/poll.rs"]
mod feeds_poll;
#[path = "../examples/github_events/fake.rs"]
#[allow(dead_code)]
mod github;
#[path = "../examples/github_events/poll.rs"]
mod github_poll;
#[path = "../examples/graph_feed/fake.rs"]
#[allow(dead_code)]
mod graph;
#[path = "../examples/graph_feed/poll.rs"]
mod graph_poll;
#[path = "../examples/graph_feed/tokens.rs"]
mod graph_tokens;
#[path = "../examples/mastodon/fake.rs"]
#[allow(dead_code)]
mod mastodon;
#[path = "../examples/mastodon/poll.rs"]
mod mastodon_poll;
mod support;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use polling_core::{
    AccountId, ChannelId, Clock, Context, JobType, Poller, SystemClock, Topic, Worker,
    WorkerConfig,
    auth::{RedisTokenCache, Secret, Tokens, TokensConfig},
    http::{HttpClient, dialect::Dialect},
    model::SlotRing,
    test_util::FakeChannel,
    transport::kafka::KafkaBus,
};
use scheduler_lib::{
    Channel, Limits, Registration, Registry, Scheduler, policy::JobTypeRules, store::RedisStore,
};
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

use self::support::{Queues, address, new_topic, read, spawn, unique};

const PATIENCE: Duration = Duration::from_secs(90);
const ACCOUNTS: [&str; 3] = ["41", "42", "43"];

fn client(channel: &FakeChannel, dialect: Dialect) -> HttpClient {
    channel.client(dialect, Arc::new(SystemClock))
}

async fn scheduler(queues: &Queues) -> (Scheduler, Registry) {
    let id = ChannelId::new(unique("e2e")).unwrap();
    let store =
        RedisStore::builder(address("POLLING_REDIS_URL"), id.clone()).ring(SlotRing::SECONDS);
    let store = Arc::new(store.open(SystemClock.now_ms()).await.unwrap());
    let rules = JobTypeRules::every(Duration::from_secs(2));
    let channel = Channel::builder(id.clone(), store)
        .job_type("items".parse().unwrap(), rules, queues.work.clone())
        .completed(queues.completed.clone())
        .dead_letter(queues.dead_letter.clone())
        .limits(Limits::of_seconds())
        .build()
        .unwrap();
    let scheduler = Scheduler::builder().channel(channel).build();
    let registry = scheduler.registry(&id).unwrap();
    (scheduler, registry)
}

fn worker(queues: &Queues, poller: impl Poller) -> Worker {
    let bus = KafkaBus::builder(address("POLLING_KAFKA_BROKERS"));
    let config = WorkerConfig {
        concurrency: 8,
        poll_timeout: Duration::from_secs(5),
        publish_timeout: Duration::from_secs(10),
        complete_timeout: Duration::from_secs(5),
        receive_wait: Duration::from_secs(1),
        ..WorkerConfig::default()
    };
    Worker::builder()
        .work(queues.work.clone())
        .completed(queues.completed.clone())
        .bus(Arc::new(bus.build().unwrap()))
        .config(config)
        .poller(poller)
        .build()
        .unwrap()
}

/// The events of a topic, without repeats: account and source key.
async fn events(topic: &Topic) -> BTreeSet<(String, String)> {
    let records = read(topic).await;
    let parts = records.iter().map(|record| {
        let parts: Vec<_> = record.event_id.split('|').collect();
        (parts[2].to_owned(), parts[3].to_owned())
    });
    parts.collect()
}

fn numbers(range: std::ops::Range<u64>) -> Vec<String> {
    range.map(|key| key.to_string()).collect()
}

/// Polls three accounts with `poller` until each event of an account's `keys` is there, and no
/// other. Their jobs are registered with `context`. `post` is called once every account has been
/// polled for the first time.
async fn polls_exactly(
    topic: Topic,
    context: Context,
    poller: impl Poller,
    polled_once: impl Fn() -> bool,
    post: impl FnOnce(),
    keys: impl Fn(&str) -> Vec<String>,
) {
    let of_account = |account| {
        let keys = keys(account).into_iter();
        keys.map(move |key| (String::from(account), key))
    };
    let expected: BTreeSet<_> = ACCOUNTS.into_iter().flat_map(of_account).collect();
    let queues = Queues::create().await;
    let (scheduler, registry) = scheduler(&queues).await;
    for account in ACCOUNTS {
        let registration = Registration {
            context: context.clone(),
            ..Registration::new(
                JobType::new("items").unwrap(),
                AccountId::new(account).unwrap(),
            )
        };
        registry.register(registration).await.unwrap();
    }
    let (stop, stopped) = watch::channel(false);
    let worker = worker(&queues, poller);
    let working = spawn(|stop| worker.run(stop), &stopped);
    let scheduling = spawn(|stop| scheduler.run(stop), &stopped);

    let began = Instant::now();
    while !polled_once() {
        assert!(began.elapsed() < PATIENCE, "not every account was polled");
        sleep(Duration::from_millis(200)).await;
    }
    post();
    let mut there = events(&topic).await;
    while there.len() < expected.len() {
        assert!(
            began.elapsed() < PATIENCE,
            "{} events of {}",
            there.len(),
            expected.len()
        );
        sleep(Duration::from_secs(1)).await;
        there = events(&topic).await;
    }
    stop.send(true).unwrap();
    let report = working.await.unwrap();
    scheduling.await.unwrap();
    assert_eq!(
        (report.bugs, report.undecodable, report.flushed),
        (0, 0, true),
        "{report:?}"
    );
    assert_eq!(events(&topic).await, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs dev/services"]
async fn every_status_of_a_burst_on_mastodon_arrives() {
    let (server, channel) = mastodon::start(0).await;
    let topic = new_topic().await;
    let token = Some(mastodon::TOKEN.into());
    let poller = mastodon_poll::Statuses::new(
        client(&channel, Dialect::mastodon()),
        &channel.url("/"),
        token,
        topic.clone(),
    );
    let (seen, posting) = (server.clone(), server.clone());
    let polled_once = move || {
        let asked = &seen.lock().unwrap().asked;
        // Twice, so that the first context is stored.
        ACCOUNTS.iter().all(|account| {
            asked
                .iter()
                .filter(|call| call.starts_with(account))
                .count()
                > 1
        })
    };
    let post = move || posting.lock().unwrap().statuses = 500;
    let first = mastodon::FIRST_ID;
    polls_exactly(topic, Context::new(), poller, polled_once, post, |_| {
        numbers(first..first + 500)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs dev/services"]
async fn every_event_on_github_arrives() {
    let (server, channel) = github::start(120).await;
    {
        let mut server = server.lock().unwrap();
        (server.poll_interval_s, server.calls_left) = (1, 5_000);
    }
    let topic = new_topic().await;
    let poller = github_poll::Events::new(
        client(&channel, Dialect::github()),
        &channel.url("/"),
        None,
        topic.clone(),
    );
    let (seen, posting) = (server.clone(), server.clone());
    let polled_once = move || {
        let asked = &seen.lock().unwrap().asked;
        let unchanged = |account: &&str| {
            asked
                .iter()
                .any(|call| *call == format!("{account} 1: 304"))
        };
        ACCOUNTS.iter().all(unchanged)
    };
    let post = move || posting.lock().unwrap().events.extend(120..250);
    polls_exactly(topic, Context::new(), poller, polled_once, post, |_| {
        numbers(0..250)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs dev/services"]
async fn every_entry_of_a_feed_arrives() {
    let news = feeds::News::start().await;
    news.add(20);
    let topic = new_topic().await;
    let poller = feeds_poll::Feeds::new(client(&news.channel, Dialect::common()), topic.clone());
    let polled_once = || {
        let requests = news.channel.requests();
        let conditional = requests
            .iter()
            .filter(|request| request.header("if-none-match") == Some("\"20\""));
        // Each job has stored its first context.
        conditional.count() >= 2 * ACCOUNTS.len()
    };
    let post = || {
        news.add(300);
    };
    polls_exactly(topic, news.context(), poller, polled_once, post, |_| {
        numbers(1..321)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs dev/services"]
async fn every_post_of_a_graph_feed_arrives() {
    let (server, channel) = graph::start(150).await;
    let topic = new_topic().await;
    let api = api::Api::new(client(&channel, api::page_usage()), &channel.url("/"));
    let user_token = Secret::new(graph::USER_TOKEN);
    let endpoint = graph_tokens::PageTokens::new(api.clone(), user_token);
    let config = TokensConfig {
        // The tokens end in the middle of the test.
        shortest_life: Duration::from_millis(1),
        ..TokensConfig::default()
    };
    let cache = RedisTokenCache::open(&address("POLLING_REDIS_URL")).unwrap();
    let tokens = Tokens::builder(ChannelId::new(unique("graph")).unwrap(), endpoint)
        .cache(Arc::new(cache))
        .config(config)
        .build()
        .unwrap();
    let poller = graph_poll::Feeds::new(api, Arc::new(tokens), topic.clone());
    let (seen, posting) = (server.clone(), server.clone());
    let polled_once = move || {
        let asked = &seen.lock().unwrap().asked;
        // The first poll has two pages; the next one begins with the head.
        let again = |account: &&str| {
            asked
                .iter()
                .filter(|call| call.starts_with(&format!("{account} limit")))
                .count()
                > 2
        };
        ACCOUNTS.iter().all(again)
    };
    let post = move || {
        let mut graph = posting.lock().unwrap();
        (graph.posts, graph.secret) = (900, "n3w".to_owned());
    };
    let keys = |account: &str| (0..900).map(|n| format!("{account}_{n}")).collect();
    polls_exactly(topic, Context::new(), poller, polled_once, post, keys).await;
    let asked = &server.lock().unwrap().asked;
    let refreshes = asked.iter().filter(|call| call.contains("access_token"));
    assert_eq!(
        refreshes.count(),
        2 * ACCOUNTS.len(),
        "one for each token's end"
    );
}
