//! Polls the statuses of an account, oldest first.

use polling_core::{
    Event, Job, PollError, Polled, Poller, ScopeKey, Topic,
    auth::Secret,
    http::{HttpClient, dialect::instant_ms},
    paging::{At, Budget, OldestFirst, Page, pages},
    typed::{Typed, TypedContext},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Statuses of a page: the most that Mastodon gives.
const PAGE_LIMIT: usize = 40;

/// Pages of one poll at most. What is beyond them is left to the next, which follows at once.
const MAX_PAGES: u32 = 5;

/// What is kept from poll to poll.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct State {
    statuses: OldestFirst<u64>,
}

impl TypedContext for State {}

/// What is read of a status; the event carries all of it.
#[derive(Deserialize)]
struct Status<'a> {
    id: &'a str,
    created_at: &'a str,
}

/// Polls accounts of one server.
#[derive(Debug)]
pub(crate) struct Statuses {
    http: HttpClient,
    base: String,
    token: Option<Secret>,
    topic: Topic,
    /// The limit is counted for the token, or without one for the address: all jobs share it.
    scope: ScopeKey,
}

impl Statuses {
    pub(crate) fn new(http: HttpClient, base: &str, token: Option<Secret>, topic: Topic) -> Self {
        Self {
            http,
            base: base.to_owned(),
            token,
            topic,
            scope: ScopeKey::new("app").expect("app is a valid scope"),
        }
    }

    /// The page directly above the last status read. Not `since_id`: that gives the newest page,
    /// and skips what lies between.
    async fn page(&self, job: &Job, at: At<u64>) -> Result<Page<u64>, PollError> {
        let path = ["api", "v1", "accounts", job.account.as_str(), "statuses"];
        let call = self.http.get(job, &self.base).path(path);
        let mut call = call.scope(self.scope.clone()).query("limit", PAGE_LIMIT);
        if let Some(token) = &self.token {
            call = call.bearer(token.expose());
        }
        if let Some(min_id) = at.after {
            call = call.query("min_id", min_id);
        }
        let answer = call.send().await?;
        let statuses: Vec<Box<RawValue>> = answer.json()?;
        // An account's first poll takes the newest page: what is older is of no interest.
        let more = at.after.is_some() && statuses.len() >= PAGE_LIMIT;
        // Newest first, whichever page it is.
        let items: Result<Vec<_>, _> = statuses.iter().rev().map(|s| self.item(s)).collect();
        let page = Page::new(items?).with_more(more);
        Ok(page.with_allowances(answer.allowances().iter().cloned()))
    }

    fn item(&self, status: &RawValue) -> Result<(u64, Event), PollError> {
        let malformed = |what| PollError::invalid(format!("a status without {what}"));
        let read: Status<'_> =
            serde_json::from_str(status.get()).map_err(|_| malformed("an id and a created_at"))?;
        let id = read.id.parse().map_err(|_| malformed("a numeric id"))?;
        let created_ms = instant_ms(read.created_at).ok_or_else(|| malformed("a date"))?;
        let event = Event::new(
            self.topic.clone(),
            read.id,
            status.get().to_owned(),
            created_ms,
        );
        Ok((id, event))
    }
}

impl Poller for Statuses {
    async fn poll(&self, job: Job) -> Result<Polled, PollError> {
        let mut state = Typed::<State>::read(&job.context)?;
        let budget = Budget::of(&job, MAX_PAGES);
        let paged = pages(&mut state.statuses, budget, |at| self.page(&job, at)).await?;
        if state.statuses == OldestFirst::default() {
            // An account without a status has no history: all that comes is of interest.
            state.statuses = OldestFirst::from_id(0);
        }
        Ok(paged.into_polled(state.write()?))
    }
}
