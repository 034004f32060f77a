//! Feeds without an order.

use serde::{Deserialize, Serialize};

use super::{At, Cursor, Item, Page, SeenSet, Turn};
use crate::Event;

/// A cursor for channels that give all they have, in any order: RSS, search results, lists.
///
/// It knows items by their events' source keys, and publishes those that are not in its
/// [`SeenSet`]; one that is filtered out is not noted there, and published once it is wanted. Every page is read at each pass; a pass that is stopped half-way goes on where it
/// stopped.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Unordered {
    #[serde(default)]
    seen: SeenSet,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pass: Option<Pass>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Pass {
    token: Option<String>,
    page: u32,
}

impl Unordered {
    /// What it has seen.
    #[must_use]
    pub fn seen(&self) -> &SeenSet {
        &self.seen
    }
}

impl Cursor for Unordered {
    type Id = ();
    type At = At;

    fn at(&self) -> At {
        let pass = self.pass.as_ref();
        At {
            since: None,
            after: None,
            token: pass.and_then(|pass| pass.token.clone()),
            page: pass.map_or(0, |pass| pass.page),
        }
    }

    // A pass reads all there is: if another followed at once, a job whose budget does not reach
    // to the end would never come to rest.
    fn resumes(&self) -> bool {
        false
    }

    fn turn(&mut self, page: Page, fresh: &mut Vec<Event>) -> Turn {
        let mut pass = self.pass.take().unwrap_or_default();
        let more = page.more && (page.next.is_some() || !page.items.is_empty());
        let same = page.next.is_some() && page.next == pass.token;
        let page = page.unseen(&mut self.seen);
        fresh.extend(page.items.into_iter().filter_map(Item::wanted));
        if more {
            pass.token = page.next;
            pass.page = pass.page.saturating_add(1);
            self.pass = Some(pass);
        }
        Turn::after(more, same)
    }

    fn restart(&mut self) {
        self.pass = None;
    }
}
