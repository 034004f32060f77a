//! The bounds of what is seen.

use std::cell::RefCell;

use polling_core::{
    Context, Event, caps, model,
    paging::{Cursor, NewestFirst, Page, SeenSet, Unordered, Watermark},
};
use proptest::prelude::*;

use super::feed::{Feed, keys, poll, posts};
use crate::support::{NOW_MS, job, topic};

fn fits(value: serde_json::Value) {
    let context = Context::from_iter([("cursor", value)]);
    let size_bytes = context.encode().unwrap().size_bytes();
    assert!(
        size_bytes < model::caps::MAX_CONTEXT_SIZE_BYTES / 2,
        "{size_bytes}"
    );
}

#[test]
fn a_set_that_overflows_forgets_what_it_has_not_met_for_longest() {
    let mut seen = SeenSet::default();
    for n in 0..caps::MAX_SEEN {
        assert!(seen.note(&n.to_string()));
    }
    assert!(!seen.note("0"), "met again");
    assert!(seen.note("one more"));
    assert_eq!(seen.len(), caps::MAX_SEEN);
    assert!(seen.contains("0") && !seen.contains("1"));
}

#[test]
fn a_feed_larger_than_the_set_is_repeated_in_part_and_never_skipped() {
    let feed = RefCell::new(Feed {
        posts: posts(1, &vec![0; caps::MAX_SEEN + 10]),
        ..Feed::default()
    });
    let all = |feed: &Feed, _| Page::of(feed.posts.iter().map(|post| post.event()));
    let mut cursor = Unordered::default();
    let first = poll(&feed, &mut cursor, 1, all).unwrap();
    assert_eq!(first.events.len(), caps::MAX_SEEN + 10);
    feed.borrow_mut().posts.extend(posts(9_999, &[0]));
    let second = keys(&poll(&feed, &mut cursor, 1, all).unwrap().events);
    assert!(second.contains(&9_999));
    let third = keys(&poll(&feed, &mut cursor, 1, all).unwrap().events);
    // What does not fit, and no more.
    assert_eq!((second.len(), third.len()), (11, 11));
}

#[test]
fn the_keys_of_a_page_make_no_room_for_each_other() {
    let keys: Vec<_> = (0..caps::MAX_SEEN + 3).map(|n| n.to_string()).collect();
    let all = || keys.iter().map(String::as_str);
    let mut seen = SeenSet::default();
    seen.note_all(all());
    let new = seen.note_all(all().chain(["0"]));
    assert_eq!(new.iter().filter(|new| **new).count(), 3);
    assert!(
        new[..3].iter().all(|new| *new),
        "forgotten, as they were met first"
    );
    assert!(!new[keys.len()], "the second time on one page");
}

#[test]
fn a_key_too_long_to_be_published_drives_none_out() {
    let long = |last: &str| format!("{}{last}", "é".repeat(caps::MAX_SEEN_SIZE_BYTES));
    let keys = [long("1"), "a".to_owned(), long("2"), "b".to_owned()];
    let events = || {
        keys.iter()
            .map(|key| Event::new(topic(), key.as_str(), "", NOW_MS))
    };
    let mut unordered = Unordered::default();
    let mut mark = Watermark::default();
    let (job, mut fresh) = (job(), Vec::new());
    for _ in 0..2 {
        unordered.turn(Page::of(events()), &mut fresh);
        let mut window = mark.window(&job, std::time::Duration::ZERO);
        window.turn(Page::of(events()), &mut fresh);
    }
    let of = |key: &str| fresh.iter().filter(|event| event.source_key == key).count();
    assert_eq!((of("a"), of("b")), (2, 2), "once by each cursor");
    // They are told once, too; by their end alone they are not told apart.
    assert_eq!((of(&keys[0]), of(&keys[2])), (2, 0));
    fits(serde_json::to_value(&unordered).unwrap());
    fits(serde_json::to_value(&mark).unwrap());
}

#[test]
fn the_largest_cursors_fit_into_a_context() {
    // The costliest character there is.
    let key = |n: usize| format!("{}{n}", "é".repeat(120));
    let event = |n: usize| Event::new(topic(), key(n), "", NOW_MS);
    let (mut unordered, mut mark) = (Unordered::default(), Watermark::default());
    let mut newest_first = NewestFirst::<String>::default();
    let mut fresh = Vec::new();
    unordered.turn(Page::of((0..5000).map(event)), &mut fresh);
    let page = Page::of((0..5000).map(event));
    mark.window(&job(), std::time::Duration::ZERO)
        .turn(page, &mut fresh);
    newest_first.turn(Page::new((0..5000).map(|n| (key(n), event(n)))), &mut fresh);
    assert_eq!(fresh.len(), 15_000);
    fits(serde_json::to_value(&unordered).unwrap());
    fits(serde_json::to_value(&mark).unwrap());
    fits(serde_json::to_value(&newest_first).unwrap());
}

proptest! {
    #[test]
    fn a_set_survives_its_context(keys in prop::collection::vec("[a-c]{1,2}", 0..40)) {
        let mut seen = SeenSet::default();
        for key in &keys {
            let new = !seen.contains(key);
            prop_assert_eq!(seen.note(key), new);
        }
        let list: Vec<String> = seen.clone().into();
        let text = serde_json::to_string(&seen).unwrap();
        let read: SeenSet = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(Vec::<String>::from(read), list);
    }
}
