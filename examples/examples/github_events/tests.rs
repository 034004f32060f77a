//! The poller against a server on loopback that answers as GitHub does.

use std::sync::Arc;

use polling_core::{
    Context, ErrorClass, Job, ManualClock, PollError, Polled, Poller, Topic,
    http::{HttpClient, HttpConfig, dialect::Dialect},
    model,
    test_util::{
        FakeChannel,
        contract::{Subject, verify},
    },
};

use crate::{
    fake::{self, Shared},
    poll::Events,
};

/// 2026-08-01T13:52:00Z.
const NOW_MS: i64 = 1_785_592_320_000;

/// The server, and a poller for it.
async fn start(events_there: u64) -> (Shared, Events, FakeChannel) {
    let (github, channel) = fake::start(events_there).await;
    (github, poller(&channel), channel)
}

fn poller(channel: &FakeChannel) -> Events {
    let config = HttpConfig {
        private_hosts: vec!["127.0.0.1".to_owned()],
        ..HttpConfig::new("test/1.0")
    };
    let clock = Arc::new(ManualClock::at(NOW_MS));
    let http = HttpClient::new(config, Dialect::github(), clock).unwrap();
    let topic = Topic::new("activity").unwrap();
    Events::new(http, &channel.url("/"), None, topic)
}

async fn poll(poller: &Events, context: &Context) -> Result<Polled, PollError> {
    let dispatch = model::Job {
        id: "events:octocat".parse().unwrap(),
        channel: "github".parse().unwrap(),
        job_type: "events".parse().unwrap(),
        account: "octocat".parse().unwrap(),
        level: "gold".parse().unwrap(),
        token: model::Token::from_wire("00000000000000a1.1.00000000000000b2").unwrap(),
        due_ms: NOW_MS,
        not_after_ms: NOW_MS + 60_000,
        context: context.clone(),
    };
    poller.poll(Job::new(dispatch, NOW_MS)).await
}

fn found(polled: &Polled) -> Vec<u64> {
    let keys = polled
        .events
        .iter()
        .map(|event| event.source_key.parse().unwrap());
    let mut ids: Vec<u64> = keys.collect();
    ids.sort_unstable();
    ids
}

fn asked(github: &Shared) -> Vec<String> {
    std::mem::take(&mut github.lock().unwrap().asked)
}

#[tokio::test]
async fn a_timeline_is_read_once_and_then_asked_for_free() {
    let (github, poller, _channel) = start(250).await;
    let first = poll(&poller, &Context::new()).await.unwrap();
    assert_eq!(found(&first), (0..250).collect::<Vec<_>>());
    assert_eq!(
        asked(&github),
        ["octocat 1: 200", "octocat 2: 200", "octocat 3: 200"]
    );
    assert!(!first.saturated);

    let second = poll(&poller, &first.context).await.unwrap();
    assert_eq!(found(&second), [0; 0]);
    assert_eq!(asked(&github), ["octocat 1: 304"]);
    assert_eq!(second.context, first.context);

    github.lock().unwrap().events.push(777);
    let third = poll(&poller, &second.context).await.unwrap();
    assert_eq!(found(&third), [777]);
    assert_eq!(asked(&github).len(), 3);
}

#[tokio::test]
async fn an_event_that_appears_late_below_others_is_found() {
    let (github, poller, _channel) = start(10).await;
    let first = poll(&poller, &Context::new()).await.unwrap();
    github.lock().unwrap().events = [0, 1, 2, 500, 3, 4, 5, 6, 7, 8, 9, 10].into();
    let second = poll(&poller, &first.context).await.unwrap();
    assert_eq!(found(&second), [10, 500]);
}

#[tokio::test]
async fn the_poll_interval_and_the_limit_are_told_each_for_its_scope() {
    let (_, poller, _channel) = start(250).await;
    let polled = poll(&poller, &Context::new()).await.unwrap();
    let told: Vec<_> = polled
        .allowances
        .iter()
        .map(|a| (a.scope.as_str(), a.remaining, a.reset_at_ms))
        .collect();
    assert_eq!(
        told,
        [
            ("app", Some(57), Some(NOW_MS + 600_000)),
            ("account:octocat", Some(0), Some(NOW_MS + 60_000)),
        ]
    );
}

#[tokio::test]
async fn a_limit_used_up_in_the_middle_skips_nothing() {
    let (github, poller, _channel) = start(250).await;
    github.lock().unwrap().calls_left = 2;
    let stopped = poll(&poller, &Context::new()).await.unwrap();
    assert_eq!(found(&stopped), (50..250).collect::<Vec<_>>());
    assert!(stopped.saturated);

    let refused = poll(&poller, &stopped.context).await.unwrap_err();
    assert_eq!(
        (refused.class(), refused.code().unwrap().as_str()),
        (ErrorClass::RateLimited, "429")
    );

    github.lock().unwrap().calls_left = 60;
    asked(&github);
    let rest = poll(&poller, &stopped.context).await.unwrap();
    assert_eq!(found(&rest), (0..50).collect::<Vec<_>>());
    assert_eq!(
        asked(&github),
        ["octocat 3: 200"],
        "where it stopped, though the head is unchanged"
    );
}

#[tokio::test]
async fn a_secondary_limit_is_a_rate_limit() {
    let (github, poller, _channel) = start(1).await;
    github.lock().unwrap().secondary_limit = true;
    let error = poll(&poller, &Context::new()).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::RateLimited);
    assert_eq!(error.retry_after().unwrap().as_secs(), 90);
    let used_up = error
        .allowances()
        .iter()
        .find(|allowance| allowance.remaining == Some(0));
    assert_eq!(used_up.unwrap().reset_at_ms, Some(NOW_MS + 90_000));
}

struct User {
    github: Shared,
    channel: FakeChannel,
}

impl User {
    async fn start() -> Self {
        let (github, channel) = fake::start(0).await;
        let user = Self { github, channel };
        user.limit(None);
        user
    }
}

impl Subject for User {
    type Poller = Events;

    fn poller(&self) -> Events {
        poller(&self.channel)
    }

    fn add(&self, items: usize) -> Vec<String> {
        let mut github = self.github.lock().unwrap();
        let first = github.events.last().map_or(0, |last| last + 1);
        let new = first..first + items as u64;
        github.events.extend(new.clone());
        new.map(|id| id.to_string()).collect()
    }

    fn limit(&self, calls: Option<u64>) {
        self.github.lock().unwrap().calls_left = calls.unwrap_or(1_000_000);
    }
}

#[tokio::test(start_paused = true)]
async fn it_keeps_the_contract() {
    verify(User::start).await.unwrap();
}
