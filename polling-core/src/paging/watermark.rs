//! Feeds that are asked by time.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::{
    At, Cursor, Page, Turn,
    seen::{encoded_len, kept},
};
use crate::{Event, Job, caps};

/// A cursor for channels that are asked for what was created or changed since a time.
///
/// [`window`](Self::window) makes it a [`Cursor`]: each pass asks again for the last stretch of
/// the one before, the overlap, since items may appear late or several at the same instant. Items
/// of the overlap that were published, known by their source key and time, are not published again,
/// up to [`caps::MAX_SEEN`] of them and [`caps::MAX_SEEN_SIZE_BYTES`] of their encoding; beyond
/// that the oldest are, with the same event id. An item whose time has changed is published again.
///
/// The time moves on when a pass is at its end, whatever the order within. It never passes that at
/// which the job was due when the pass began: so an item dated in the future hides none, nor does
/// one that arrives while others appear late on pages that were read already.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Watermark {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    newest_ms: Option<i64>,
    /// Published items of the overlap, by source key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    recent: BTreeMap<String, i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pass: Option<Pass>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Pass {
    since_ms: Option<i64>,
    /// When the job was due at its begin.
    begun_ms: i64,
    newest_ms: Option<i64>,
    token: Option<String>,
    page: u32,
}

/// A [`Watermark`] in one poll. It asks for [`At::since`], UTC milliseconds, inclusively: for a
/// channel that leaves that instant out, take an overlap of its unit of time at least.
#[derive(Debug)]
pub struct Window<'a> {
    mark: &'a mut Watermark,
    overlap_ms: i64,
    now_ms: i64,
}

impl Watermark {
    /// A cursor that has published everything before `newest_ms`, UTC milliseconds, for an account
    /// whose history is of no interest.
    #[must_use]
    pub fn from_ms(newest_ms: i64) -> Self {
        Self {
            newest_ms: Some(newest_ms),
            ..Self::default()
        }
    }

    /// The cursor of `job`'s poll. Items that appear later than `overlap` after their time are
    /// skipped: take what the channel promises, by how much its clock may be behind ours, and some.
    pub fn window(&mut self, job: &Job, overlap: Duration) -> Window<'_> {
        Window {
            mark: self,
            overlap_ms: i64::try_from(overlap.as_millis()).unwrap_or(i64::MAX),
            now_ms: job.due_ms,
        }
    }

    /// True when the item was not published with this time.
    fn note(&mut self, event: &Event) -> bool {
        let key = kept(&event.source_key);
        let known = self.recent.get(&*key) == Some(&event.created_ms);
        if !known {
            self.recent.insert(key.into_owned(), event.created_ms);
        }
        !known
    }

    /// Forgets what was created before `floor_ms`, and the oldest beyond the bounds.
    fn trim(&mut self, floor_ms: i64) {
        self.recent.retain(|_, created_ms| *created_ms >= floor_ms);
        // A number of at most 20 characters, a colon.
        let size_of = |key: &String| encoded_len(key) + 21;
        let mut size_bytes: usize = self.recent.keys().map(size_of).sum();
        if self.recent.len() <= caps::MAX_SEEN && size_bytes <= caps::MAX_SEEN_SIZE_BYTES {
            return;
        }
        let mut by_age: Vec<_> = (self.recent.iter())
            .map(|(key, created_ms)| (*created_ms, key.clone()))
            .collect();
        by_age.sort_unstable();
        for (_, key) in by_age {
            if self.recent.len() <= caps::MAX_SEEN && size_bytes <= caps::MAX_SEEN_SIZE_BYTES {
                return;
            }
            size_bytes -= size_of(&key);
            self.recent.remove(&key);
        }
    }
}

impl Window<'_> {
    fn begin(&self) -> Pass {
        Pass {
            since_ms: (self.mark.newest_ms).map(|newest| newest.saturating_sub(self.overlap_ms)),
            begun_ms: self.now_ms,
            newest_ms: None,
            token: None,
            page: 0,
        }
    }

    fn land(&mut self, pass: &Pass) {
        let reached = pass.newest_ms.map(|newest| newest.min(pass.begun_ms));
        self.mark.newest_ms = self.mark.newest_ms.max(reached);
    }
}

impl Cursor for Window<'_> {
    type Id = ();
    type At = At<i64>;

    fn at(&self) -> At<i64> {
        let pass = self.mark.pass.clone().unwrap_or_else(|| self.begin());
        At {
            since: pass.since_ms,
            after: None,
            token: pass.token,
            page: pass.page,
        }
    }

    // A pass reads all there is: if another followed at once, a job whose budget does not reach
    // to the end would never come to rest.
    fn resumes(&self) -> bool {
        false
    }

    fn turn(&mut self, page: Page, fresh: &mut Vec<Event>) -> Turn {
        let mut pass = self.mark.pass.take().unwrap_or_else(|| self.begin());
        let more = page.more && (page.next.is_some() || !page.items.is_empty());
        let same = page.next.is_some() && page.next == pass.token;
        for item in page.items {
            pass.newest_ms = pass.newest_ms.max(Some(item.event.created_ms));
            if self.mark.note(&item.event) {
                fresh.extend(item.wanted());
            }
        }
        if more {
            pass.token = page.next;
            pass.page = pass.page.saturating_add(1);
        } else {
            self.land(&pass);
        }
        self.mark.pass = more.then_some(pass);
        let floor_ms = self.at().since.unwrap_or(i64::MIN);
        self.mark.trim(floor_ms);
        Turn::after(more, same)
    }

    fn restart(&mut self) {
        self.mark.pass = None;
    }
}
