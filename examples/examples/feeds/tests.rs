//! The poller against a server on loopback that gives feeds as servers do, good and bad.

use std::sync::Arc;

use polling_core::{
    Context, ErrorClass, SystemClock, Topic,
    http::dialect::Dialect,
    test_util::{
        FakeChannel, Reply, Rig,
        contract::{Subject, verify},
    },
    typed::VERSION_KEY,
};

use crate::{
    fake::{News, rss},
    poll::Feeds,
};

fn feeds(channel: &FakeChannel) -> Feeds {
    let http = channel.client(Dialect::common(), Arc::new(SystemClock));
    Feeds::new(http, Topic::new("entries").unwrap())
}

/// A rig whose job polls `channel`.
fn rig(channel: &FakeChannel) -> Rig<Feeds> {
    let url = channel.url("/feed").into();
    Rig::new(feeds(channel)).with_context(Context::from_iter([
        ("url", url),
        ("note", "by hand".into()),
    ]))
}

async fn script(replies: impl IntoIterator<Item = Reply>) -> FakeChannel {
    FakeChannel::script(replies).await.unwrap()
}

const ATOM: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><title>News</title><id>tag:news</id>
<updated>2023-11-14T10:00:00Z</updated>
<entry><id>tag:news,2</id><title>Two</title><updated>2023-11-14T10:00:00Z</updated></entry>
<entry><id>tag:news,1</id><title>One</title><updated>2023-11-14T09:00:00Z</updated></entry></feed>"#;

const JSON: &str = r#"{"version": "https://jsonfeed.org/version/1.1", "title": "News", "items": [
{"id": "j1", "url": "https://news.example/1", "content_text": "hello",
 "date_published": "2023-11-14T10:00:00Z"}]}"#;

#[tokio::test(start_paused = true)]
async fn rss_atom_and_json_are_read_and_published_oldest_first() {
    let replies = [Reply::body(rss(1..4)), Reply::body(ATOM), Reply::json(JSON)];
    let channel = script(replies).await;
    let mut rig = rig(&channel);
    let first = rig.poll().await;
    first.assert_succeeded().assert_published(["1", "2", "3"]);
    assert_eq!(first.events[0].created_ms, 1_699_920_060_000);
    rig.poll()
        .await
        .assert_published(["tag:news,1", "tag:news,2"]);
    rig.poll().await.assert_published(["j1"]);
    assert_eq!(rig.context().get_str("note"), Some("by hand"));
    assert_eq!(rig.context().get_i64(VERSION_KEY), Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_feed_that_has_not_changed_is_not_sent_again() {
    let channel = FakeChannel::start(|request| match request.header("if-none-match") {
        Some("\"v1\"") => Reply::status(304),
        _ => Reply::body(rss(1..3)).with_header("etag", "\"v1\""),
    });
    let channel = channel.await.unwrap();
    let mut rig = rig(&channel);
    rig.poll().await.assert_published(["1", "2"]);
    for _ in 0..2 {
        rig.poll()
            .await
            .assert_succeeded()
            .assert_published::<&str>([]);
    }
    assert_eq!(
        channel.requests()[2].header("if-none-match"),
        Some("\"v1\"")
    );
}

#[tokio::test(start_paused = true)]
async fn a_feed_in_another_encoding_is_read() {
    let latin = b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><rss version=\"2.0\"><channel>\
        <item><guid>1</guid><title>caf\xe9</title></item></channel></rss>";
    let run = rig(&script([Reply::body(*latin)]).await).poll().await;
    run.assert_published(["1"]);
    let payload = str::from_utf8(&run.events[0].payload).unwrap();
    assert!(payload.contains("café"), "{payload}");
}

#[tokio::test(start_paused = true)]
async fn entries_without_an_id_or_with_an_endless_one_have_the_same_one_at_every_poll() {
    let long = "x".repeat(1000);
    let feed = format!(
        "<rss version=\"2.0\"><channel><item><description>only this</description></item>\
        <item><title>only a title</title></item><item><guid>{long}</guid></item></channel></rss>"
    );
    let channel = script([Reply::body(feed)]).await;
    let mut first = rig(&channel);
    let (run, other) = (first.poll().await, rig(&channel).poll().await);
    assert_eq!(run.assert_succeeded().events.len(), 3);
    assert_eq!(run.keys(), other.keys());
    first.poll().await.assert_published::<&str>([]);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_feed_ends_as_an_error_of_the_job() {
    let bad = [
        Reply::body("<html><body>Moved</body></html>"),
        Reply::body("<rss version=\"2.0\"><channel><item><title>cut"),
        Reply::body([0xff, 0xfe, 0x00]),
        Reply::body(""),
        Reply::huge(100_000_000),
        Reply::redirect("/feed"),
    ];
    let kinds = bad.len();
    let channel = script(bad).await;
    let mut rig = rig(&channel);
    for _ in 0..kinds {
        rig.poll().await.assert_failed(ErrorClass::Invalid);
    }
    let late = script([Reply::hang_up(), Reply::status(503), Reply::status(410)]).await;
    let mut rig = self::rig(&late);
    rig.poll().await.assert_failed(ErrorClass::Transient);
    rig.poll().await.assert_failed(ErrorClass::Transient);
    rig.poll().await.assert_failed(ErrorClass::Gone);
}

#[tokio::test(start_paused = true)]
async fn a_job_without_a_url_says_so() {
    let channel = script([Reply::status(404)]).await;
    let run = Rig::new(feeds(&channel)).poll().await;
    run.assert_failed(ErrorClass::Invalid);
    assert!(run.failure().unwrap().message.contains("register it with"));
}

impl Subject for News {
    type Poller = Feeds;

    fn poller(&self) -> Feeds {
        feeds(&self.channel)
    }

    fn context(&self) -> Context {
        News::context(self)
    }

    fn add(&self, items: usize) -> Vec<String> {
        let added = News::add(self, items as u64);
        added.map(|id| id.to_string()).collect()
    }

    fn limit(&self, calls: Option<u64>) {
        News::limit(self, calls);
    }
}

#[tokio::test(start_paused = true)]
async fn it_keeps_the_contract() {
    verify(News::start).await.unwrap();
}
