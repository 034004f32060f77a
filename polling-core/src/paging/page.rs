//! What one call of the channel brought.

use super::SeenSet;
use crate::{Allowance, Event};

/// A page of items, in the channel's order.
///
/// ```
/// use polling_core::{Event, Topic, paging::Page};
///
/// # let topic = Topic::new("posts")?;
/// let post = |id: u64| (id, Event::new(topic.clone(), id.to_string(), "hello", 1_700_000_000_000));
/// let page = Page::new([post(9), post(8)]).with_next(Some("cGFnZTI=".to_owned()));
/// # let _ = page;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<I = ()> {
    /// The items.
    pub items: Vec<Item<I>>,
    /// The token of the next page.
    pub next: Option<String>,
    /// Whether there is a next page.
    pub more: bool,
    /// What the channel said about its rate limits.
    pub allowances: Vec<Allowance>,
}

/// An item of a [`Page`]. One that is filtered out still moves the cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item<I = ()> {
    /// What the channel calls it.
    pub id: I,
    /// What is published.
    pub event: Event,
    wanted: bool,
}

impl<I> Item<I> {
    /// The event, unless a filter took it out.
    #[must_use]
    pub fn wanted(self) -> Option<Event> {
        self.wanted.then_some(self.event)
    }
}

impl Page {
    /// The last page, of items that need no id but their source key: for [`Watermark`] and
    /// [`Unordered`].
    ///
    /// [`Watermark`]: super::Watermark
    /// [`Unordered`]: super::Unordered
    #[must_use]
    pub fn of(events: impl IntoIterator<Item = Event>) -> Self {
        Self::new(events.into_iter().map(|event| ((), event)))
    }
}

impl<I> Page<I> {
    /// The last page, unless it is told that there are more.
    #[must_use]
    pub fn new(items: impl IntoIterator<Item = (I, Event)>) -> Self {
        let items = items.into_iter().map(|(id, event)| Item {
            id,
            event,
            wanted: true,
        });
        Self {
            items: items.collect(),
            next: None,
            more: false,
            allowances: Vec::new(),
        }
    }

    /// The token of the next page. There is one if there is a token.
    #[must_use]
    pub fn with_next(mut self, token: Option<String>) -> Self {
        self.more = token.is_some();
        self.next = token;
        self
    }

    /// Whether there is a next page, for channels that are asked by id or by number: usually
    /// whether this one is full. After [`with_next`](Self::with_next) it is for those that give
    /// a token on the last page too, to go on from later.
    #[must_use]
    pub fn with_more(mut self, more: bool) -> Self {
        self.more = more;
        self
    }

    /// Adds what the channel said about one of its rate limits.
    #[must_use]
    pub fn with_allowance(mut self, allowance: Allowance) -> Self {
        self.allowances.push(allowance);
        self
    }

    /// Adds what the channel said about its rate limits.
    #[must_use]
    pub fn with_allowances(mut self, allowances: impl IntoIterator<Item = Allowance>) -> Self {
        self.allowances.extend(allowances);
        self
    }

    /// Publishes only the items that `wanted` likes. The cursor moves past the others, too.
    #[must_use]
    pub fn filter(mut self, mut wanted: impl FnMut(&Event) -> bool) -> Self {
        for item in &mut self.items {
            item.wanted = item.wanted && wanted(&item.event);
        }
        self
    }

    /// Publishes nothing created before `created_ms`, UTC milliseconds.
    #[must_use]
    pub fn since(self, created_ms: i64) -> Self {
        self.filter(|event| event.created_ms >= created_ms)
    }

    /// The same for pages with the newest item first, which are not followed further back than
    /// that: this is the last one if its last item is older.
    #[must_use]
    pub fn back_to(self, created_ms: i64) -> Self {
        let mut page = self.since(created_ms);
        let oldest = page.items.last().map(|item| item.event.created_ms);
        if oldest.is_some_and(|oldest_ms| oldest_ms < created_ms) {
            page.more = false;
            page.next = None;
        }
        page
    }

    /// Publishes nothing that is in `seen`, and adds to it what is published: for channels that
    /// repeat items that they gave before.
    #[must_use]
    pub fn unseen(mut self, seen: &mut SeenSet) -> Self {
        let wanted = self.items.iter().filter(|item| item.wanted);
        let new = seen.note_all(wanted.map(|item| item.event.source_key.as_str()));
        let wanted = self.items.iter_mut().filter(|item| item.wanted);
        for (item, new) in wanted.zip(new) {
            item.wanted = new;
        }
        self
    }
}
