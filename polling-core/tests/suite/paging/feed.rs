//! A model of a channel: items, and the ways in which channels page them.

use std::cell::RefCell;

use polling_core::{
    ErrorClass, Event, Job, PollError,
    paging::{At, Budget, Cursor, Page, Paged, pages},
};

use crate::support::{NOW_MS, job, topic};

/// An item of the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Post {
    pub(crate) id: u64,
    pub(crate) created_ms: i64,
}

impl Post {
    pub(crate) fn event(self) -> Event {
        let id = self.id.to_string();
        Event::new(topic(), id.clone(), id, self.created_ms)
    }
}

/// A channel whose items come in between calls, and which refuses some of these.
#[derive(Debug, Default)]
pub(crate) struct Feed {
    /// In the order they appeared.
    pub(crate) posts: Vec<Post>,
    /// What appears before the next calls, one batch before each.
    pub(crate) arriving: Vec<Vec<Post>>,
    /// Calls until one is refused; it is refused once.
    pub(crate) refuse_in: Option<usize>,
    pub(crate) calls: usize,
}

pub(crate) const PAGE: usize = 3;

impl Feed {
    /// A call: what arrives arrives, and it may be refused.
    pub(crate) fn called(&mut self) -> Result<(), PollError> {
        self.calls += 1;
        if !self.arriving.is_empty() {
            let batch = self.arriving.remove(0);
            self.posts.extend(batch);
        }
        match self.refuse_in {
            Some(0) => {
                self.refuse_in = None;
                Err(PollError::rate_limited("too many requests"))
            }
            ref mut left => {
                *left = left.map(|left| left - 1);
                Ok(())
            }
        }
    }

    /// Newest first by id, below `after` and above `since`.
    pub(crate) fn below(&self, at: &At<u64>) -> Page<u64> {
        let (since, after) = (at.since.unwrap_or(0), at.after.unwrap_or(u64::MAX));
        let ids = self.newest_first(|post| post.id > since && post.id < after);
        page(&ids, 0, |post| post.id).0
    }

    /// Newest first by the number of the page: what arrives moves the rest on.
    pub(crate) fn numbered(&self, at: &At<u64>) -> Page<u64> {
        let posts = self.newest_first(|_| true);
        page(&posts, at.page as usize * PAGE, |post| post.id).0
    }

    /// Newest first with opaque ids and tokens, which stand for places from the oldest on.
    pub(crate) fn opaque(&self, at: &At<String>) -> Page<String> {
        let posts = self.newest_first(|_| true);
        let left = at.token.as_ref().map(|token| token[1..].parse().unwrap());
        let begin = posts.len() - left.unwrap_or(posts.len());
        let (page, end) = page(&posts, begin, |post| format!("id-{}", post.id));
        page.with_next(end.map(|end| format!("t{}", posts.len() - end)))
    }

    /// Oldest first, above `after`.
    pub(crate) fn above(&self, at: &At<u64>) -> Page<u64> {
        let mut posts = self.newest_first(|post| post.id > at.after.unwrap_or(0));
        posts.reverse();
        page(&posts, 0, |post| post.id).0
    }

    /// By time, from `since` on inclusively, by the number of the page.
    pub(crate) fn dated(&self, at: &At<i64>, newest_first: bool) -> Page {
        let since_ms = at.since.unwrap_or(i64::MIN);
        let mut posts = self.posts.clone();
        posts.retain(|post| post.created_ms >= since_ms);
        posts.sort_by_key(|post| (post.created_ms, post.id));
        if newest_first {
            posts.reverse();
        }
        page(&posts, at.page as usize * PAGE, |_| ()).0
    }

    /// All of it, in an order that changes with every call but keeps to pages.
    pub(crate) fn shuffled(&self, at: &At) -> Page {
        let mut posts = self.posts.clone();
        posts.sort_by_key(|post| post.id);
        let (mut page, _) = page(&posts, at.page as usize * PAGE, |_| ());
        if self.calls.is_multiple_of(2) {
            page = Page::of(
                page_events(&posts, at.page as usize * PAGE)
                    .into_iter()
                    .rev(),
            )
            .with_more(posts.len() > (at.page as usize + 1) * PAGE);
        }
        page
    }

    fn newest_first(&self, wanted: impl Fn(&Post) -> bool) -> Vec<Post> {
        let mut posts: Vec<_> = self
            .posts
            .iter()
            .copied()
            .filter(|post| wanted(post))
            .collect();
        posts.sort_by_key(|post| std::cmp::Reverse(post.id));
        posts
    }
}

fn page_events(posts: &[Post], begin: usize) -> Vec<Event> {
    posts
        .iter()
        .skip(begin)
        .take(PAGE)
        .map(|post| post.event())
        .collect()
}

/// A page, and where it ends if there is another.
fn page<I>(posts: &[Post], begin: usize, id: impl Fn(&Post) -> I) -> (Page<I>, Option<usize>) {
    let items: Vec<_> = posts
        .iter()
        .skip(begin)
        .take(PAGE)
        .map(|post| (id(post), post.event()))
        .collect();
    let end = begin + items.len();
    let more = end < posts.len();
    (Page::new(items).with_more(more), more.then_some(end))
}

/// One poll of `calls` calls; a poll that fails changes nothing.
pub(crate) fn poll<C: Cursor>(
    feed: &RefCell<Feed>,
    cursor: &mut C,
    calls: u32,
    ask: impl Fn(&Feed, C::At) -> Page<C::Id>,
) -> Result<Paged, PollError> {
    let job: Job = job();
    let fetch = |at| {
        let answer = feed.borrow_mut().called();
        let page = answer.map(|()| ask(&feed.borrow(), at));
        async { page }
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(pages(cursor, Budget::of(&job, calls), fetch))
}

/// Posts with these times, relative to when the tests begin, and with ids from `first` on.
pub(crate) fn posts(first: u64, ages_ms: &[i64]) -> Vec<Post> {
    let posts = ages_ms.iter().zip(first..).map(|(age_ms, id)| Post {
        id,
        created_ms: NOW_MS - age_ms,
    });
    posts.collect()
}

pub(crate) fn keys(events: &[Event]) -> Vec<u64> {
    let keys = events.iter().map(|event| event.source_key.parse().unwrap());
    keys.collect()
}

pub(crate) fn class(error: &PollError) -> ErrorClass {
    error.class()
}
