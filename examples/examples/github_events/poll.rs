//! Polls the public events of a user: the head for free while nothing happens.

use std::sync::OnceLock;

use polling_core::{
    Allowance, Event, Job, PollError, Polled, Poller, ScopeKey, Topic,
    auth::Secret,
    http::{HttpClient, Validators, dialect::instant_ms},
    paging::{At, Budget, Page, Unordered, pages},
    typed::{Typed, TypedContext},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Events of a page: the most that GitHub gives. A timeline has 300.
const PAGE_LIMIT: u32 = 100;

/// Pages of one poll at most: one more than a timeline has.
const MAX_PAGES: u32 = 4;

/// What is kept from poll to poll. Events may appear hours late, below others: every event of the
/// timeline is kept in mind.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct State {
    events: Unordered,
    #[serde(default)]
    head: Validators,
}

impl TypedContext for State {}

/// What the first page told of itself, and of when to come again.
type Head = (Validators, Option<Allowance>);

/// What is read of an event; what is published carries all of it.
#[derive(Deserialize)]
struct Activity<'a> {
    id: &'a str,
    created_at: &'a str,
}

/// Polls users with one token.
pub(crate) struct Events {
    http: HttpClient,
    base: String,
    token: Option<Secret>,
    topic: Topic,
    /// The limit is counted for the token, or without one for the address: all jobs share it.
    scope: ScopeKey,
}

impl Events {
    pub(crate) fn new(http: HttpClient, base: &str, token: Option<Secret>, topic: Topic) -> Self {
        Self {
            http,
            base: base.to_owned(),
            token,
            topic,
            scope: ScopeKey::new("app").expect("app is a valid scope"),
        }
    }

    async fn page(
        &self,
        job: &Job,
        at: At,
        known: &Validators,
        head: &OnceLock<Head>,
    ) -> Result<Page, PollError> {
        let mut call = self.http.get(job, &self.base).scope(self.scope.clone());
        call = call.path(["users", job.account.as_str(), "events", "public"]);
        call = call.header("accept", "application/vnd.github+json");
        call = call
            .query("per_page", PAGE_LIMIT)
            .query("page", at.page + 1);
        if let Some(token) = &self.token {
            call = call.bearer(token.expose());
        }
        if at.page == 0 {
            call = call.if_changed(known);
        }
        let answer = call.send().await?;
        if at.page == 0 {
            let feed = ScopeKey::new(format!("account:{}", job.account));
            let feed = feed.expect("an account makes a scope");
            head.get_or_init(|| (answer.validators(), answer.poll_interval_allowance(feed)));
        }
        let page = if answer.not_modified() {
            Page::of([])
        } else {
            let activities: Vec<Box<RawValue>> = answer.json()?;
            let events: Result<Vec<_>, _> = activities.iter().map(|a| self.event(a)).collect();
            Page::of(events?).with_more(answer.next()?.is_some())
        };
        Ok(page.with_allowances(answer.allowances().iter().cloned()))
    }

    fn event(&self, activity: &RawValue) -> Result<Event, PollError> {
        let malformed = || PollError::invalid("an event without an id and a date");
        let read: Activity<'_> = serde_json::from_str(activity.get()).map_err(|_| malformed())?;
        let created_ms = instant_ms(read.created_at).ok_or_else(malformed)?;
        let payload = activity.get().to_owned();
        Ok(Event::new(self.topic.clone(), read.id, payload, created_ms))
    }
}

impl Poller for Events {
    async fn poll(&self, job: Job) -> Result<Polled, PollError> {
        let mut state = Typed::<State>::read(&job.context)?;
        let (known, head) = (state.head.clone(), OnceLock::new());
        let fetch = |at| self.page(&job, at, &known, &head);
        let mut paged = pages(&mut state.events, Budget::of(&job, MAX_PAGES), fetch).await?;
        if let Some((validators, pause)) = head.into_inner() {
            state.head = validators;
            paged.allowances.extend(pause);
        }
        Ok(paged.into_polled(state.write()?))
    }
}
