//! A feed on loopback, for tests: it grows, keeps all of its items, and answers 304 while nothing
//! is new.

use std::{
    fmt::Write as _,
    ops::RangeInclusive,
    sync::{Arc, Mutex},
    time::Duration,
};

use polling_core::{
    Context,
    test_util::{FakeChannel, Limit, Reply, Request},
};

/// An RSS feed with the newest item first.
pub(crate) fn rss(ids: impl DoubleEndedIterator<Item = u64>) -> String {
    let mut text = "<rss version=\"2.0\"><channel><title>News</title>".to_owned();
    for id in ids.rev() {
        let date = format!("Tue, 14 Nov 2023 {:02}:{:02}:00 GMT", id / 60 % 24, id % 60);
        let item = format!("<guid isPermaLink=\"false\">{id}</guid><title>T{id}</title>");
        write!(text, "<item>{item}<pubDate>{date}</pubDate></item>").unwrap();
    }
    text + "</channel></rss>"
}

/// The feed. It ends when it is dropped.
pub(crate) struct News {
    pub(crate) channel: FakeChannel,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    newest: u64,
    limit: Option<Limit>,
}

impl State {
    fn answer(&mut self, request: &Request) -> Reply {
        let etag = format!("\"{}\"", self.newest);
        let reply = if request.header("if-none-match") == Some(&etag) {
            Reply::status(304)
        } else {
            Reply::body(rss(1..self.newest + 1))
        };
        let reply = reply.with_header("etag", etag);
        match &mut self.limit {
            Some(limit) => limit.answer(reply),
            None => reply,
        }
    }
}

impl News {
    pub(crate) async fn start() -> Self {
        let state = Arc::<Mutex<State>>::default();
        let shared = state.clone();
        let channel = FakeChannel::start(move |request| shared.lock().unwrap().answer(request));
        let channel = channel.await.unwrap();
        Self { channel, state }
    }

    /// What a job that polls it is registered with.
    pub(crate) fn context(&self) -> Context {
        Context::from_iter([("url", self.channel.url("/feed").into())])
    }

    /// Adds items, and tells their ids.
    pub(crate) fn add(&self, items: u64) -> RangeInclusive<u64> {
        let mut state = self.state.lock().unwrap();
        let first = state.newest + 1;
        state.newest += items;
        first..=state.newest
    }

    /// Answers so many more calls.
    pub(crate) fn limit(&self, calls: Option<u64>) {
        self.state.lock().unwrap().limit = calls.map(|calls| {
            let mut limit = Limit::new(1000, Duration::from_secs(900));
            limit.leave(calls);
            limit
        });
    }
}
