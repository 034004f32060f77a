//! Polls a feed: RSS, Atom or JSON Feed.

use feed_rs::{
    model::{Entry, Feed, Link},
    parser::{Builder, generate_id, generate_id_from_link_and_title},
};
use polling_core::{
    Event, Job, PollError, Polled, Poller, Topic,
    http::{Answer, HttpClient, Validators},
    model::caps::MAX_SOURCE_KEY_LEN,
    paging::SeenSet,
    typed::{Typed, TypedContext},
};
use serde::{Deserialize, Serialize};

/// What is kept from poll to poll. `url` is given at registration.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct State {
    url: String,
    validators: Validators,
    seen: SeenSet,
}

impl TypedContext for State {}

/// Polls feeds of any server.
#[derive(Debug)]
pub(crate) struct Feeds {
    http: HttpClient,
    topic: Topic,
}

impl Feeds {
    pub(crate) fn new(http: HttpClient, topic: Topic) -> Self {
        Self { http, topic }
    }

    fn event(&self, key: String, entry: &Entry, job: &Job) -> Result<Event, PollError> {
        let dated = entry.published.or(entry.updated);
        let created_ms = dated.map_or(job.due_ms, |date| date.timestamp_millis());
        let payload = serde_json::to_vec(entry)
            .map_err(|error| PollError::invalid("an entry is no JSON").with_source(error))?;
        Ok(Event::new(self.topic.clone(), key, payload, created_ms))
    }
}

impl Poller for Feeds {
    async fn poll(&self, job: Job) -> Result<Polled, PollError> {
        let mut state = Typed::<State>::read(&job.context)?;
        if state.url.is_empty() {
            let message = "the job's context has no url: register it with that of the feed";
            return Err(PollError::invalid(message).with_code("no_url"));
        }
        let call = self.http.get(&job, &state.url);
        let answer = call.if_changed(&state.validators).send().await?;
        state.validators = answer.validators();
        let mut events = Vec::new();
        if !answer.not_modified() {
            let entries = parse(&answer, &state.url)?.entries;
            let keys: Vec<_> = entries.iter().map(key).collect();
            let new = state.seen.note_all(keys.iter().map(String::as_str));
            let entries = entries.iter().zip(keys).zip(new);
            for ((entry, key), _) in entries.filter(|(_, new)| *new) {
                events.push(self.event(key, entry, &job)?);
            }
        }
        // Feeds are in any order, most of them with the newest entry first.
        events.sort_by_key(|event| event.created_ms);
        let mut polled = Polled::new(state.write()?).with_events(events);
        polled.allowances = answer.allowances().to_vec();
        Ok(polled)
    }
}

/// The bytes as they are: a feed tells its own encoding.
fn parse(answer: &Answer, url: &str) -> Result<Feed, PollError> {
    let parser = Builder::new()
        .base_uri(Some(url))
        // Otherwise what has neither id nor link nor title gets a random id, another at each poll.
        .id_generator(|links, title, uri| match (links, title) {
            ([], None) => String::new(),
            _ => generate_id(links, title, uri),
        })
        .build();
    parser.parse(answer.body()).map_err(|error| {
        PollError::invalid("the answer is no feed")
            .with_code("not_a_feed")
            .with_source(error)
    })
}

/// The entry's own id, or a hash where that is missing or too long for a key.
fn key(entry: &Entry) -> String {
    if (1..=MAX_SOURCE_KEY_LEN).contains(&entry.id.len()) {
        return entry.id.clone();
    }
    let summary = entry.summary.as_ref().map(|text| text.content.as_str());
    let content = (entry.content.as_ref()).and_then(|content| content.body.as_deref());
    let texts = [
        &entry.id,
        summary.unwrap_or_default(),
        content.unwrap_or_default(),
    ];
    let link = Link {
        href: texts.concat(),
        target: None,
        rel: None,
        media_type: None,
        href_lang: None,
        title: None,
        length: None,
    };
    generate_id_from_link_and_title(&link, &entry.title)
}
