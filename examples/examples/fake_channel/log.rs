//! The log of all responses: what the channel offered, for an independent checker.

use std::{
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use serde::Serialize;

use crate::schedule::Post;

/// A line of the log. Times are UTC milliseconds.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Line<'a> {
    /// A response, written before it is sent.
    Response(Response<'a>),
    /// When posting has stopped, for each account: all it has posted.
    Posted {
        /// When.
        time_ms: i64,
        /// Who.
        account: u32,
        /// What, oldest first.
        ids: Vec<u64>,
    },
}

/// A response and the call that it answers.
#[derive(Debug, Serialize)]
pub(crate) struct Response<'a> {
    /// From 1, without gaps.
    pub(crate) number: u64,
    /// When the call was answered.
    pub(crate) time_ms: i64,
    /// Whose statuses were asked for.
    pub(crate) account: u32,
    /// The caller, by its `User-Agent`.
    pub(crate) worker: &'a str,
    /// As asked.
    pub(crate) since_id: u64,
    /// As asked.
    pub(crate) min_id: Option<u64>,
    /// The most that the page could hold.
    pub(crate) limit: usize,
    /// The HTTP status.
    pub(crate) status: u16,
    /// The statuses given, newest first.
    pub(crate) ids: Vec<u64>,
    /// Calls left in the account's window.
    pub(crate) remaining: u32,
}

/// Appends lines to a file.
#[derive(Debug)]
pub(crate) struct Log {
    path: PathBuf,
    file: File,
}

impl Log {
    /// An empty log at `path`.
    pub(crate) fn create(path: &Path) -> anyhow::Result<Self> {
        let file = File::create(path)
            .with_context(|| format!("cannot create the log {}", path.display()))?;
        let path = path.to_owned();
        Ok(Self { path, file })
    }

    /// Hands the line to the operating system, whole: a killed channel has logged all it sent.
    pub(crate) fn append(&mut self, line: &Line<'_>) -> anyhow::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        (self.file.write_all(&text))
            .with_context(|| format!("cannot write to the log {}", self.path.display()))
    }
}

/// The ids of a page, in its order.
pub(crate) fn ids(posts: &[Post]) -> Vec<u64> {
    posts.iter().map(|post| post.id).collect()
}
