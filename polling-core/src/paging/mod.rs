//! Pages and bursts: how far a poll goes, and where the next one goes on.
//!
//! A channel gives its items in pages. A poll may call it a few times only, may be refused in the
//! middle, and meanwhile new items arrive. A cursor, kept in the job's context, sees to it that
//! nothing is skipped; [`pages`] calls the channel until the cursor has all, or the [`Budget`] is
//! used up:
//!
//! ```
//! use polling_core::{Event, Job, PollError, Polled, Poller, Topic};
//! use polling_core::paging::{At, Budget, NewestFirst, Page, pages};
//! use polling_core::typed::{Typed, TypedContext};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Default, Serialize, Deserialize)]
//! struct State {
//!     posts: NewestFirst<u64>,
//! }
//!
//! impl TypedContext for State {}
//!
//! struct Posts {
//!     topic: Topic,
//! }
//!
//! impl Posts {
//!     /// One call of the channel: `GET /posts?since_id={since}&max_id={after}`.
//!     async fn page(&self, at: At<u64>) -> Result<Page<u64>, PollError> {
//!         # let (since, below) = (at.since.unwrap_or(0), at.after.unwrap_or(26));
//!         # let ids: Vec<u64> = (since + 1..below).rev().take(10).collect();
//!         // ... `ids` are those of the answer, newest first ...
//!         let full = ids.len() == 10;
//!         let items = ids.into_iter().map(|id| {
//!             (id, Event::new(self.topic.clone(), id.to_string(), "hello", 1_700_000_000_000))
//!         });
//!         Ok(Page::new(items).with_more(full))
//!     }
//! }
//!
//! impl Poller for Posts {
//!     async fn poll(&self, job: Job) -> Result<Polled, PollError> {
//!         let mut state = Typed::<State>::read(&job.context)?;
//!         let budget = Budget::of(&job, 2);
//!         let paged = pages(&mut state.posts, budget, |at| self.page(at)).await?;
//!         Ok(paged.into_polled(state.write()?))
//!     }
//! }
//!
//! # use polling_core::{Context, model};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), PollError> {
//! # let dispatch = |context: Context| model::Job {
//! #     id: "posts:42".parse().unwrap(), channel: "mastodon".parse().unwrap(),
//! #     job_type: "posts".parse().unwrap(), account: "42".parse().unwrap(),
//! #     level: "gold".parse().unwrap(), due_ms: 0, not_after_ms: 600_000, context,
//! #     token: model::Token::from_wire("00000000000000a1.1.00000000000000b2").unwrap(),
//! # };
//! # let poller = Posts { topic: Topic::new("posts").unwrap() };
//! // There are 25 posts, and a poll may read two pages of 10.
//! let first = poller.poll(Job::new(dispatch(Context::new()), 0)).await?;
//! assert_eq!((first.events.len(), first.saturated), (20, true));
//! let second = poller.poll(Job::new(dispatch(first.context), 0)).await?;
//! assert_eq!((second.events.len(), second.saturated), (5, false));
//! # Ok(())
//! # }
//! ```
//!
//! # Which cursor
//!
//! | the channel gives | cursor | what it relies on |
//! |---|---|---|
//! | the newest page first, and older ones below it | [`NewestFirst`] | new items come at the head |
//! | the page directly above the last item read | [`OldestFirst`] | new items come at the end |
//! | what was created or changed since a time | [`Watermark`] | nothing comes later than the overlap |
//! | all it has, in any order | [`Unordered`] | nothing; items beyond its bound are published again |
//!
//! Ids are whole numbers or opaque texts ([`ItemId`]); pages are asked for by id, by number or by
//! an opaque token ([`At`]).
//!
//! # What holds
//!
//! - **Nothing is skipped.** A cursor moves past an item only in the context that is stored after
//!   the item was published. What was read by then and is more than needed is published again,
//!   with the same event id.
//! - **A poll that is stopped keeps what it has.** An error on page 4 ends it with the events of
//!   three pages, and the next poll asks for page 4. An error on its first page fails it.
//! - **It ends in time.** After nine tenths of its time a poll begins no page, and gives up the one
//!   that it waits for: all pages would be lost if the worker had to cut it at its deadline.
//! - **It is bounded.** A poll makes at most as many calls as its budget says, and none once the
//!   channel said that nothing remains. A channel whose next page is the same page is an error.
//! - **It is `saturated`** when there was more than its budget allowed; the scheduler then polls
//!   again at once.

mod at;
mod budget;
mod collect;
mod id;
mod newest_first;
mod oldest_first;
mod page;
mod seen;
mod unordered;
mod watermark;

pub use self::{
    at::At,
    budget::Budget,
    collect::{Paged, pages},
    id::ItemId,
    newest_first::NewestFirst,
    oldest_first::OldestFirst,
    page::{Item, Page},
    seen::SeenSet,
    unordered::Unordered,
    watermark::{Watermark, Window},
};
use crate::Event;

/// Where a poll stands within a channel's items: a pure value, kept in the job's context.
pub trait Cursor {
    /// What tells one item of a page from another; `()` where the event's source key does.
    type Id;
    /// What the next call asks for.
    type At;

    /// What to ask for now.
    fn at(&self) -> Self::At;

    /// Whether a poll before was stopped half-way, and the head is to be read once its pass is at
    /// the end: newer items than it saw may be waiting there.
    fn resumes(&self) -> bool;

    /// Takes the page that [`at`](Self::at) asked for: adds to `fresh` what is to be published,
    /// and moves on.
    fn turn(&mut self, page: Page<Self::Id>, fresh: &mut Vec<Event>) -> Turn;

    /// Begins again at the head, with nothing forgotten of what was published: for a channel that
    /// does not know its own token any more.
    fn restart(&mut self);
}

/// What there is after a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Another page.
    More,
    /// Nothing that is new.
    Done,
    /// The same page again: the channel runs in circles.
    Stuck,
}

impl Turn {
    const fn after(more: bool, same: bool) -> Self {
        match (more, same) {
            (false, _) => Self::Done,
            (true, false) => Self::More,
            (true, true) => Self::Stuck,
        }
    }
}
