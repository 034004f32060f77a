//! Feeds that are read upwards.

use serde::{Deserialize, Serialize};

use super::{At, Cursor, ItemId, Page, Turn};
use crate::Event;

/// A cursor for channels that give the page directly above the last item read (`min_id`,
/// `offset`), or a token to go on from (delta links, sync tokens).
///
/// The simplest to be right with, where a channel has it: what was read is published, and what
/// arrives comes after it. Beware of channels that answer `since_id` with the *newest* page above
/// it: those are for [`NewestFirst`](super::NewestFirst).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound(serialize = "I: ItemId", deserialize = "I: ItemId"))]
pub struct OldestFirst<I> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<I>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

impl<I> Default for OldestFirst<I> {
    fn default() -> Self {
        Self {
            after: None,
            token: None,
        }
    }
}

impl<I: ItemId> OldestFirst<I> {
    /// A cursor that has published everything up to `id`, for an account whose history is of no
    /// interest.
    #[must_use]
    pub fn from_id(id: I) -> Self {
        Self {
            after: Some(id),
            token: None,
        }
    }
}

impl<I: ItemId> Cursor for OldestFirst<I> {
    type Id = I;
    type At = At<I>;

    /// `since` and `after` are the same; pages have no numbers, since they would change.
    fn at(&self) -> At<I> {
        At {
            since: self.after.clone(),
            after: self.after.clone(),
            token: self.token.clone(),
            page: 0,
        }
    }

    fn resumes(&self) -> bool {
        false
    }

    fn turn(&mut self, page: Page<I>, fresh: &mut Vec<Event>) -> Turn {
        let before = self.at();
        let more = page.more && (page.next.is_some() || !page.items.is_empty());
        for item in page.items {
            if !item.id.is_known(before.after.as_slice()) {
                let newest = self.after.as_slice();
                // Of numbers the greatest counts, of texts the last.
                if !item.id.is_known(newest) {
                    self.after = Some(item.id.clone());
                }
                fresh.extend(item.wanted());
            }
        }
        self.token = page.next;
        Turn::after(more, self.at() == before)
    }

    /// Goes on after the last item read, without a token.
    fn restart(&mut self) {
        self.token = None;
    }
}
