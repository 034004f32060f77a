//! A job, and a client whose clock stands still.

use std::{error::Error, fmt::Write as _, sync::Arc};

use polling_core::{
    Context, Job, ManualClock,
    http::{HttpClient, HttpConfig, dialect::Dialect},
    model,
};

pub(crate) const NOW_MS: i64 = 1_785_592_300_000;

/// A job that may take ten minutes.
pub(crate) fn job() -> Job {
    let token = model::Token::from_wire("00000000000000a1.1.00000000000000b2").unwrap();
    let dispatch = model::Job {
        id: "posts:42".parse().unwrap(),
        channel: "mastodon".parse().unwrap(),
        job_type: "posts".parse().unwrap(),
        account: "42".parse().unwrap(),
        level: "gold".parse().unwrap(),
        token,
        due_ms: NOW_MS,
        not_after_ms: NOW_MS + 600_000,
        context: Context::new(),
    };
    Job::new(dispatch, NOW_MS)
}

/// One that may call this machine by its address.
pub(crate) fn config() -> HttpConfig {
    HttpConfig {
        private_hosts: vec!["127.0.0.1".to_owned()],
        ..HttpConfig::new("test/1.0")
    }
}

pub(crate) fn client(dialect: Dialect) -> HttpClient {
    client_with(config(), dialect)
}

pub(crate) fn client_with(config: HttpConfig, dialect: Dialect) -> HttpClient {
    HttpClient::new(config, dialect, Arc::new(ManualClock::at(NOW_MS))).unwrap()
}

/// Everything that an error tells, its causes included, for people and for programmers.
pub(crate) fn everything(error: &dyn Error) -> String {
    let mut text = String::new();
    for cause in std::iter::successors(Some(error), |error| (*error).source()) {
        writeln!(text, "{cause}\n{cause:?}").unwrap();
    }
    text
}
