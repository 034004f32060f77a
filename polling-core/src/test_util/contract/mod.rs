//! What every poller must do, as a suite that runs over yours.
//!
//! Tell it how to let items appear at the channel, and how to limit its calls:
//!
//! ```
//! use std::sync::{Arc, Mutex};
//! use polling_core::{Event, Job, PollError, Polled, Poller, Topic};
//! use polling_core::paging::{Budget, OldestFirst, Page, pages};
//! use polling_core::test_util::contract::{Subject, verify};
//! use polling_core::typed::{Typed, TypedContext};
//! use serde::{Deserialize, Serialize};
//!
//! /// A channel in memory; yours is a `FakeChannel`.
//! #[derive(Default)]
//! struct Channel {
//!     items: u64,
//!     calls_left: Option<u64>,
//! }
//!
//! #[derive(Default, Serialize, Deserialize)]
//! struct State {
//!     items: OldestFirst<u64>,
//! }
//!
//! impl TypedContext for State {}
//!
//! #[derive(Default, Clone)]
//! struct Items(Arc<Mutex<Channel>>);
//!
//! impl Items {
//!     /// The page directly above `after`.
//!     async fn page(&self, after: u64) -> Result<Page<u64>, PollError> {
//!         tokio::task::yield_now().await;
//!         let mut channel = self.0.lock().unwrap();
//!         if channel.calls_left == Some(0) {
//!             let wait = std::time::Duration::from_secs(60);
//!             return Err(PollError::rate_limited("429").with_retry_after(wait));
//!         }
//!         channel.calls_left = channel.calls_left.map(|left| left - 1);
//!         let (last, full) = (channel.items, channel.items > after + 20);
//!         let topic = Topic::new("items").unwrap();
//!         let ids = (after + 1..=last).take(20);
//!         let items = ids.map(|id| (id, Event::new(topic.clone(), id.to_string(), "", 0)));
//!         Ok(Page::new(items.collect::<Vec<_>>()).with_more(full))
//!     }
//! }
//!
//! impl Poller for Items {
//!     async fn poll(&self, job: Job) -> Result<Polled, PollError> {
//!         let mut state = Typed::<State>::read(&job.context)?;
//!         let budget = Budget::of(&job, 5);
//!         let ask = |at: polling_core::paging::At<u64>| self.page(at.after.unwrap_or(0));
//!         let paged = pages(&mut state.items, budget, ask).await?;
//!         Ok(paged.into_polled(state.write()?))
//!     }
//! }
//!
//! impl Subject for Items {
//!     type Poller = Items;
//!
//!     fn poller(&self) -> Items {
//!         self.clone()
//!     }
//!
//!     fn add(&self, items: usize) -> Vec<String> {
//!         let mut channel = self.0.lock().unwrap();
//!         let first = channel.items + 1;
//!         channel.items += items as u64;
//!         (first..=channel.items).map(|id| id.to_string()).collect()
//!     }
//!
//!     fn limit(&self, calls: Option<u64>) {
//!         self.0.lock().unwrap().calls_left = calls;
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() {
//! // In a test: #[tokio::test(start_paused = true)]
//! verify(async || Items::default()).await.unwrap();
//! # }
//! ```
//!
//! # What it checks
//!
//! | rule | breaks it |
//! |---|---|
//! | a poll that the channel answers succeeds | a panic, a hang, an answer that is not understood |
//! | a repeated poll publishes the same event ids, and no others | ids made of the time, a counter or a random number; a cursor or an `ETag` kept in the poller instead of the context |
//! | nothing is skipped across bursts | a cursor moved past items that were not published, such as those that appear while pages are read |
//! | a poller comes to rest | `saturated` told while nothing is left |
//! | a limit is told | a refusal, be it in mid-paging, that is not `RateLimited`, or does not tell when to come back |
//! | a poll that is refused half-way keeps what it has | paging that begins from nothing after each refusal |
//! | a poll may be dropped at any await | what only the poll's end sets right again |

mod cut;
mod rules;
mod trial;

use crate::{Context, Poller};

/// Rules that are looked after wherever a poller is polled.
const SUCCEEDS: &str = "a poll that the channel answers succeeds";
const COMES_TO_REST: &str = "a poller comes to rest";
const LIMIT_IS_TOLD: &str = "a limit is told";

/// A poller together with a channel of its own, which begins empty and without a limit.
pub trait Subject {
    /// What is checked.
    type Poller: Poller;

    /// The poller, which asks this channel.
    fn poller(&self) -> Self::Poller;

    /// What the job is registered with, such as the address of a feed; nothing unless overridden.
    fn context(&self) -> Context {
        Context::new()
    }

    /// Lets so many new items appear at the channel, and returns the source keys of the events that
    /// they must become, one each.
    fn add(&self, items: usize) -> Vec<String>;

    /// From now on the channel answers so many calls, and refuses those after them for being over
    /// its rate limit; `None` lifts it.
    fn limit(&self, calls: Option<u64>);
}

/// A rule that a poller breaks.
#[derive(Debug, thiserror::Error)]
#[error("the poller breaks a rule: {rule}; {found}")]
pub struct Violation {
    rule: &'static str,
    found: String,
}

impl Violation {
    fn new(rule: &'static str, found: impl Into<String>) -> Self {
        Self {
            rule,
            found: found.into(),
        }
    }

    /// The rule, as it stands in the [table](self#what-it-checks).
    #[must_use]
    pub fn rule(&self) -> &'static str {
        self.rule
    }
}

/// Checks all rules, each with a subject that `new` makes. Run it with time paused.
///
/// # Errors
///
/// [`Violation`] of the first rule that is broken, with what was found.
pub async fn verify<S: Subject>(new: impl AsyncFn() -> S) -> Result<(), Violation> {
    rules::repeats(&new().await).await?;
    rules::bursts(&new().await).await?;
    rules::limit_is_told(&new().await).await?;
    rules::refused_half_way(&new().await).await?;
    rules::cancellation(&new().await).await
}
