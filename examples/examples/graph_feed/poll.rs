//! Polls the feed of a page: newest first, by page tokens, under limits told in per cent.

use polling_core::{
    ErrorClass, Event, Job, PollError, Polled, Poller, Topic,
    http::{Answer, HttpClient, dialect::instant_ms},
    paging::{At, Budget, NewestFirst, Page, pages},
    typed::{Typed, TypedContext},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};

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

/// A page as the API gives it. Of `paging` the `next` is a URL with the access token in it, and is
/// not used: that it is there says that there is more.
#[derive(Deserialize)]
struct Feed {
    data: Vec<Box<RawValue>>,
    #[serde(default)]
    paging: Value,
}

/// What is read of a post; the event carries all of it.
#[derive(Deserialize)]
struct Post {
    id: String,
    created_time: String,
}

/// Polls pages with one token.
pub(crate) struct Feeds {
    http: HttpClient,
    base: String,
    token: String,
    topic: Topic,
}

impl Feeds {
    pub(crate) fn new(http: HttpClient, base: &str, token: String, topic: Topic) -> Self {
        let base = base.trim_end_matches('/').to_owned();
        Self {
            http,
            base,
            token,
            topic,
        }
    }

    async fn page(&self, job: &Job, at: At<String>) -> Result<Page<String>, PollError> {
        let url = format!("{}/{}/feed", self.base, job.account);
        let mut call = self
            .http
            .get(job, url)
            .bearer(&self.token)
            .query("limit", PAGE_LIMIT);
        if let Some(token) = at.token {
            call = call.query("after", token);
        }
        let answer = call.send_any().await?;
        if !answer.status().is_success() {
            return Err(refused(&answer));
        }
        let Feed { data, paging } = answer.json()?;
        let items: Result<Vec<_>, _> = data.iter().map(|post| self.item(post)).collect();
        let after = paging["cursors"]["after"]
            .as_str()
            .filter(|_| paging["next"].is_string());
        let page = Page::new(items?).with_next(after.map(str::to_owned));
        Ok(page.with_allowances(answer.allowances().iter().cloned()))
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

/// The API's own code says more than the status, which is 400 mostly.
fn refused(answer: &Answer) -> PollError {
    let body: Value = answer.json().unwrap_or_default();
    let Some(code) = body["error"]["code"].as_u64() else {
        return answer.refused();
    };
    let class = match code {
        4 | 17 | 32 | 613 | 80000..=80014 => ErrorClass::RateLimited,
        10 | 102 | 190 | 200..=299 => ErrorClass::Unauthorized,
        1 | 2 => ErrorClass::Transient,
        803 => ErrorClass::Gone,
        _ => answer.refused().class(),
    };
    let error = answer.error(class, format!("the API answered error {code}"));
    error.with_code(code.to_string())
}

impl Poller for Feeds {
    async fn poll(&self, job: Job) -> Result<Polled, PollError> {
        let mut state = Typed::<State>::read(&job.context)?;
        let budget = Budget::of(&job, MAX_PAGES);
        let paged = pages(&mut state.posts, budget, |at| self.page(&job, at)).await?;
        Ok(paged.into_polled(state.write()?))
    }
}
