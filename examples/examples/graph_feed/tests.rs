//! The poller against a server on loopback that answers as the Graph API does.

use std::{sync::Arc, time::Duration};

use polling_core::{
    ErrorClass, TokioClock, Topic,
    auth::{Secret, Tokens},
    test_util::{
        FakeChannel, Rig, START_MS,
        contract::{Subject, verify},
    },
};
use tokio::time::sleep;

use crate::{
    api::{Api, page_usage},
    fake::{self, Shared, USER_TOKEN},
    poll::Feeds,
    tokens::PageTokens,
};

/// A token younger than that is not refreshed.
const OLD_ENOUGH: Duration = Duration::from_secs(11);

fn poller(channel: &FakeChannel) -> Feeds {
    let clock = Arc::new(TokioClock::starting_at(START_MS));
    let http = channel.client(page_usage(), clock.clone());
    let api = Api::new(http, &channel.url("/"));
    let endpoint = PageTokens::new(api.clone(), Secret::new(USER_TOKEN));
    let tokens = Tokens::builder("graph".parse().unwrap(), endpoint).clock(clock);
    let topic = Topic::new("posts").unwrap();
    Feeds::new(api, Arc::new(tokens.build().unwrap()), topic)
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

fn asked(graph: &Shared) -> Vec<String> {
    std::mem::take(&mut graph.lock().unwrap().asked)
}

#[tokio::test(start_paused = true)]
async fn a_feed_is_read_page_by_page_and_then_only_its_head() {
    let (graph, mut rig, _channel) = start(250).await;
    let first = rig.poll().await;
    first
        .assert_succeeded()
        .assert_published(keys((0..250).rev()));
    assert_eq!(first.events[0].created_ms, 1_699_956_000_000);
    assert_eq!(
        asked(&graph),
        [
            "42 fields=access_token",
            "42 limit=100",
            "42 limit=100&after=QVFI1x150",
            "42 limit=100&after=QVFI1x50"
        ]
    );

    graph.lock().unwrap().posts = 253;
    rig.poll().await.assert_published(keys((250..253).rev()));
    assert_eq!(asked(&graph), ["42 limit=100"]);
}

#[tokio::test(start_paused = true)]
async fn a_page_leads_nowhere_else() {
    let (graph, rig, _channel) = start(1).await;
    let mut rig = rig.with_job(|job| job.account = "4/2".parse().unwrap());
    rig.poll().await.assert_succeeded();
    assert_eq!(
        asked(&graph),
        ["4%2F2 fields=access_token", "4%2F2 limit=100"]
    );
}

#[tokio::test(start_paused = true)]
async fn percentages_become_allowances_of_the_page_and_of_the_app() {
    let (graph, mut rig, _channel) = start(1).await;
    graph.lock().unwrap().calls_left = Some(72);
    let run = rig.poll().await;
    run.assert_remaining("account:42", 72)
        .assert_remaining("app", 72);
    assert_eq!(run.allowances().len(), 2);
    assert_eq!(run.allowances()[0].limit, Some(100));

    graph.lock().unwrap().calls_left = Some(0);
    let refused = rig.poll().await;
    refused
        .assert_failed(ErrorClass::RateLimited)
        .assert_remaining("account:42", 0)
        .assert_remaining("app", 72);
    let told_ms = refused.allowances()[0].reset_at_ms.unwrap();
    let regained_ms = rig.job().due_ms + 19 * 60_000;
    assert!(
        (regained_ms - 60_000..=regained_ms).contains(&told_ms),
        "{told_ms}: when access is regained"
    );

    {
        let mut graph = graph.lock().unwrap();
        (graph.calls_left, graph.app_used) = (None, 104);
    }
    let refused = rig.poll().await;
    refused
        .assert_failed(ErrorClass::RateLimited)
        .assert_remaining("account:42", 97)
        .assert_remaining("app", 0);
    let app = refused.allowances().iter().find(|a| a.remaining == Some(0));
    assert!(app.unwrap().reset_at_ms.is_some(), "within an hour");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_has_ended_in_the_middle_of_a_feed_is_renewed_once() {
    let (graph, mut rig, _channel) = start(700).await;
    rig.poll().await.assert_published(keys((200..700).rev()));
    asked(&graph);
    sleep(OLD_ENOUGH).await;
    graph.lock().unwrap().secret = "n3w".to_owned();
    let run = rig.poll().await;
    run.assert_succeeded()
        .assert_published(keys((0..200).rev()));
    assert_eq!(
        asked(&graph),
        [
            "42 limit=100&after=QVFI1x200",
            "42 fields=access_token",
            "42 limit=100&after=QVFI1x200",
            "42 limit=100&after=QVFI1x100",
            "42 limit=100"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_page_that_refuses_every_token_costs_two_calls_a_poll_at_most() {
    let (graph, mut rig, _channel) = start(1).await;
    graph.lock().unwrap().error = Some((190, 460));
    rig.poll().await.assert_failed(ErrorClass::Unauthorized);
    sleep(OLD_ENOUGH).await;
    asked(&graph);
    let run = rig.poll().await;
    run.assert_failed(ErrorClass::Unauthorized);
    assert_eq!(code_of(&run), "190");
    assert_eq!(
        asked(&graph),
        ["42 limit=100", "42 fields=access_token", "42 limit=100"]
    );

    // Another token is no other permission.
    sleep(OLD_ENOUGH).await;
    graph.lock().unwrap().error = Some((10, 0));
    rig.poll().await.assert_failed(ErrorClass::Unauthorized);
    assert_eq!(asked(&graph), ["42 limit=100"]);
}

#[tokio::test(start_paused = true)]
async fn a_page_without_a_token_is_not_polled() {
    use ErrorClass::{Invalid, Transient, Unauthorized};
    for (error, first, second) in [
        // Of this page; of the user's token; of a limit.
        ((100, 33), (Unauthorized, "100"), (Unauthorized, "100")),
        (
            (190, 463),
            (Invalid, "token_endpoint"),
            (Transient, "token_cooling"),
        ),
        (
            (4, 0),
            (Transient, "token_endpoint"),
            (Transient, "token_cooling"),
        ),
    ] {
        let (graph, mut rig, _channel) = start(1).await;
        graph.lock().unwrap().token_error = Some(error);
        for (class, code) in [first, second] {
            let run = rig.poll().await;
            run.assert_failed(class);
            assert_eq!(code_of(&run), code);
        }
        assert_eq!(asked(&graph), ["42 fields=access_token"], "{error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_token_that_is_forgotten_skips_nothing() {
    let (graph, mut rig, _channel) = start(3).await;
    rig.poll().await.assert_published(keys((0..3).rev()));
    graph.lock().unwrap().posts = 700;
    let stopped = rig.poll().await;
    assert!(stopped.saturated());
    stopped.assert_published(keys((200..700).rev()));
    {
        let mut graph = graph.lock().unwrap();
        (graph.index, graph.posts) = (2, 710);
    }
    asked(&graph);
    rig.poll().await.assert_published(keys((210..710).rev()));
    let asked = asked(&graph);
    assert_eq!(asked[..2], ["42 limit=100&after=QVFI1x200", "42 limit=100"]);
    rig.poll().await.assert_published(keys((3..210).rev()));
}

#[tokio::test(start_paused = true)]
async fn no_token_is_published_or_kept_with_the_job() {
    let (_graph, mut rig, _channel) = start(700).await;
    let run = rig.poll().await;
    assert!(run.saturated());
    let context = serde_json::to_string(rig.context()).unwrap();
    assert!(context.contains("QVFI1x200") && !context.contains("s3cret"));
    let shown = format!("{:?} {:?}", run.events, run.completion);
    assert!(!shown.contains("s3cret") && !shown.contains(USER_TOKEN));
}

#[tokio::test(start_paused = true)]
async fn the_apis_own_code_decides_the_class() {
    let (graph, mut rig, _channel) = start(1).await;
    for (code, class) in [
        ((4, 0), ErrorClass::RateLimited),
        ((17, 0), ErrorClass::RateLimited),
        ((32, 0), ErrorClass::RateLimited),
        ((613, 0), ErrorClass::RateLimited),
        ((80001, 0), ErrorClass::RateLimited),
        ((10, 0), ErrorClass::Unauthorized),
        ((200, 0), ErrorClass::Unauthorized),
        ((2, 0), ErrorClass::Transient),
        ((100, 33), ErrorClass::Gone),
        ((803, 0), ErrorClass::Gone),
        ((100, 0), ErrorClass::Invalid),
    ] {
        graph.lock().unwrap().error = Some(code);
        let run = rig.poll().await;
        run.assert_failed(class);
        assert_eq!(code_of(&run), code.0.to_string());
    }
}

fn code_of(run: &polling_core::test_util::Run) -> String {
    run.failure().unwrap().code.as_ref().unwrap().to_string()
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
