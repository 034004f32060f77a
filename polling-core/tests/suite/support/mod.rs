//! What the tests share.

mod log;
mod mortal;
mod recording;
mod rig;

use std::{sync::Arc, time::Duration};

use polling_core::{
    Context, Event, Job, Polled, SharedClock, TokioClock, Topic, model, model::Token,
};

pub(crate) use self::{
    log::Log,
    mortal::Process,
    recording::RecordingQueue,
    rig::{Rig, VISIBILITY},
};

/// When the tests begin, UTC milliseconds.
pub(crate) const NOW_MS: i64 = 1_700_000_000_000;

/// What a job has left when it is received.
pub(crate) const LEFT: Duration = Duration::from_secs(600);

pub(crate) fn clock() -> SharedClock {
    Arc::new(TokioClock::starting_at(NOW_MS))
}

pub(crate) fn dispatch(account: &str) -> model::Job {
    model::Job {
        id: format!("posts:{account}").parse().unwrap(),
        channel: "mastodon".parse().unwrap(),
        job_type: "posts".parse().unwrap(),
        account: account.parse().unwrap(),
        level: "gold".parse().unwrap(),
        token: Token::from_wire("00000000000000a1.1.00000000000000b2").unwrap(),
        due_ms: NOW_MS,
        not_after_ms: NOW_MS + LEFT.as_millis() as i64,
        context: Context::from_iter([("since_id", 1.into())]),
    }
}

pub(crate) fn body(account: &str) -> String {
    model::wire::encode_job(&dispatch(account)).unwrap()
}

pub(crate) fn job() -> Job {
    Job::new(dispatch("42"), NOW_MS)
}

pub(crate) fn topic() -> Topic {
    Topic::new("posts").unwrap()
}

pub(crate) fn event(n: usize) -> Event {
    Event::new(topic(), n.to_string(), n.to_string(), NOW_MS)
}

/// A poll that found `events` events, and the context after it.
pub(crate) fn polled(events: usize) -> Polled {
    Polled::new(Context::from_iter([("since_id", 2.into())])).with_events((0..events).map(event))
}
