//! A poller as its author would write it, over HTTP.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use polling_core::{
    Event, Job, PollError, Polled, Poller, Topic,
    paging::{At, Budget, NewestFirst, Page, pages},
    test_util::{FakeChannel, Limit, Reply, Request, START_MS, contract::Subject},
    typed::{Typed, TypedContext},
};
use serde::{Deserialize, Serialize};

const PAGE: usize = 10;

#[derive(Default, Serialize, Deserialize)]
struct State {
    posts: NewestFirst<u64>,
}

impl TypedContext for State {}

pub(crate) struct Posts {
    url: String,
    client: reqwest::Client,
}

impl Posts {
    pub(crate) fn new(url: String) -> Self {
        let client = crate::client().build().unwrap();
        Self { url, client }
    }

    async fn page(&self, at: At<u64>) -> Result<Page<u64>, PollError> {
        let (since, max) = (at.since.unwrap_or(0), at.after.unwrap_or(u64::MAX));
        let url = format!("{}?since_id={since}&max_id={max}", self.url);
        let broken = |error| PollError::transient("no answer").with_source(error);
        let answer = self.client.get(url).send().await.map_err(broken)?;
        if answer.status() == 429 {
            let wait = answer
                .headers()
                .get("retry-after")
                .unwrap()
                .to_str()
                .unwrap();
            let wait = Duration::from_secs(wait.parse().unwrap());
            return Err(PollError::rate_limited("429").with_retry_after(wait));
        }
        let body = answer.bytes().await.map_err(broken)?;
        let ids: Vec<u64> = serde_json::from_slice(&body)
            .map_err(|error| PollError::invalid("no list of ids").with_source(error))?;
        let full = ids.len() == PAGE;
        let topic = Topic::new("posts").unwrap();
        let items = ids
            .into_iter()
            .map(|id| (id, Event::new(topic.clone(), id.to_string(), "", START_MS)));
        Ok(Page::new(items).with_more(full))
    }
}

impl Poller for Posts {
    async fn poll(&self, job: Job) -> Result<Polled, PollError> {
        let mut state = Typed::<State>::read(&job.context)?;
        let budget = Budget::of(&job, 6);
        let paged = pages(&mut state.posts, budget, |at| self.page(at)).await?;
        Ok(paged.into_polled(state.write()?))
    }
}

/// The channel that it asks.
pub(crate) struct Timeline {
    pub(crate) channel: FakeChannel,
    posts: Arc<Mutex<Feed>>,
}

struct Feed {
    newest: u64,
    limit: Option<Limit>,
}

impl Feed {
    fn answer(&mut self, request: &Request) -> Reply {
        let since = request.number("since_id").unwrap();
        let max = request.number("max_id").unwrap().min(self.newest + 1);
        let ids: Vec<u64> = (since + 1..max).rev().take(PAGE).collect();
        let page = Reply::json(serde_json::to_string(&ids).unwrap());
        match &mut self.limit {
            Some(limit) => limit.answer(page),
            None => page,
        }
    }
}

impl Timeline {
    pub(crate) async fn start() -> Self {
        let feed = Feed {
            newest: 0,
            limit: None,
        };
        let posts = Arc::new(Mutex::new(feed));
        let feed = posts.clone();
        let channel = FakeChannel::start(move |request| feed.lock().unwrap().answer(request));
        Self {
            channel: channel.await.unwrap(),
            posts,
        }
    }
}

impl Subject for Timeline {
    type Poller = Posts;

    fn poller(&self) -> Posts {
        Posts::new(self.channel.url("/posts"))
    }

    fn add(&self, items: usize) -> Vec<String> {
        let mut feed = self.posts.lock().unwrap();
        let first = feed.newest + 1;
        feed.newest += items as u64;
        (first..=feed.newest).map(|id| id.to_string()).collect()
    }

    fn limit(&self, calls: Option<u64>) {
        self.posts.lock().unwrap().limit = calls.map(|calls| {
            let mut limit = Limit::new(1000, Duration::from_secs(900));
            limit.leave(calls);
            limit
        });
    }
}
