//! The poller against a channel that does as it is told.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use polling_core::{
    ErrorClass, SystemClock, Topic,
    http::{HttpClient, HttpConfig, dialect::Dialect},
    test_util::{
        FakeChannel, Limit, Reply, Request, Rig,
        contract::{Subject, verify},
    },
};

use crate::poll::Items;

/// One account's items, 1 to `newest`, and the limit of calls.
struct Feed {
    newest: u64,
    limit: Option<Limit>,
}

impl Feed {
    /// The newest items between `since_id` and `max_id`, newest first.
    fn answer(&mut self, request: &Request) -> Reply {
        let above = request.number("since_id").unwrap_or(0);
        let below = request.number("max_id").unwrap_or(u64::MAX);
        let limit = request.number("limit").unwrap_or(20) as usize;
        let ids = (above + 1..below.min(self.newest + 1)).rev().take(limit);
        let items: Vec<_> = ids.map(item).collect();
        let reply = Reply::json(format!("[{}]", items.join(",")));
        match &mut self.limit {
            Some(limit) => limit.answer(reply),
            None => reply,
        }
    }
}

fn item(id: u64) -> String {
    format!(r#"{{"id":{id},"created_ms":1700000000000,"text":"item {id}"}}"#)
}

/// The channel with its feed.
struct Timeline {
    channel: FakeChannel,
    feed: Arc<Mutex<Feed>>,
}

impl Timeline {
    async fn start() -> Self {
        let feed = Arc::new(Mutex::new(Feed {
            newest: 0,
            limit: None,
        }));
        let answers = feed.clone();
        let channel = FakeChannel::start(move |request| answers.lock().unwrap().answer(request));
        Self {
            channel: channel.await.expect("loopback can be listened on"),
            feed,
        }
    }
}

impl Subject for Timeline {
    type Poller = Items;

    fn poller(&self) -> Items {
        poller(&self.channel)
    }

    fn add(&self, items: usize) -> Vec<String> {
        let mut feed = self.feed.lock().unwrap();
        let first = feed.newest + 1;
        feed.newest += items as u64;
        (first..=feed.newest).map(|id| id.to_string()).collect()
    }

    fn limit(&self, calls: Option<u64>) {
        self.feed.lock().unwrap().limit = calls.map(|calls| {
            let mut limit = Limit::new(1000, Duration::from_secs(900));
            limit.leave(calls);
            limit
        });
    }
}

fn poller(channel: &FakeChannel) -> Items {
    let config = HttpConfig {
        private_hosts: vec!["127.0.0.1".to_owned()],
        ..HttpConfig::new("test/1.0")
    };
    let http = HttpClient::new(config, Dialect::common(), Arc::new(SystemClock));
    let topic = Topic::new("items").expect("a valid topic");
    Items::new(http.expect("a client"), &channel.url(""), topic)
}

#[tokio::test(start_paused = true)]
async fn it_keeps_the_contract_of_pollers() {
    verify(Timeline::start).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_poll_goes_on_where_the_last_one_stopped() {
    let timeline = Timeline::start().await;
    let mut rig = Rig::new(timeline.poller());
    timeline.add(2);
    rig.poll().await.assert_published(["2", "1"]);
    timeline.add(1);
    let run = rig.poll().await;
    run.assert_published(["3"]);
    assert_eq!(run.events[0].payload, item(3));
}

#[tokio::test(start_paused = true)]
async fn what_the_channel_refuses_is_told_apart() {
    let cases = [
        (Reply::status(401), ErrorClass::Unauthorized),
        (Reply::status(404), ErrorClass::Gone),
        (Reply::status(429), ErrorClass::RateLimited),
        (Reply::status(503), ErrorClass::Transient),
        (Reply::json("[{\"id\":\"seven\"}]"), ErrorClass::Invalid),
        (Reply::json("[{\"id\":"), ErrorClass::Invalid),
    ];
    for (reply, class) in cases {
        let channel = FakeChannel::script([reply]).await.unwrap();
        Rig::new(poller(&channel)).poll().await.assert_failed(class);
    }
}
