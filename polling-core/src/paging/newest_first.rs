//! Feeds with the newest item first.

use serde::{Deserialize, Serialize};

use super::{At, Cursor, ItemId, Page, Turn};
use crate::Event;

/// A cursor for channels that give the newest page first, and older ones below it: timelines,
/// activity lists.
///
/// A pass goes from the head down to what was published before. When it is stopped half-way, the
/// next poll goes on where it stopped, down to the same floor; only then is what arrived at the
/// head in the meantime read, in a pass of its own. So one gap at most is ever open, and it is
/// never skipped.
///
/// Relies on new items appearing at the head. For a channel that lets items appear late, below
/// others that it gave before, use [`Watermark`](super::Watermark). Of items pinned to the top
/// nothing is known: with ids that are numbers they do no harm, with texts leave them out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound(serialize = "I: ItemId", deserialize = "I: ItemId"))]
pub struct NewestFirst<I> {
    /// What was published up to, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    floor: Vec<I>,
    /// The pass that is not at its end yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pass: Option<Pass<I>>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound(serialize = "I: ItemId", deserialize = "I: ItemId"))]
struct Pass<I> {
    /// What becomes the floor at its end.
    marks: Vec<I>,
    after: Option<I>,
    token: Option<String>,
    page: u32,
}

impl<I> Default for NewestFirst<I> {
    fn default() -> Self {
        Self {
            floor: Vec::new(),
            pass: None,
        }
    }
}

impl<I> Default for Pass<I> {
    fn default() -> Self {
        Self {
            marks: Vec::new(),
            after: None,
            token: None,
            page: 0,
        }
    }
}

impl<I: ItemId> NewestFirst<I> {
    /// A cursor that has published everything up to `id`, for an account whose history is of no
    /// interest.
    #[must_use]
    pub fn from_id(id: I) -> Self {
        Self {
            floor: vec![id],
            pass: None,
        }
    }

    /// The pass is at its end. The older marks stay behind the new ones as long as they fit.
    fn land(&mut self, marks: Vec<I>) {
        let old = std::mem::replace(&mut self.floor, marks);
        for id in old {
            id.mark(&mut self.floor, true);
        }
    }
}

impl<I: ItemId> Cursor for NewestFirst<I> {
    type Id = I;
    type At = At<I>;

    fn at(&self) -> At<I> {
        let pass = self.pass.as_ref();
        At {
            since: self.floor.first().cloned(),
            after: pass.and_then(|pass| pass.after.clone()),
            token: pass.and_then(|pass| pass.token.clone()),
            page: pass.map_or(0, |pass| pass.page),
        }
    }

    fn resumes(&self) -> bool {
        self.pass.is_some()
    }

    fn turn(&mut self, page: Page<I>, fresh: &mut Vec<Event>) -> Turn {
        let mut pass = self.pass.take().unwrap_or_default();
        let head = pass.marks.is_empty();
        // The last item decides: older ones may be pinned above newer ones.
        let last = page.items.last().map(|item| item.id.clone());
        let landed = last.as_ref().is_some_and(|id| id.is_known(&self.floor));
        // An empty page has a next one only if that has a name of its own.
        let more = page.more && !landed && (page.next.is_some() || last.is_some());
        let same = page.next == pass.token && (page.next.is_some() || last == pass.after);
        for item in page.items {
            item.id.mark(&mut pass.marks, head);
            if !item.id.is_known(&self.floor) {
                fresh.extend(item.wanted());
            }
        }
        if !more {
            self.land(pass.marks);
            return Turn::Done;
        }
        pass.after = last.or(pass.after);
        pass.token = page.next;
        pass.page = pass.page.saturating_add(1);
        self.pass = Some(pass);
        Turn::after(more, same)
    }

    fn restart(&mut self) {
        self.pass = None;
    }
}
