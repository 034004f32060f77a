//! The poller against a server on loopback that answers as the Graph API does.

use std::sync::Arc;

use polling_core::{
    ErrorClass, ManualClock, Topic,
    http::{HttpClient, HttpConfig, dialect::Dialect},
    test_util::{
        FakeChannel, Rig, START_MS,
        contract::{Subject, verify},
    },
};

use crate::{
    fake::{self, Shared, TOKEN},
    poll::Feeds,
};

fn poller(channel: &FakeChannel) -> Feeds {
    let config = HttpConfig {
        private_hosts: vec!["127.0.0.1".to_owned()],
        ..HttpConfig::new("test/1.0")
    };
    let clock = Arc::new(ManualClock::at(START_MS));
    let http = HttpClient::new(config, Dialect::graph(), clock).unwrap();
    let topic = Topic::new("posts").unwrap();
    Feeds::new(http, &channel.url("/"), TOKEN.to_owned(), topic)
}

/// The server, and a rig that polls its page 42.
async fn start(posts_there: u64) -> (Shared, Rig<Feeds>, FakeChannel) {
    let (graph, channel) = fake::start(posts_there).await;
    let rig = Rig::new(poller(&channel)).with_job(|job| job.account = "42".parse().unwrap());
    (graph, rig, channel)
}

fn keys(posts: impl Iterator<Item = u64>) -> Vec<String> {
    posts.map(|n| format!("42_{n}")).collect()
}

#[tokio::test(start_paused = true)]
async fn a_feed_is_read_page_by_page_and_then_only_its_head() {
    let (graph, mut rig, _channel) = start(250).await;
    let first = rig.poll().await;
    first
        .assert_succeeded()
        .assert_published(keys((0..250).rev()));
    assert_eq!(first.events[0].created_ms, 1_699_956_000_000);
    let asked = std::mem::take(&mut graph.lock().unwrap().asked);
    assert_eq!(
        asked,
        [
            "42 limit=100",
            "42 limit=100&after=QVFI150",
            "42 limit=100&after=QVFI50"
        ]
    );

    graph.lock().unwrap().posts = 253;
    rig.poll().await.assert_published(keys((250..253).rev()));
    assert_eq!(graph.lock().unwrap().asked, ["42 limit=100"]);
}

#[tokio::test(start_paused = true)]
async fn percentages_become_allowances_of_the_page() {
    let (graph, mut rig, _channel) = start(1).await;
    graph.lock().unwrap().calls_left = Some(72);
    let run = rig.poll().await;
    run.assert_remaining("account:42", 72);
    assert_eq!(run.allowances()[0].limit, Some(100));

    graph.lock().unwrap().calls_left = Some(0);
    let refused = rig.poll().await;
    refused
        .assert_failed(ErrorClass::RateLimited)
        .assert_remaining("account:42", 0);
    assert_eq!(
        refused.failure().unwrap().code.as_ref().unwrap().as_str(),
        "32"
    );
    let reset_at_ms = refused.allowances()[0].reset_at_ms;
    assert_eq!(
        reset_at_ms,
        Some(START_MS + 19 * 60_000),
        "when access is regained"
    );
}

#[tokio::test(start_paused = true)]
async fn the_apis_own_code_decides_the_class() {
    let (graph, mut rig, _channel) = start(1).await;
    for (code, class) in [
        (4, ErrorClass::RateLimited),
        (80001, ErrorClass::RateLimited),
        (190, ErrorClass::Unauthorized),
        (200, ErrorClass::Unauthorized),
        (2, ErrorClass::Transient),
        (803, ErrorClass::Gone),
        (100, ErrorClass::Invalid),
    ] {
        graph.lock().unwrap().error = Some(code);
        rig.poll().await.assert_failed(class);
    }
}

/// A page of its own.
struct Timeline {
    graph: Shared,
    channel: FakeChannel,
}

impl Timeline {
    async fn start() -> Self {
        let (graph, channel) = fake::start(0).await;
        Self { graph, channel }
    }
}

impl Subject for Timeline {
    type Poller = Feeds;

    fn poller(&self) -> Feeds {
        poller(&self.channel)
    }

    fn add(&self, items: usize) -> Vec<String> {
        let mut graph = self.graph.lock().unwrap();
        let first = graph.posts;
        graph.posts += items as u64;
        let account = Rig::new(self.poller()).job().account.clone();
        (first..graph.posts)
            .map(|n| format!("{account}_{n}"))
            .collect()
    }

    fn limit(&self, calls: Option<u64>) {
        self.graph.lock().unwrap().calls_left = calls;
    }
}

#[tokio::test(start_paused = true)]
async fn it_keeps_the_contract() {
    verify(Timeline::start).await.unwrap();
}
