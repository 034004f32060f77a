//! What a poll brought.

use crate::{Allowance, Context, Event, PollError};

/// The result of a poll that the channel answered.
///
/// ```
/// use polling_core::{Context, Event, PollError, Polled, Topic};
///
/// let event = Event::new(Topic::new("posts")?, "status-9", "{\"text\":\"hello\"}", 1_700_000_000_000);
/// let polled = Polled::new(Context::from_iter([("since_id", 9.into())]))
///     .with_event(event)
///     .with_stopped(PollError::rate_limited("page 2 was refused"));
/// assert_eq!(polled.events.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Polled {
    /// What was found, in the order in which to publish it.
    pub events: Vec<Event>,
    /// For the next poll; replaces the job's context.
    pub context: Context,
    /// What the channel said about its rate limits.
    pub allowances: Vec<Allowance>,
    /// There was more than this poll could fetch.
    pub saturated: bool,
    /// The error that ended paging early; what was fetched before it is published and kept.
    pub stopped: Option<PollError>,
    /// Calls to the channel that the poll made, the one that stopped it included; 1 unless set. If
    /// the job [counted](crate::Job::calls) more, that holds.
    pub calls: u32,
}

impl Default for Polled {
    fn default() -> Self {
        Self {
            events: Vec::new(),
            context: Context::new(),
            allowances: Vec::new(),
            saturated: false,
            stopped: None,
            calls: 1,
        }
    }
}

impl Polled {
    /// Nothing found yet; `context` is for the next poll. A poll that learned nothing returns the
    /// job's own: `Polled::new(job.context.clone())`.
    #[must_use]
    pub fn new(context: Context) -> Self {
        Self {
            context,
            ..Self::default()
        }
    }

    /// Adds an event.
    #[must_use]
    pub fn with_event(mut self, event: Event) -> Self {
        self.events.push(event);
        self
    }

    /// Adds events, in their order.
    #[must_use]
    pub fn with_events(mut self, events: impl IntoIterator<Item = Event>) -> Self {
        self.events.extend(events);
        self
    }

    /// Adds what the channel said about one of its rate limits.
    #[must_use]
    pub fn with_allowance(mut self, allowance: Allowance) -> Self {
        self.allowances.push(allowance);
        self
    }

    /// Notes whether there was more than this poll could fetch.
    #[must_use]
    pub fn with_saturated(mut self, saturated: bool) -> Self {
        self.saturated = saturated;
        self
    }

    /// Notes the error that ended paging early.
    #[must_use]
    pub fn with_stopped(mut self, error: PollError) -> Self {
        self.stopped = Some(error);
        self
    }

    /// Notes how many calls to the channel the poll made, the one that stopped it included. The
    /// scheduler counts them against the channel's limits. [`paging::pages`](crate::paging::pages)
    /// and the crate's HTTP client count by themselves.
    #[must_use]
    pub fn with_calls(mut self, calls: u32) -> Self {
        self.calls = calls;
        self
    }
}
