//! Polls the feed of a page: newest first, by page tokens, under limits told in per cent.

use polling_core::{
    Event, Job, PollError, Polled, Poller, Topic,
    auth::{AccessToken, SharedTokenSource, TokenSourceExt},
    http::{Answer, dialect::instant_ms},
    paging::{At, Budget, Cursor, NewestFirst, Page, pages},
    typed::{Typed, TypedContext},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::api::{Api, allowances, is_of_cursor, is_of_token, refused};

/// Posts of a page: the most that the API gives.
const PAGE_LIMIT: u32 = 100;

/// Pages of one poll at most. What is beyond them is left to the next, which follows at once.
const MAX_PAGES: u32 = 5;

/// What is kept from poll to poll. Ids are opaque.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct State {
    posts: NewestFirst<String>,
}

impl TypedContext for State {}

/// A page as the API gives it.
#[derive(Deserialize)]
struct Feed {
    data: Vec<Box<RawValue>>,
    #[serde(default)]
    paging: Paging,
}

/// `next` is a URL with the access token in it, and is not used: that it is there says there is
/// more.
#[derive(Default, Deserialize)]
struct Paging {
    next: Option<String>,
    cursors: Option<Cursors>,
}

#[derive(Deserialize)]
struct Cursors {
    after: String,
}

/// What is read of a post; the event carries all of it.
#[derive(Deserialize)]
struct Post {
    id: String,
    created_time: String,
}

/// Polls pages, each with a token of its own.
pub(crate) struct Feeds {
    api: Api,
    tokens: SharedTokenSource,
    topic: Topic,
}

impl Feeds {
    pub(crate) fn new(api: Api, tokens: SharedTokenSource, topic: Topic) -> Self {
        Self { api, tokens, topic }
    }

    async fn page(&self, job: &Job, at: At<String>) -> Result<Page<String>, PollError> {
        let call = |token: AccessToken| self.call(job, &at, token);
        let answer = self.tokens.with_token(&job.account, call).await?;
        if let Some(error) = refused(&answer) {
            return Err(error);
        }
        let Feed { data, paging } = answer.json()?;
        let items: Result<Vec<_>, _> = data.iter().map(|post| self.item(post)).collect();
        let after = paging.cursors.map(|cursors| cursors.after);
        let page = Page::new(items?).with_next(after.filter(|_| paging.next.is_some()));
        Ok(page.with_allowances(allowances(&answer)))
    }

    /// An error only if another token may help.
    async fn call(&self, job: &Job, at: &At<String>, by: AccessToken) -> Result<Answer, PollError> {
        let call = self.api.http.get(job, &self.api.base).bearer(by.expose());
        let call = call.path([job.account.as_str(), "feed"]);
        let mut call = call.query("limit", PAGE_LIMIT);
        if let Some(token) = &at.token {
            call = call.query("after", token);
        }
        let answer = call.send_any().await?;
        let ended = refused(&answer).filter(is_of_token);
        ended.map_or(Ok(answer), Err)
    }

    fn item(&self, post: &RawValue) -> Result<(String, Event), PollError> {
        let malformed = || PollError::invalid("a post without an id and a created_time");
        let read: Post = serde_json::from_str(post.get()).map_err(|_| malformed())?;
        let created_ms = instant_ms(&read.created_time).ok_or_else(malformed)?;
        let payload = post.get().to_owned();
        let event = Event::new(self.topic.clone(), read.id.clone(), payload, created_ms);
        Ok((read.id, event))
    }
}

impl Poller for Feeds {
    async fn poll(&self, job: Job) -> Result<Polled, PollError> {
        let mut state = Typed::<State>::read(&job.context)?;
        let (resumed, budget) = (state.posts.at().token, Budget::of(&job, MAX_PAGES));
        let fetch = |at| self.page(&job, at);
        let mut paged = pages(&mut state.posts, budget.clone(), fetch).await;
        if resumed.is_some() && paged.as_ref().is_err_and(is_of_cursor) {
            // No page token is promised to last: once more from the head, down to the same floor.
            state.posts.restart();
            paged = pages(&mut state.posts, budget, fetch).await;
        }
        Ok(paged?.into_polled(state.write()?))
    }
}
