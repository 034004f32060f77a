//! The one file to edit: how this channel is polled.

use polling_core::{
    Event, Job, PollError, Polled, Poller, Topic,
    http::HttpClient,
    paging::{At, Budget, NewestFirst, Page, pages},
    typed::{Typed, TypedContext},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Items of a page: the most that the channel gives.
const PAGE_LIMIT: usize = 20;

/// Pages of one poll at most. What is beyond them is left to the next, which follows at once.
const MAX_PAGES: u32 = 5;

/// What is kept from poll to poll: up to where everything is published.
#[derive(Debug, Default, Serialize, Deserialize)]
struct State {
    items: NewestFirst<u64>,
}

impl TypedContext for State {}

/// What is read of an item; the event carries all of it.
#[derive(Deserialize)]
struct Item {
    id: u64,
    created_ms: i64,
}

/// Polls the items of accounts.
#[derive(Debug)]
pub(crate) struct Items {
    http: HttpClient,
    url: String,
    topic: Topic,
}

impl Items {
    /// Asks the API at `url`; events go to `topic`.
    pub(crate) fn new(http: HttpClient, url: &str, topic: Topic) -> Self {
        let url = url.to_owned();
        Self { http, url, topic }
    }

    /// One call of the channel: its newest items above `since` and below `after`, newest first.
    async fn page(&self, job: &Job, at: At<u64>) -> Result<Page<u64>, PollError> {
        let path = ["accounts", job.account.as_str(), "items"];
        let call = self.http.get(job, &self.url).path(path);
        let mut call = call.query("limit", PAGE_LIMIT);
        if let Some(since) = at.since {
            call = call.query("since_id", since);
        }
        if let Some(after) = at.after {
            call = call.query("max_id", after);
        }
        // A status that is an error becomes a `PollError` here: 401 unauthorized, 404 gone, 429
        // rate limited, 5xx transient, any other invalid.
        let answer = call.send().await?;
        let items: Vec<Box<RawValue>> = answer.json()?;
        let full = items.len() >= PAGE_LIMIT;
        let items: Result<Vec<_>, _> = items.iter().map(|item| self.item(item)).collect();
        let page = Page::new(items?).with_more(full);
        Ok(page.with_allowances(answer.allowances().iter().cloned()))
    }

    /// The source key makes the event's id, by which consumers drop repeats: the item's own id.
    fn item(&self, item: &RawValue) -> Result<(u64, Event), PollError> {
        let read: Item = serde_json::from_str(item.get())
            .map_err(|_| PollError::invalid("an item without an id and a created_ms"))?;
        let (key, payload) = (read.id.to_string(), item.get().to_owned());
        let event = Event::new(self.topic.clone(), key, payload, read.created_ms);
        Ok((read.id, event))
    }
}

impl Poller for Items {
    async fn poll(&self, job: Job) -> Result<Polled, PollError> {
        let mut state = Typed::<State>::read(&job.context)?;
        let budget = Budget::of(&job, MAX_PAGES);
        let paged = pages(&mut state.items, budget, |at| self.page(&job, at)).await?;
        Ok(paged.into_polled(state.write()?))
    }
}
