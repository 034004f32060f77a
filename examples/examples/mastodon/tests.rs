//! The poller against a server on loopback that answers as Mastodon does.

use std::{ops::Range, sync::Arc};

use polling_core::{
    Context, ErrorClass, ManualClock, Topic,
    http::{HttpClient, HttpConfig, dialect::Dialect},
    test_util::{
        FakeChannel, Rig, START_MS,
        contract::{Subject, verify},
    },
};

use crate::{
    fake::{self, FIRST_ID, Shared, TOKEN},
    poll::Statuses,
};

/// Two minutes less than the server's clock says.
fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(START_MS))
}

fn statuses(http: HttpClient, base: &str) -> Statuses {
    let topic = Topic::new("statuses").unwrap();
    Statuses::new(http, base, Some(TOKEN.into()), topic)
}

fn poller(channel: &FakeChannel) -> Statuses {
    let http = channel.client(Dialect::mastodon(), clock());
    statuses(http, &channel.url("/"))
}

/// The server, and a rig that polls its account 42.
async fn start(statuses_there: u64) -> (Shared, Rig<Statuses>, FakeChannel) {
    let (mastodon, channel) = fake::start(statuses_there).await;
    (mastodon, Rig::new(poller(&channel)), channel)
}

/// Of statuses as numbers from 0.
fn keys(statuses: Range<u64>) -> impl Iterator<Item = String> {
    statuses.map(|n| (FIRST_ID + n).to_string())
}

#[tokio::test(start_paused = true)]
async fn the_first_poll_takes_the_newest_page() {
    let (mastodon, mut rig, _channel) = start(1_000).await;
    let run = rig.poll().await;
    run.assert_succeeded().assert_published(keys(960..1_000));
    assert!(!run.saturated());
    assert_eq!(mastodon.lock().unwrap().asked, ["42 limit=40"]);
    assert_eq!(run.events[0].created_ms, START_MS);
    let payload = str::from_utf8(&run.events[0].payload).unwrap();
    assert!(payload.contains("<p>é</p>"), "all of the status");
}

#[tokio::test(start_paused = true)]
async fn a_burst_is_read_over_several_polls_and_nothing_is_skipped() {
    let (mastodon, mut rig, _channel) = start(0).await;
    rig.poll().await.assert_published::<&str>([]);
    mastodon.lock().unwrap().statuses = 500;
    for (part, saturated) in [(0..200, true), (200..400, true), (400..500, false)] {
        mastodon.lock().unwrap().asked.clear();
        let run = rig.poll().await;
        assert_eq!(run.calls() as usize, mastodon.lock().unwrap().asked.len());
        run.assert_succeeded().assert_published(keys(part));
        assert_eq!(run.saturated(), saturated);
    }
    rig.poll().await.assert_published::<&str>([]);
}

#[tokio::test(start_paused = true)]
async fn a_limit_used_up_in_the_middle_keeps_what_was_read() {
    let (mastodon, mut rig, _channel) = start(1).await;
    rig.poll().await.assert_published(keys(0..1));
    {
        let mut mastodon = mastodon.lock().unwrap();
        (mastodon.statuses, mastodon.calls_left) = (300, 2);
    }
    let stopped = rig.poll().await;
    stopped
        .assert_published(keys(1..81))
        .assert_remaining("app", 0);
    assert!(stopped.saturated());
    let allowance = &stopped.allowances()[0];
    assert_eq!(allowance.limit, Some(300));
    // By the worker's clock: the server's says 22:18:20.573.
    assert_eq!(allowance.reset_at_ms, Some(START_MS + 180_573));

    let refused = rig.poll().await;
    refused
        .assert_failed(ErrorClass::RateLimited)
        .assert_remaining("app", 0);

    mastodon.lock().unwrap().calls_left = 300;
    rig.poll().await.assert_published(keys(81..281));
}

#[tokio::test(start_paused = true)]
async fn what_mastodon_refuses_is_classified() {
    let (mastodon, mut rig, _channel) = start(1).await;
    for (status, class) in [
        (401, ErrorClass::Unauthorized),
        (404, ErrorClass::Gone),
        (410, ErrorClass::Gone),
        (503, ErrorClass::Transient),
    ] {
        mastodon.lock().unwrap().status = status;
        let run = rig.poll().await;
        run.assert_failed(class);
        assert_eq!(run.allowances()[0].limit, Some(300), "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_account_leads_nowhere_else() {
    let (mastodon, rig, _channel) = start(1).await;
    let mut rig = rig.with_job(|job| job.account = "4/2".parse().unwrap());
    rig.poll().await.assert_succeeded();
    assert_eq!(mastodon.lock().unwrap().asked, ["4%2F2 limit=40"]);
}

#[test]
fn the_token_is_not_shown() {
    let config = HttpConfig::new("test/1.0");
    let http = HttpClient::new(config, Dialect::mastodon(), clock()).unwrap();
    let poller = statuses(http, "https://a.example");
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
        poller(&self.channel)
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
