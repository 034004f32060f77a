//! What the fake channel says it offered.

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::{Context as _, ensure};
use serde::Deserialize;

/// A status: its account and its id.
pub(crate) type Status = (u64, u64);

/// A line of the log, as far as the checks need it.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Line {
    Response(Response),
    Posted { account: u64, ids: Vec<u64> },
}

/// A response and its call. Times are UTC milliseconds.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Response {
    pub(crate) number: u64,
    pub(crate) time_ms: i64,
    pub(crate) account: u64,
    pub(crate) worker: String,
    pub(crate) since_id: u64,
    pub(crate) min_id: Option<u64>,
    pub(crate) limit: usize,
    pub(crate) status: u16,
    pub(crate) ids: Vec<u64>,
    pub(crate) remaining: u32,
}

impl Response {
    /// Whether it answers the first page of a poll: its cursor is the one that the last completion
    /// left. Further pages move `min_id` on and keep `since_id`.
    pub(crate) fn starts_poll(&self) -> bool {
        self.min_id.is_none_or(|min_id| min_id == self.since_id)
    }

    /// Whether there may be more than it could hold.
    pub(crate) fn full(&self) -> bool {
        self.ids.len() >= self.limit
    }

    pub(crate) fn ok(&self) -> bool {
        self.status == 200
    }
}

/// The whole log.
#[derive(Debug, Default)]
pub(crate) struct ChannelLog {
    /// In the order of their numbers.
    pub(crate) responses: Vec<Response>,
    /// What was in any of them.
    pub(crate) offered: BTreeSet<Status>,
    /// What accounts have posted; nothing before posting was stopped.
    pub(crate) posted: BTreeSet<Status>,
}

impl ChannelLog {
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(path)
            .with_context(|| format!("cannot read the channel's log {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("{} is broken", path.display()))
    }

    /// A last line without its end is still being written.
    pub(crate) fn parse(text: &str) -> anyhow::Result<Self> {
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let mut log = Self::default();
        for (number, line) in whole.lines().enumerate() {
            let line = serde_json::from_str(line)
                .with_context(|| format!("line {}: no line of such a log", number + 1))?;
            match line {
                Line::Posted { account, ids } => {
                    log.posted.extend(ids.into_iter().map(|id| (account, id)));
                }
                Line::Response(response) => log.add(response)?,
            }
        }
        Ok(log)
    }

    fn add(&mut self, response: Response) -> anyhow::Result<()> {
        let expected = self.responses.len() as u64 + 1;
        ensure!(
            response.number == expected,
            "response {} follows {}: a line is missing",
            response.number,
            expected - 1
        );
        let ids = response.ids.iter();
        self.offered.extend(ids.map(|id| (response.account, *id)));
        self.responses.push(response);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = r#"{"kind":"response","number":1,"time_ms":5,"account":7,"worker":"a","since_id":0,"min_id":0,"limit":2,"status":200,"ids":[9,8],"remaining":3}"#;

    #[test]
    fn responses_and_posts_are_gathered() {
        let posted = r#"{"kind":"posted","time_ms":9,"account":7,"ids":[8,9,10]}"#;
        let log = ChannelLog::parse(&format!("{FIRST}\n{posted}\n")).unwrap();
        assert_eq!(log.offered, BTreeSet::from([(7, 8), (7, 9)]));
        assert_eq!(log.posted.len(), 3);
        assert!(log.responses[0].starts_poll() && log.responses[0].full());
    }

    #[test]
    fn a_line_without_its_end_is_left_for_later() {
        let log = ChannelLog::parse(&format!("{FIRST}\n{{\"kind\":\"resp")).unwrap();
        assert_eq!(log.responses.len(), 1);
    }

    #[test]
    fn a_missing_response_is_noticed() {
        let third = FIRST.replace("\"number\":1", "\"number\":3");
        let error = ChannelLog::parse(&format!("{FIRST}\n{third}\n")).unwrap_err();
        assert_eq!(error.to_string(), "response 3 follows 1: a line is missing");
    }
}
