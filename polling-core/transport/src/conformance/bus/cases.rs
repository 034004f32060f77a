//! The promises, one function each.

use std::{collections::BTreeSet, time::Duration};

use futures_util::{FutureExt, future::join_all};
use polling_model::{caps, event_headers};
use tokio::time::timeout;

use super::{BUFFER, BusUnderTest, LONG, event, expect_delivered, ids_by_key, records, within};
use crate::bus::BusErrorKind;

/// Key, payload and headers arrive unchanged, an empty payload too, and nothing else does.
pub async fn events_are_read_back_as_they_were_published(fixture: &BusUnderTest) {
    let mut events = fixture.events(0..20);
    events[3].payload = Vec::new().into();
    events[4].payload = (0..=255).collect::<Vec<u8>>().into();
    let mut expected = records(&events);
    let reports = within(fixture.publish(events).await).await;
    assert_eq!(reports.len(), 20);
    expect_delivered(&reports);
    let mut read = fixture.read(20).await;
    read.sort();
    expected.sort();
    assert_eq!(read, expected);
}

/// The trace of an event, as its header.
pub async fn a_trace_arrives_with_its_event(fixture: &BusUnderTest) {
    let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03";
    let mut events = fixture.events(0..1);
    let headers = &mut events[0].headers;
    headers.insert(event_headers::TRACEPARENT.to_owned(), text.to_owned());
    expect_delivered(&within(fixture.publish(events).await).await);
    let read = fixture.read(1).await;
    assert_eq!(read[0].headers[event_headers::TRACEPARENT], text);
}

/// Within a batch, and from one batch to the next even when its deliveries are not awaited.
pub async fn events_of_one_key_keep_their_order(fixture: &BusUnderTest) {
    let events = fixture.events(0..500);
    let publish = async {
        let mut deliveries = Vec::new();
        for batch in events.chunks(7) {
            deliveries.push(fixture.publish(batch.to_vec()).await);
        }
        within(join_all(deliveries)).await
    };
    let (reports, read) = tokio::join!(publish, fixture.read(500));
    expect_delivered(&reports.concat());
    assert_eq!(ids_by_key(&read), ids_by_key(&records(&events)));
}

/// While its buffer is full, publishing waits: no error, none lost, none twice.
pub async fn more_events_than_the_buffer_holds_all_arrive(fixture: &BusUnderTest) {
    let count = 50 * BUFFER;
    let events = fixture.events(0..count);
    let publish = async { within(fixture.publish(events.clone()).await).await };
    let (reports, read) = tokio::join!(publish, fixture.read(count));
    assert_eq!(reports.len(), count);
    expect_delivered(&reports);
    assert_eq!(ids_by_key(&read), ids_by_key(&records(&events)));
}

/// None starves, and each keeps its own order.
pub async fn concurrent_publishers_share_the_buffer(fixture: &BusUnderTest) {
    let (publishers, each) = (8, 3 * BUFFER);
    let batch = |publisher: usize| -> Vec<_> {
        let account = format!("publisher-{publisher}");
        (0..each)
            .map(|n| event(&fixture.topic, &account, n))
            .collect()
    };
    let publish = join_all((0..publishers).map(async |publisher| {
        let deliveries = fixture.publish(batch(publisher)).await;
        expect_delivered(&within(deliveries).await);
    }));
    let (_, read) = tokio::join!(publish, fixture.read(publishers * each));
    let expected: Vec<_> = (0..publishers).flat_map(batch).collect();
    assert_eq!(ids_by_key(&read), ids_by_key(&records(&expected)));
}

/// It is reported as a permanent failure, the others of its batch are delivered.
pub async fn an_event_that_is_too_large_fails_alone(fixture: &BusUnderTest) {
    let mut events = fixture.events(0..3);
    events[1].payload = vec![b'x'; 2 * caps::MAX_EVENT_SIZE_BYTES].into();
    let reports = within(fixture.publish(events.clone()).await).await;
    let error = reports[1].as_ref().expect_err("it is too large");
    assert_eq!(error.kind, BusErrorKind::TooLarge);
    assert!(error.kind.is_permanent());
    assert_eq!(error.topic, fixture.topic);
    expect_delivered(&[reports[0].clone(), reports[2].clone()]);
    events.remove(1);
    assert_eq!(
        ids_by_key(&fixture.read(2).await),
        ids_by_key(&records(&events))
    );
}

/// Each report is that of the event at its place.
pub async fn reports_follow_the_order_of_the_batch(fixture: &BusUnderTest) {
    let mut events = fixture.events(0..10);
    for index in [0, 4, 9] {
        events[index].payload = vec![b'x'; 2 * caps::MAX_EVENT_SIZE_BYTES].into();
    }
    let reports = within(fixture.publish(events).await).await;
    let failed: Vec<usize> = (0..10).filter(|index| reports[*index].is_err()).collect();
    assert_eq!(failed, [0, 4, 9]);
}

/// After it, every report is there.
pub async fn a_flush_waits_for_all_that_was_taken(fixture: &BusUnderTest) {
    let deliveries = fixture.publish(fixture.events(0..BUFFER)).await;
    let flushed = fixture.bus.flush(LONG).await;
    assert!(flushed.is_ok(), "{flushed:?}");
    let reports = deliveries.now_or_never().expect("all reports are there");
    assert_eq!(reports.len(), BUFFER);
    expect_delivered(&reports);
    let idle = fixture.bus.flush(Duration::ZERO).await;
    assert!(idle.is_ok(), "nothing is left to wait for: {idle:?}");
}

/// Dropping the future of the reports cancels nothing.
pub async fn deliveries_that_nobody_awaits_happen(fixture: &BusUnderTest) {
    let events = fixture.events(0..50);
    drop(fixture.publish(events.clone()).await);
    let read = fixture.read(50).await;
    assert_eq!(ids_by_key(&read), ids_by_key(&records(&events)));
}

/// Dropped while it waits for room, a publish has handed over the first events of its batch, none
/// twice and none out of order; and the bus goes on.
pub async fn a_publish_that_is_given_up_keeps_what_was_taken(fixture: &BusUnderTest) {
    let many = fixture.events(0..100 * BUFFER);
    let given_up = timeout(Duration::from_millis(1), fixture.bus.publish(many.clone())).await;
    drop(given_up);
    let last = event(&fixture.topic, "last", 1_000_000);
    let publish = async {
        let deliveries = fixture.publish(vec![last.clone()]).await;
        expect_delivered(&within(deliveries).await);
        let flushed = fixture.bus.flush(LONG).await;
        assert!(flushed.is_ok(), "{flushed:?}");
    };
    let (_, read) = tokio::join!(publish, fixture.read(1));
    let ids = |records: &[super::Record]| -> BTreeSet<String> {
        let id = |record: &super::Record| record.headers[event_headers::ID].clone();
        records.iter().map(id).collect()
    };
    assert_eq!(ids(&read).len(), read.len(), "none is there twice");
    let mut published = many;
    published.push(last);
    assert!(ids(&read).is_subset(&ids(&records(&published))));
    let expected = records(&published);
    let expected = ids_by_key(&expected);
    for (key, ids) in ids_by_key(&read) {
        assert!(
            expected[key].starts_with(&ids),
            "{key} lacks no earlier event"
        );
    }
}

/// Publishing nothing is no error.
pub async fn an_empty_batch_has_no_reports(fixture: &BusUnderTest) {
    let reports = within(fixture.publish(Vec::new()).await).await;
    assert!(reports.is_empty());
}

/// For readiness.
pub async fn a_topic_that_exists_passes_the_check(fixture: &BusUnderTest) {
    let checked = within(fixture.bus.check_topic(&fixture.topic)).await;
    assert!(checked.is_ok(), "{checked:?}");
}

/// By the check, and by the report of an event published to it.
pub async fn a_missing_topic_is_named(fixture: &BusUnderTest) {
    let Some(missing) = &fixture.missing_topic else {
        return;
    };
    let error = within(fixture.bus.check_topic(missing)).await;
    let error = error.expect_err("the topic is missing");
    assert_eq!(error.kind, BusErrorKind::NoSuchTopic);
    assert_eq!(&error.topic, missing);

    let mut events = fixture.events(0..2);
    events[1].topic = missing.clone();
    let reports = within(fixture.publish(events).await).await;
    assert!(reports[0].is_ok(), "{reports:?}");
    let error = reports[1].as_ref().expect_err("the topic is missing");
    assert_eq!(error.kind, BusErrorKind::NoSuchTopic);
    assert!(error.to_string().contains(missing.as_str()), "{error}");
}
