//! Whatever arrives and whatever is refused, nothing is skipped.

use std::{cell::RefCell, collections::BTreeMap, time::Duration};

use polling_core::{
    Job, model,
    paging::{At, Cursor, NewestFirst, OldestFirst, Page, Unordered, Watermark},
};
use proptest::prelude::*;
use serde::{Serialize, de::DeserializeOwned};

use super::feed::{Feed, PAGE, Post, keys, poll};
use crate::support::{NOW_MS, dispatch};

/// How late an item may appear, and the overlap that allows for it.
const OVERLAP: Duration = Duration::from_millis(50);

/// What happens in a poll.
#[derive(Debug, Clone)]
struct Step {
    calls: u32,
    refuse_in: Option<usize>,
    /// How many items arrive before each of the first calls.
    arriving: Vec<u8>,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (
        1..5u32,
        prop::option::of(0..4usize),
        prop::collection::vec(0..9u8, 0..4),
    );
    let step = step.prop_map(|(calls, refuse_in, arriving)| Step {
        calls,
        refuse_in,
        arriving,
    });
    prop::collection::vec(step, 1..12)
}

/// The cursor as it comes out of a context.
fn stored<C: Serialize + DeserializeOwned>(cursor: &C) -> C {
    serde_json::from_str(&serde_json::to_string(cursor).unwrap()).unwrap()
}

/// How often each item was published, and how many polls it took to come to rest.
struct Outcome {
    published: BTreeMap<u64, usize>,
    feed: Feed,
}

/// Runs `steps`, each of them over the cursor that the last poll left; then polls until all is
/// there.
fn run<C: Clone + Serialize + DeserializeOwned>(
    steps: &[Step],
    mut cursor: C,
    date: impl Fn(u64) -> i64,
    turn: impl Fn(&RefCell<Feed>, &mut C, u32) -> Option<(Vec<u64>, bool)>,
) -> Outcome {
    let feed = RefCell::new(Feed::default());
    let (mut id, mut published) = (0, BTreeMap::new());
    let mut poll_once = |cursor: &mut C, calls| {
        let mut after = stored(cursor);
        let Some((keys, rest)) = turn(&feed, &mut after, calls) else {
            return false;
        };
        *cursor = after;
        for key in keys {
            *published.entry(key).or_insert(0) += 1;
        }
        rest
    };
    for step in steps {
        let batches = step.arriving.iter().map(|count| {
            let new = (0..*count).map(|_| {
                id += 1;
                Post {
                    id,
                    created_ms: date(id),
                }
            });
            new.collect()
        });
        feed.borrow_mut().arriving = batches.collect();
        feed.borrow_mut().refuse_in = step.refuse_in;
        poll_once(&mut cursor, step.calls);
        let late: Vec<Post> = feed.borrow_mut().arriving.drain(..).flatten().collect();
        feed.borrow_mut().posts.extend(late);
        feed.borrow_mut().refuse_in = None;
    }
    // One call a poll: the slowest way to come to rest, and still an end of it. Twice, since what
    // appears on a page that was read already is left to the next interval.
    let bound = 4 * (id as usize / PAGE + 2);
    for _ in 0..2 {
        let rests = (0..bound).any(|_| poll_once(&mut cursor, 1));
        assert!(rests, "{bound} polls were not enough");
    }
    let feed = feed.into_inner();
    Outcome { published, feed }
}

/// One poll; `None` when it failed.
fn turn<C: Cursor>(
    feed: &RefCell<Feed>,
    cursor: &mut C,
    calls: u32,
    ask: impl Fn(&Feed, C::At) -> Page<C::Id>,
) -> Option<(Vec<u64>, bool)> {
    let paged = poll(feed, cursor, calls, ask).ok()?;
    Some((keys(&paged.events), !paged.saturated))
}

fn nothing_is_skipped(outcome: &Outcome) -> Result<(), TestCaseError> {
    for post in &outcome.feed.posts {
        prop_assert!(
            outcome.published.contains_key(&post.id),
            "{} was skipped",
            post.id
        );
    }
    prop_assert_eq!(outcome.published.len(), outcome.feed.posts.len());
    Ok(())
}

fn nothing_is_repeated(outcome: &Outcome) -> Result<(), TestCaseError> {
    prop_assert!(
        outcome.published.values().all(|times| *times == 1),
        "{:?}",
        outcome.published
    );
    Ok(())
}

/// Items appear in the order of their ids, some of them as late as the overlap allows, and some at
/// the same instant.
fn late(id: u64) -> i64 {
    NOW_MS - 100_000 + (id as i64 / 3) * 20 - (id as i64 % 3) * 20
}

/// A job polled when the newest item appeared.
fn due(newest_ms: Option<i64>) -> Job {
    let due_ms = newest_ms.unwrap_or(NOW_MS - 100_000);
    Job::new(
        model::Job {
            due_ms,
            ..dispatch("42")
        },
        NOW_MS,
    )
}

fn even(id: u64) -> i64 {
    NOW_MS - 100_000 + id as i64
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn below_an_id_every_item_is_published_once(steps in steps()) {
        let outcome = run(&steps, NewestFirst::<u64>::default(), even, |feed, cursor, calls| {
            turn(feed, cursor, calls, |feed, at| feed.below(&at))
        });
        nothing_is_skipped(&outcome)?;
        nothing_is_repeated(&outcome)?;
    }

    #[test]
    fn on_numbered_pages_that_move_nothing_is_skipped(steps in steps()) {
        let outcome = run(&steps, NewestFirst::<u64>::default(), even, |feed, cursor, calls| {
            turn(feed, cursor, calls, |feed, at| feed.numbered(&at))
        });
        nothing_is_skipped(&outcome)?;
    }

    #[test]
    fn with_opaque_ids_and_tokens_every_item_is_published_once(steps in steps()) {
        let outcome = run(&steps, NewestFirst::<String>::default(), even, |feed, cursor, calls| {
            turn(feed, cursor, calls, |feed, at: At<String>| feed.opaque(&at))
        });
        nothing_is_skipped(&outcome)?;
        nothing_is_repeated(&outcome)?;
    }

    #[test]
    fn above_an_id_every_item_is_published_once(steps in steps()) {
        let outcome = run(&steps, OldestFirst::<u64>::default(), even, |feed, cursor, calls| {
            turn(feed, cursor, calls, |feed, at| feed.above(&at))
        });
        nothing_is_skipped(&outcome)?;
        nothing_is_repeated(&outcome)?;
    }

    #[test]
    fn by_time_what_appears_late_is_not_skipped(steps in steps(), newest_first: bool) {
        let outcome = run(&steps, Watermark::default(), late, |feed, mark, calls| {
            let job = due(feed.borrow().posts.iter().map(|post| post.created_ms).max());
            turn(feed, &mut mark.window(&job, OVERLAP), calls, |feed, at| feed.dated(&at, newest_first))
        });
        nothing_is_skipped(&outcome)?;
        nothing_is_repeated(&outcome)?;
    }

    #[test]
    fn without_an_order_every_item_is_published_once(steps in steps()) {
        let outcome = run(&steps, Unordered::default(), even, |feed, cursor, calls| {
            turn(feed, cursor, calls, |feed, at| feed.shuffled(&at))
        });
        nothing_is_skipped(&outcome)?;
        nothing_is_repeated(&outcome)?;
    }
}
