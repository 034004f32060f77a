//! The poller against a server on loopback that answers as Mastodon does.

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
    fake::{self, FIRST_ID, Shared, TOKEN},
    poll::Statuses,
};

/// The server's clock says 2026-08-01T13:52:00Z, two minutes more than the worker's.
const WORKER_MS: i64 = 1_785_592_200_000;

/// The server, and a poller for it.
async fn start(statuses_there: u64) -> (Shared, Statuses, FakeChannel) {
    let (mastodon, channel) = fake::start(statuses_there).await;
    (mastodon, local_poller(&channel), channel)
}

fn local_poller(channel: &FakeChannel) -> Statuses {
    let config = HttpConfig {
        private_hosts: vec!["127.0.0.1".to_owned()],
        ..HttpConfig::new("test/1.0")
    };
    poller(config, &channel.url("/"))
}

fn poller(config: HttpConfig, base: &str) -> Statuses {
    let clock = Arc::new(ManualClock::at(WORKER_MS));
    let http = HttpClient::new(config, Dialect::mastodon(), clock).unwrap();
    let topic = Topic::new("statuses").unwrap();
    Statuses::new(http, base, Some(TOKEN.into()), topic)
}

async fn poll(poller: &Statuses, context: &Context) -> Result<Polled, PollError> {
    let dispatch = model::Job {
        id: "statuses:42".parse().unwrap(),
        channel: "mastodon".parse().unwrap(),
        job_type: "statuses".parse().unwrap(),
        account: "42".parse().unwrap(),
        level: "gold".parse().unwrap(),
        token: model::Token::from_wire("00000000000000a1.1.00000000000000b2").unwrap(),
        due_ms: WORKER_MS,
        not_after_ms: WORKER_MS + 60_000,
        context: context.clone(),
    };
    poller.poll(Job::new(dispatch, WORKER_MS)).await
}

/// The statuses that were found, as numbers from 0.
fn found(polled: &Polled) -> Vec<u64> {
    let keys = polled
        .events
        .iter()
        .map(|event| event.source_key.parse::<u64>().unwrap());
    keys.map(|id| id - FIRST_ID).collect()
}

#[tokio::test]
async fn the_first_poll_takes_the_newest_page() {
    let (mastodon, poller, _channel) = start(1_000).await;
    let polled = poll(&poller, &Context::new()).await.unwrap();
    assert_eq!(found(&polled), (960..1_000).collect::<Vec<_>>());
    assert!(!polled.saturated);
    assert_eq!(mastodon.lock().unwrap().asked, ["42 limit=40"]);
    let event = &polled.events[0];
    assert_eq!(event.created_ms, 1_785_592_200_000);
    assert!(
        str::from_utf8(&event.payload).unwrap().contains("<p>é</p>"),
        "all of the status"
    );
}

#[tokio::test]
async fn a_burst_is_read_over_several_polls_and_nothing_is_skipped() {
    let (mastodon, poller, _channel) = start(0).await;
    let empty = poll(&poller, &Context::new()).await.unwrap();
    assert_eq!(found(&empty), [0; 0]);
    mastodon.lock().unwrap().statuses = 500;
    let (mut polled, mut all, mut polls) = (empty, Vec::new(), 0);
    loop {
        polled = poll(&poller, &polled.context).await.unwrap();
        all.extend(found(&polled));
        polls += 1;
        if !polled.saturated {
            break;
        }
    }
    assert_eq!(all, (0..500).collect::<Vec<_>>(), "in order, each once");
    assert_eq!(polls, 3, "of 200 statuses each");
    let idle = poll(&poller, &polled.context).await.unwrap();
    assert_eq!(found(&idle), [0; 0]);
}

#[tokio::test]
async fn a_limit_used_up_in_the_middle_keeps_what_was_read() {
    let (mastodon, poller, _channel) = start(1).await;
    let first = poll(&poller, &Context::new()).await.unwrap();
    {
        let mut mastodon = mastodon.lock().unwrap();
        (mastodon.statuses, mastodon.calls_left) = (300, 2);
    }
    let stopped = poll(&poller, &first.context).await.unwrap();
    assert_eq!(found(&stopped), (1..81).collect::<Vec<_>>());
    assert!(stopped.saturated);
    let allowance = &stopped.allowances[0];
    assert_eq!((allowance.limit, allowance.remaining), (Some(300), Some(0)));
    // By the worker's clock: the server's says 13:55:00.573.
    assert_eq!(allowance.reset_at_ms, Some(WORKER_MS + 180_573));

    let refused = poll(&poller, &stopped.context).await.unwrap_err();
    assert_eq!(refused.class(), ErrorClass::RateLimited);
    assert_eq!(refused.allowances()[0].scope.as_str(), "app");

    mastodon.lock().unwrap().calls_left = 300;
    let after = poll(&poller, &stopped.context).await.unwrap();
    assert_eq!(found(&after), (81..281).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_mastodon_refuses_is_classified() {
    let (mastodon, poller, _channel) = start(1).await;
    for (status, class) in [
        (401, ErrorClass::Unauthorized),
        (404, ErrorClass::Gone),
        (410, ErrorClass::Gone),
        (503, ErrorClass::Transient),
    ] {
        mastodon.lock().unwrap().status = status;
        let error = poll(&poller, &Context::new()).await.unwrap_err();
        assert_eq!(error.class(), class, "{status}");
        assert_eq!(error.allowances()[0].limit, Some(300));
    }
}

#[test]
fn the_token_is_not_shown() {
    let poller = poller(HttpConfig::new("test/1.0"), "https://a.example");
    assert!(!format!("{poller:?}").contains(TOKEN));
}

/// An account whose history is wanted: it begins below its first status.
struct Account {
    mastodon: Shared,
    channel: FakeChannel,
}

impl Account {
    async fn start() -> Self {
        let (mastodon, channel) = fake::start(0).await;
        let account = Self { mastodon, channel };
        account.limit(None);
        account
    }
}

impl Subject for Account {
    type Poller = Statuses;

    fn poller(&self) -> Statuses {
        local_poller(&self.channel)
    }

    fn context(&self) -> Context {
        Context::from_iter([("statuses", serde_json::json!({"after": 0}))])
    }

    fn add(&self, items: usize) -> Vec<String> {
        let mut mastodon = self.mastodon.lock().unwrap();
        let first = FIRST_ID + mastodon.statuses;
        mastodon.statuses += items as u64;
        (first..FIRST_ID + mastodon.statuses)
            .map(|id| id.to_string())
            .collect()
    }

    fn limit(&self, calls: Option<u64>) {
        self.mastodon.lock().unwrap().calls_left = calls.unwrap_or(1_000_000);
    }
}

#[tokio::test(start_paused = true)]
async fn it_keeps_the_contract() {
    verify(Account::start).await.unwrap();
}
