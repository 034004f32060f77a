//! Ids, tokens, ids of events.

use std::{fmt::Display, str::FromStr};

use polling_fuzz::{Taken, allocating_at_most};
use polling_model::{
    AccountId, ChannelId, ErrorCode, Event, Job, JobId, JobType, ScopeKey, ServiceLevel, Token,
    Topic, caps::MAX_SOURCE_KEY_LEN,
};
use serde::{Serialize, de::DeserializeOwned};

use crate::SECRET;

/// The longest id, twice over, and an error.
const COST_BYTES: usize = 2 * 1024;

/// Taken when any kind of id takes it.
pub(crate) fn id(bytes: &[u8]) -> Taken {
    let Ok(text) = str::from_utf8(bytes) else {
        return Taken::No;
    };
    let taken = [
        one::<JobId>(text, "job id"),
        one::<ChannelId>(text, "channel"),
        one::<JobType>(text, "job type"),
        one::<AccountId>(text, "account"),
        one::<ServiceLevel>(text, "service level"),
        one::<ScopeKey>(text, "rate-limit scope"),
        one::<ErrorCode>(text, "error code"),
        one::<Topic>(text, "topic"),
    ];
    Taken::if_some(&taken.contains(&true).then_some(()))
}

/// Reads as text and as JSON alike, and is written as it was read.
fn one<T>(text: &str, kind: &str) -> bool
where
    T: FromStr<Err: Display> + Display + PartialEq + Serialize + DeserializeOwned,
{
    let parsed = allocating_at_most(COST_BYTES, || text.parse::<T>());
    let json = serde_json::to_string(text).unwrap();
    let from_json = serde_json::from_str::<T>(&json);
    assert_eq!(parsed.is_ok(), from_json.is_ok(), "{kind} {text:?}");
    match parsed {
        Ok(id) => {
            assert_eq!(id.to_string(), text);
            assert_eq!(serde_json::to_string(&id).unwrap(), json);
            // Safe as a part of a Redis key, a queue's name, an event's id and a log line.
            assert!(text.is_ascii() && !text.is_empty());
            assert!(!text.contains(['{', '}', '|', ' ', '"', '\\', '\n', '\r', '\0', '*']));
            true
        }
        Err(error) => {
            let error = error.to_string();
            assert!(error.starts_with(kind) && error.len() < 200, "{error}");
            false
        }
    }
}

/// One spelling, one token; an error repeats nothing of it.
pub(crate) fn token(bytes: &[u8]) -> Taken {
    let Ok(text) = str::from_utf8(bytes) else {
        return Taken::No;
    };
    let parsed = allocating_at_most(COST_BYTES, || Token::from_wire(text));
    match &parsed {
        Ok(token) => {
            assert_eq!(token.to_wire(), text);
            assert!(!format!("{token:?}").contains(SECRET));
        }
        Err(error) => assert!(!format!("{error} {error:?}").contains(SECRET)),
    }
    Taken::if_ok(&parsed)
}

/// The id of an event leads back to the job and the key at the source: two items never share one.
pub(crate) fn event(bytes: &[u8]) -> Taken {
    let Ok(source_key) = str::from_utf8(bytes) else {
        return Taken::No;
    };
    let job = Job {
        id: "posts:42".parse().unwrap(),
        channel: "mastodon".parse().unwrap(),
        job_type: "posts".parse().unwrap(),
        account: "42@example.org".parse().unwrap(),
        level: "gold".parse().unwrap(),
        token: Token::from_wire("00000000000000a1.1.00000000000000b2").unwrap(),
        due_ms: 0,
        not_after_ms: 0,
        context: (),
    };
    let event = Event::new("posts".parse().unwrap(), source_key, bytes.to_vec(), 5);
    let sealed = event.seal(&job);
    let fits = (1..=MAX_SOURCE_KEY_LEN).contains(&source_key.len());
    assert_eq!(sealed.is_ok(), fits);
    if let Ok(envelope) = &sealed {
        let parts: Vec<_> = envelope.id.as_str().splitn(4, '|').collect();
        assert_eq!(parts, ["mastodon", "posts", "42@example.org", source_key]);
    }
    Taken::if_ok(&sealed)
}
