//! Calls the channel page by page.

use tokio::time::timeout_at;

use super::{Budget, Cursor, Page, Turn};
use crate::{Allowance, Context, Event, PollError, Polled, caps};

/// What the pages of one poll brought.
#[derive(Debug, Default)]
#[must_use = "its events are published only if it is turned into the poll's result"]
pub struct Paged {
    /// What is to be published, in the order it was read.
    pub events: Vec<Event>,
    /// What the channel said last about each of its rate limits.
    pub allowances: Vec<Allowance>,
    /// There was more than the budget allowed.
    pub saturated: bool,
    /// The error that ended paging early.
    pub stopped: Option<PollError>,
    /// Calls that were made: one for each page asked for, unless the error that ended paging tells
    /// of more.
    pub calls: u32,
}

impl Paged {
    /// The poll's result. `context` holds the cursor that was paged with.
    pub fn into_polled(self, context: Context) -> Polled {
        Polled {
            events: self.events,
            context,
            allowances: self.allowances,
            saturated: self.saturated,
            stopped: self.stopped,
            calls: self.calls,
        }
    }

    /// Channels repeat themselves on each page: the last page's word on a window counts. One page
    /// may have several windows that look alike, such as percentages of use.
    fn note(&mut self, new: Vec<Allowance>) {
        let window = |of: &Allowance| (of.scope.clone(), of.limit, of.window_ms);
        let told: Vec<_> = new.iter().map(window).collect();
        self.allowances.retain(|old| !told.contains(&window(old)));
        self.allowances.extend(new);
    }

    fn stop(mut self, error: PollError) -> Self {
        self.saturated = true;
        self.stopped = Some(error);
        self
    }
}

/// Calls `fetch` for one page after another, until the cursor has all that is new or the budget is
/// used up. A cursor that goes on where an earlier poll was stopped looks at the head after that.
///
/// # Errors
///
/// That of the first call. Once a page was read, an error ends paging and is kept as
/// [`Paged::stopped`]: what was read is published, and the cursor stands before the page that is
/// missing. Errors of its own are `page_timeout` (transient), `page_loop` and `page_token` (both
/// invalid): the channel was too slow, gave the same page as the next one, or a token of more
/// than [`caps::MAX_PAGE_TOKEN_LEN`] bytes.
pub async fn pages<C, F, Fut>(
    cursor: &mut C,
    mut budget: Budget,
    mut fetch: F,
) -> Result<Paged, PollError>
where
    C: Cursor,
    F: FnMut(C::At) -> Fut,
    Fut: Future<Output = Result<Page<C::Id>, PollError>>,
{
    let mut paged = Paged::default();
    let mut resumes = cursor.resumes();
    let mut first = true;
    // A poll that has waited for long still asks once: its job would starve.
    while budget.spend() || first {
        let page = match call(&budget, fetch(cursor.at())).await {
            Ok(page) => page,
            Err(error) if first => return Err(error),
            Err(error) => {
                paged.calls = paged.calls.saturating_add(error.calls());
                return Ok(paged.stop(error));
            }
        };
        first = false;
        paged.calls = paged.calls.saturating_add(1);
        budget.heed(&page.allowances);
        paged.note(page.allowances.clone());
        match cursor.turn(page, &mut paged.events) {
            Turn::More => {}
            Turn::Done if resumes => resumes = false,
            Turn::Done => return Ok(paged),
            Turn::Stuck => {
                cursor.restart();
                return Ok(paged.stop(stuck()));
            }
        }
    }
    paged.saturated = true;
    Ok(paged)
}

async fn call<I>(
    budget: &Budget,
    fetching: impl Future<Output = Result<Page<I>, PollError>>,
) -> Result<Page<I>, PollError> {
    let page = match timeout_at(budget.cutoff(), fetching).await {
        Ok(fetched) => fetched?,
        Err(_) => {
            let slow = "the channel gave no page within the poll's time";
            return Err(PollError::transient(slow).with_code("page_timeout"));
        }
    };
    let token_len = page.next.as_ref().map_or(0, String::len);
    if token_len > caps::MAX_PAGE_TOKEN_LEN {
        let message = format!(
            "the channel's token of the next page has {token_len} bytes: at most {} are kept",
            caps::MAX_PAGE_TOKEN_LEN
        );
        return Err(PollError::invalid(message).with_code("page_token"));
    }
    Ok(page)
}

fn stuck() -> PollError {
    PollError::invalid("the channel's next page is the same page: the next poll begins at the head")
        .with_code("page_loop")
}
