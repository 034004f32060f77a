//! How far a poll goes, and what it tells.

use std::{cell::RefCell, future::pending, time::Duration};

use polling_core::{
    Allowance, Context, ErrorClass, PollError, ScopeKey, caps,
    paging::{Budget, Cursor, NewestFirst, OldestFirst, Page, Turn, Watermark, pages},
};

use super::feed::{Feed, class, keys, poll, posts};
use crate::support::{LEFT, NOW_MS, event, job};

fn feed(items: usize) -> RefCell<Feed> {
    RefCell::new(Feed {
        posts: posts(1, &vec![0; items]),
        ..Feed::default()
    })
}

#[test]
fn a_poll_that_is_stopped_keeps_what_it_has_and_the_next_goes_on() {
    let feed = feed(10);
    feed.borrow_mut().refuse_in = Some(2);
    let mut cursor = NewestFirst::<u64>::default();
    let first = poll(&feed, &mut cursor, 9, |feed, at| feed.below(&at)).unwrap();
    assert_eq!(keys(&first.events), [10, 9, 8, 7, 6, 5]);
    assert_eq!(
        first.stopped.as_ref().map(class),
        Some(ErrorClass::RateLimited)
    );
    let polled = first.into_polled(Context::new());
    assert!(polled.saturated && polled.stopped.is_some());
    assert_eq!(polled.calls, 3, "two pages and the call that was refused");
    let second = poll(&feed, &mut cursor, 9, |feed, at| feed.below(&at)).unwrap();
    assert_eq!(keys(&second.events), [4, 3, 2, 1]);
    assert!(!second.saturated && second.stopped.is_none());
}

#[test]
fn an_error_on_the_first_page_fails_the_poll() {
    let feed = feed(10);
    feed.borrow_mut().refuse_in = Some(0);
    let mut cursor = NewestFirst::<u64>::default();
    let error = poll(&feed, &mut cursor, 9, |feed, at| feed.below(&at)).unwrap_err();
    assert_eq!(error.class(), ErrorClass::RateLimited);
    assert_eq!(cursor, NewestFirst::default());
}

#[test]
fn the_head_is_read_once_the_gap_is_closed() {
    let feed = feed(6);
    let mut cursor = NewestFirst::<u64>::default();
    let first = poll(&feed, &mut cursor, 1, |feed, at| feed.below(&at)).unwrap();
    assert!(first.saturated);
    feed.borrow_mut().posts.extend(posts(7, &[0, 0]));
    let second = poll(&feed, &mut cursor, 9, |feed, at| feed.below(&at)).unwrap();
    assert_eq!(keys(&second.events), [3, 2, 1, 8, 7]);
}

#[test]
fn a_poll_stops_when_the_channel_says_that_nothing_remains() {
    let feed = feed(10);
    let mut cursor = NewestFirst::<u64>::default();
    let said = |remaining| {
        let mut allowance = Allowance::of(ScopeKey::new("app").unwrap());
        allowance.remaining = Some(remaining);
        allowance
    };
    let paged = poll(&feed, &mut cursor, 9, |feed, at| {
        let remaining = 2 - feed.calls as u64;
        feed.below(&at).with_allowance(said(remaining))
    });
    let paged = paged.unwrap();
    assert_eq!((feed.borrow().calls, paged.saturated), (2, true));
    assert!(paged.stopped.is_none());
    assert_eq!(paged.allowances, [said(0)], "the last word counts");
}

#[test]
fn windows_of_one_page_that_look_alike_are_all_told() {
    let feed = feed(10);
    let mut cursor = NewestFirst::<u64>::default();
    let said = |remaining| {
        let mut allowance = Allowance::of(ScopeKey::new("app").unwrap());
        (allowance.limit, allowance.remaining) = (Some(100), Some(remaining));
        allowance
    };
    let paged = poll(&feed, &mut cursor, 9, |feed, at| {
        let remaining = 20 - feed.calls as u64;
        feed.below(&at).with_allowances([said(remaining), said(90)])
    });
    let (paged, calls) = (paged.unwrap(), feed.borrow().calls as u64);
    assert!(calls > 1);
    assert_eq!(paged.allowances, [said(20 - calls), said(90)]);
}

#[tokio::test(start_paused = true)]
async fn a_page_that_takes_too_long_is_given_up_and_the_rest_kept() {
    let (mut cursor, mut calls) = (OldestFirst::<u64>::default(), 0);
    let begin = tokio::time::Instant::now();
    let paged = pages(&mut cursor, Budget::of(&job(), 9), |_| {
        calls += 1;
        let slow = calls > 1;
        async move {
            if slow {
                pending::<()>().await;
            }
            Ok(Page::new([(1, event(1))]).with_more(true))
        }
    });
    let paged = paged.await.unwrap();
    assert_eq!(paged.events.len(), 1);
    let error = paged.stopped.unwrap();
    assert_eq!(error.code().unwrap().as_str(), "page_timeout");
    assert_eq!(begin.elapsed(), LEFT * 9 / 10);
}

#[tokio::test(start_paused = true)]
async fn no_page_is_begun_late() {
    let (mut cursor, mut calls) = (OldestFirst::<u64>::default(), 0);
    let paged = pages(&mut cursor, Budget::of(&job(), 99), |_| {
        calls += 1;
        let id = calls;
        async move {
            tokio::time::sleep(Duration::from_secs(179)).await;
            Ok(Page::new([(id, event(id as usize))]).with_more(true))
        }
    });
    let paged = paged.await.unwrap();
    // 540 s of 600 s hold three such pages, and the fourth is given up.
    assert_eq!((paged.events.len(), paged.saturated), (3, true));
    assert_eq!(calls, 4);
}

#[test]
fn a_channel_that_runs_in_circles_is_an_error_and_the_next_poll_begins_at_the_head() {
    let feed = feed(5);
    let mut cursor = NewestFirst::<u64>::default();
    let circle = |feed: &Feed, at| feed.below(&at).with_next(Some("same".to_owned()));
    let paged = poll(&feed, &mut cursor, 9, circle).unwrap();
    assert_eq!(paged.stopped.unwrap().code().unwrap().as_str(), "page_loop");
    assert_eq!(cursor.at().token, None);
    assert!(feed.borrow().calls < 4);
    let again = poll(&feed, &mut cursor, 9, |feed, at| feed.below(&at)).unwrap();
    assert_eq!(keys(&again.events), [5, 4, 3, 2, 1], "nothing is skipped");
}

#[test]
fn a_channel_that_ignores_where_it_is_asked_is_found_out() {
    let feed = feed(5);
    let mut newest_first = NewestFirst::<u64>::default();
    let head = |feed: &Feed, _| feed.below(&NewestFirst::default().at()).with_more(true);
    let paged = poll(&feed, &mut newest_first, 9, head).unwrap();
    assert_eq!(paged.stopped.unwrap().code().unwrap().as_str(), "page_loop");
    let mut oldest_first = OldestFirst::<u64>::default();
    let first = |feed: &Feed, _| feed.above(&OldestFirst::default().at()).with_more(true);
    let paged = poll(&feed, &mut oldest_first, 9, first).unwrap();
    assert_eq!(paged.stopped.unwrap().code().unwrap().as_str(), "page_loop");
}

#[test]
fn a_token_too_long_to_keep_is_refused() {
    let feed = feed(9);
    let mut cursor = NewestFirst::<u64>::default();
    let error = poll(&feed, &mut cursor, 9, |feed, at| {
        let token = "t".repeat(caps::MAX_PAGE_TOKEN_LEN + 1);
        feed.below(&at).with_next(Some(token))
    });
    let error: PollError = error.unwrap_err();
    assert_eq!(error.code().unwrap().as_str(), "page_token");
}

#[test]
fn a_token_of_the_last_page_is_where_the_next_poll_goes_on() {
    let mut cursor = OldestFirst::<String>::default();
    let feed = feed(1);
    let delta = |_: &Feed, _| {
        Page::<String>::new([])
            .with_next(Some("delta-7".to_owned()))
            .with_more(false)
    };
    let paged = poll(&feed, &mut cursor, 9, delta).unwrap();
    assert_eq!((feed.borrow().calls, paged.saturated), (1, false));
    assert_eq!(cursor.at().token.as_deref(), Some("delta-7"));
}

#[test]
fn filtered_items_move_the_cursor_and_end_the_way_back() {
    let (old, new) = (NOW_MS - 1000, NOW_MS);
    let feed = RefCell::new(Feed {
        posts: posts(1, &[1000, 1000, 1000, 1000, 1000, 0, 0]),
        ..Feed::default()
    });
    let mut cursor = NewestFirst::<u64>::default();
    let paged = poll(&feed, &mut cursor, 9, |feed, at| {
        feed.below(&at).back_to(old + 1)
    });
    assert_eq!(keys(&paged.unwrap().events), [7, 6]);
    assert_eq!((feed.borrow().calls, cursor.at().since), (1, Some(7)));
    let mut cursor = OldestFirst::<u64>::default();
    let paged = poll(&feed, &mut cursor, 9, |feed, at| feed.above(&at).since(new));
    assert_eq!(keys(&paged.unwrap().events), [6, 7]);
    assert_eq!(cursor.at().after, Some(7));
}

#[test]
fn a_pinned_item_at_the_head_ends_nothing() {
    let feed = feed(9);
    let mut cursor = NewestFirst::<u64>::from_id(4);
    let pinned = |feed: &Feed, at: polling_core::paging::At<u64>| {
        let mut items = vec![(1, event(1))];
        items.extend(
            feed.posts
                .iter()
                .rev()
                .filter(|post| post.id < at.after.unwrap_or(99))
                .take(3)
                .map(|post| (post.id, post.event())),
        );
        Page::new(items).with_more(true)
    };
    let paged = poll(&feed, &mut cursor, 9, pinned).unwrap();
    assert_eq!(keys(&paged.events), [9, 8, 7, 6, 5]);
}

#[test]
fn deleted_items_do_not_make_an_opaque_cursor_lose_its_place() {
    let feed = feed(30);
    let mut cursor = NewestFirst::<String>::default();
    while poll(&feed, &mut cursor, 9, |feed, at| feed.opaque(&at))
        .unwrap()
        .saturated
    {}
    feed.borrow_mut().posts.retain(|post| post.id < 25);
    feed.borrow_mut().posts.extend(posts(31, &[0]));
    feed.borrow_mut().calls = 0;
    let paged = poll(&feed, &mut cursor, 9, |feed, at| feed.opaque(&at)).unwrap();
    assert_eq!(keys(&paged.events), [31]);
    assert_eq!(feed.borrow().calls, 1);
    // What the last page but one left behind still marks the place.
    feed.borrow_mut().posts.retain(|post| post.id < 25);
    let paged = poll(&feed, &mut cursor, 9, |feed, at| feed.opaque(&at)).unwrap();
    assert_eq!((paged.events.len(), feed.borrow().calls), (0, 2));
}

#[test]
fn an_item_dated_in_the_future_hides_none() {
    let job = job();
    let mut mark = Watermark::default();
    let feed = RefCell::new(Feed {
        posts: posts(1, &[10, -1_000_000_000]),
        ..Feed::default()
    });
    let overlap = Duration::from_millis(100);
    let paged = poll(&feed, &mut mark.window(&job, overlap), 9, |feed, at| {
        feed.dated(&at, false)
    });
    assert_eq!(keys(&paged.unwrap().events), [1, 2]);
    feed.borrow_mut().posts.extend(posts(3, &[0]));
    let paged = poll(&feed, &mut mark.window(&job, overlap), 9, |feed, at| {
        feed.dated(&at, false)
    });
    assert_eq!(keys(&paged.unwrap().events), [3]);
}

#[test]
fn an_item_that_arrives_while_others_are_read_below_does_not_hide_its_neighbours() {
    let mut cursor = NewestFirst::<u64>::default();
    let mut fresh = Vec::new();
    let page = |ids: &[usize]| {
        Page::new(
            ids.iter()
                .map(|id| (*id as u64, event(*id)))
                .collect::<Vec<_>>(),
        )
    };
    assert_eq!(
        cursor.turn(page(&[9, 8]).with_more(true), &mut fresh),
        Turn::More
    );
    assert_eq!(cursor.turn(page(&[12, 7]), &mut fresh), Turn::Done);
    assert_eq!(cursor.turn(page(&[12, 11, 10, 9]), &mut fresh), Turn::Done);
    assert_eq!(keys(&fresh), [9, 8, 12, 7, 12, 11, 10]);
}
