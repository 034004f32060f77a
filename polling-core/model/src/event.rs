//! What a poll brings, and the envelope in which it reaches the event bus.

use std::{collections::BTreeMap, fmt};

use bytes::Bytes;

use crate::{AccountId, Job, Topic, caps};

/// One item that a poll found, as the channel author gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Where to publish it.
    pub topic: Topic,
    /// The item's own key at its source, such as a status id: with the job it makes the event's
    /// id, so that consumers can drop repeats. At most [`caps::MAX_SOURCE_KEY_LEN`] bytes.
    pub source_key: String,
    /// The payload, of any format.
    pub payload: Bytes,
    /// Additional headers.
    pub headers: BTreeMap<String, String>,
    /// When the item came to be at its source, UTC milliseconds; staleness counts from it.
    pub created_ms: i64,
}

impl Event {
    /// An event without additional headers.
    #[must_use]
    pub fn new(
        topic: Topic,
        source_key: impl Into<String>,
        payload: impl Into<Bytes>,
        created_ms: i64,
    ) -> Self {
        Self {
            topic,
            source_key: source_key.into(),
            payload: payload.into(),
            headers: BTreeMap::new(),
            created_ms,
        }
    }

    /// Puts the event into its envelope: the key is the job's account, so that order per account
    /// holds, and the id is deterministic.
    ///
    /// # Errors
    ///
    /// [`EventError`] when the source key is empty or too long, or the whole too large.
    pub fn seal<C>(self, job: &Job<C>) -> Result<EventEnvelope, EventError> {
        let len = self.source_key.len();
        if len == 0 || len > caps::MAX_SOURCE_KEY_LEN {
            return Err(EventError::SourceKey { len });
        }
        let id = EventId::of(job, &self.source_key);
        let Self {
            topic,
            payload,
            mut headers,
            created_ms,
            ..
        } = self;
        headers.insert(headers::CHANNEL.to_owned(), job.channel.to_string());
        headers.insert(headers::JOB_TYPE.to_owned(), job.job_type.to_string());
        headers.insert(headers::ID.to_owned(), id.to_string());
        headers.insert(headers::CREATED_MS.to_owned(), created_ms.to_string());
        let envelope = EventEnvelope {
            topic,
            key: job.account.clone(),
            payload,
            headers,
            id,
            created_ms,
        };
        match envelope.size_bytes() {
            size_bytes if size_bytes > caps::MAX_EVENT_SIZE_BYTES => Err(EventError::TooLarge {
                id: envelope.id,
                size_bytes,
            }),
            _ => Ok(envelope),
        }
    }
}

/// The headers that every published event carries.
pub mod headers {
    /// The event's id.
    pub const ID: &str = "event-id";
    /// When the item came to be at its source, UTC milliseconds.
    pub const CREATED_MS: &str = "created-ms";
    /// The channel.
    pub const CHANNEL: &str = "channel";
    /// The job type.
    pub const JOB_TYPE: &str = "job-type";
    /// The W3C's trace context of the cycle that brought the event; only where traces are carried.
    pub const TRACEPARENT: &str = crate::trace::HEADER;
}

/// An event ready for the bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventEnvelope {
    /// Where to publish it.
    pub topic: Topic,
    /// What keeps events of one account in order.
    pub key: AccountId,
    /// The payload.
    pub payload: Bytes,
    /// The author's headers and those of [`headers`].
    pub headers: BTreeMap<String, String>,
    /// For dropping repeats.
    pub id: EventId,
    /// When the item came to be at its source, UTC milliseconds.
    pub created_ms: i64,
}

impl EventEnvelope {
    /// What it takes on the bus, framing not counted, in bytes.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        let headers: usize = self
            .headers
            .iter()
            .map(|(name, value)| name.len() + value.len())
            .sum();
        self.key.as_str().len() + self.payload.len() + headers
    }
}

/// `channel|job type|account|source key`: the same item polled twice has the same id. No part but
/// the last can hold the separator, so two items never share one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(String);

impl EventId {
    fn of<C>(job: &Job<C>, source_key: &str) -> Self {
        Self(format!(
            "{}|{}|{}|{source_key}",
            job.channel, job.job_type, job.account
        ))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// Why an event cannot be published, ever.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EventError {
    /// The key at the source is empty or too long.
    #[error(
        "event's source key has {len} bytes: it needs 1 to {}",
        caps::MAX_SOURCE_KEY_LEN
    )]
    SourceKey {
        /// The length found, in bytes.
        len: usize,
    },
    /// The event is too large.
    #[error(
        "event {id} has {size_bytes} bytes: at most {} are allowed",
        caps::MAX_EVENT_SIZE_BYTES
    )]
    TooLarge {
        /// Which event.
        id: EventId,
        /// The size found, in bytes.
        size_bytes: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Context, Token};

    fn job() -> Job {
        Job {
            id: "posts:42".parse().unwrap(),
            channel: "mastodon".parse().unwrap(),
            job_type: "posts".parse().unwrap(),
            account: "42".parse().unwrap(),
            level: "gold".parse().unwrap(),
            token: Token::from_wire("00000000000000a1.1.00000000000000b2").unwrap(),
            due_ms: 0,
            not_after_ms: 0,
            context: Context::new(),
        }
    }

    fn event(source_key: &str, payload: Vec<u8>) -> Event {
        Event::new(Topic::new("posts").unwrap(), source_key, payload, 5)
    }

    #[test]
    fn the_same_item_has_the_same_id_in_every_dispatch() {
        let first = event("9", vec![1]).seal(&job()).unwrap();
        let token = Token::from_wire("00000000000000a1.2.00000000000000c3").unwrap();
        let second = event("9", vec![2]).seal(&Job { token, ..job() }).unwrap();
        assert_eq!(first.id.as_str(), "mastodon|posts|42|9");
        assert_eq!(first.id, second.id);
        assert_eq!(first.headers["event-id"], "mastodon|posts|42|9");
    }

    #[test]
    fn bad_keys_and_oversize_events_are_refused_with_their_size() {
        assert_eq!(
            event("", vec![]).seal(&job()),
            Err(EventError::SourceKey { len: 0 })
        );
        let error = event("9", vec![0; caps::MAX_EVENT_SIZE_BYTES])
            .seal(&job())
            .unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("event mastodon|posts|42|9 has 1000"),
            "{error}"
        );
    }
}
