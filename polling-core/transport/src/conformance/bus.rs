//! What every [`EventBus`](crate::EventBus) promises, as tests.
//!
//! Each case is an async function over a [`BusUnderTest`] made for it. The macro
//! [`bus_conformance!`](crate::bus_conformance) makes a test of each:
//!
//! ```
//! use std::sync::Arc;
//! use polling_model::Topic;
//! use polling_transport::{
//!     conformance::bus::{BUFFER, BusReader, BusUnderTest},
//!     memory::MemoryBus,
//! };
//!
//! async fn fresh() -> BusUnderTest {
//!     let topic: Topic = "posts".parse().unwrap();
//!     let bus = MemoryBus::builder().capacity(BUFFER).topics([topic.clone()]).build();
//!     BusUnderTest {
//!         bus: Arc::new(bus.clone()),
//!         reader: Box::new(bus),
//!         topic,
//!         missing_topic: Some("missing".parse().unwrap()),
//!     }
//! }
//!
//! polling_transport::bus_conformance! {
//!     #[tokio::test]
//!     fresh
//! }
//! # fn main() {}
//! ```

mod cases;

use std::{collections::BTreeMap, fmt, ops::Range, time::Duration};

use async_trait::async_trait;
use polling_model::{Context, Event, EventEnvelope, Job, Token, Topic, event_headers};
use tokio::time::timeout;

pub use self::cases::*;
use crate::{BusError, Deliveries, SharedBus, memory::MemoryBus};

/// How many events the bus under test holds, for those cases that fill it.
pub const BUFFER: usize = 100;

/// A wait that nothing here should need to the end.
const LONG: Duration = Duration::from_secs(60);

/// A bus made for one case.
#[derive(Debug)]
pub struct BusUnderTest {
    /// The bus, holding at most [`BUFFER`] events.
    pub bus: SharedBus,
    /// Reads what was published to it.
    pub reader: Box<dyn BusReader>,
    /// A topic that exists, empty, and used by nobody else.
    pub topic: Topic,
    /// A topic that does not exist, where that is possible: there are servers that create a topic
    /// whenever it is named.
    pub missing_topic: Option<Topic>,
}

/// Reads a topic from its first event.
#[async_trait]
pub trait BusReader: Send + Sync + fmt::Debug {
    /// Waits until there are `count` events at least, then returns all there are. Those of one key
    /// are in their order. Called once for each topic.
    async fn read(&self, topic: &Topic, count: usize) -> Vec<Record>;
}

/// An event as consumers see it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Record {
    /// The key.
    pub key: String,
    /// The payload.
    pub payload: Vec<u8>,
    /// All headers.
    pub headers: BTreeMap<String, String>,
}

impl From<EventEnvelope> for Record {
    fn from(event: EventEnvelope) -> Self {
        Self {
            key: event.key.to_string(),
            payload: event.payload.into(),
            headers: event.headers,
        }
    }
}

#[async_trait]
impl BusReader for MemoryBus {
    async fn read(&self, topic: &Topic, count: usize) -> Vec<Record> {
        let mut events = self.take(topic);
        while events.len() < count {
            events.extend(self.receive(topic, usize::MAX).await);
        }
        events.into_iter().map(Record::from).collect()
    }
}

impl BusUnderTest {
    fn events(&self, numbers: Range<usize>) -> Vec<EventEnvelope> {
        events(&self.topic, numbers)
    }

    async fn publish(&self, events: Vec<EventEnvelope>) -> Deliveries {
        within(self.bus.publish(events)).await
    }

    async fn read(&self, count: usize) -> Vec<Record> {
        within(self.reader.read(&self.topic, count)).await
    }
}

/// The event with this number, of this account.
fn event(topic: &Topic, account: &str, number: usize) -> EventEnvelope {
    let job: Job = Job {
        id: format!("posts:{account}").parse().expect("a job id"),
        channel: "conformance".parse().expect("a channel"),
        job_type: "posts".parse().expect("a job type"),
        account: account.parse().expect("an account"),
        level: "gold".parse().expect("a level"),
        token: Token::from_wire("00000000000000a1.1.00000000000000b2").expect("a token"),
        due_ms: 0,
        not_after_ms: 1,
        context: Context::new(),
    };
    let payload = format!("payload {number:06}");
    let mut event = Event::new(topic.clone(), number.to_string(), payload, 7);
    event.headers = BTreeMap::from([
        ("trace".to_owned(), format!("00-{number}")),
        ("title".to_owned(), "Grüße, 世界 🌍".to_owned()),
        ("empty".to_owned(), String::new()),
    ]);
    event.seal(&job).expect("a small event")
}

/// Events with these numbers, spread over five accounts, for tests of your own.
#[must_use]
pub fn events(topic: &Topic, numbers: Range<usize>) -> Vec<EventEnvelope> {
    numbers
        .map(|number| event(topic, &format!("account-{}", number % 5), number))
        .collect()
}

/// Expects that every event was delivered.
fn expect_delivered(reports: &[Result<(), BusError>]) {
    for (index, report) in reports.iter().enumerate() {
        assert!(report.is_ok(), "event {index}: {report:?}");
    }
}

/// What each event's id is in the headers, by key, in the order read.
fn ids_by_key(records: &[Record]) -> BTreeMap<&str, Vec<&str>> {
    let mut ids: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for record in records {
        let id = &record.headers[event_headers::ID];
        ids.entry(&record.key).or_default().push(id);
    }
    ids
}

fn records(events: &[EventEnvelope]) -> Vec<Record> {
    events.iter().cloned().map(Record::from).collect()
}

async fn within<T>(future: impl Future<Output = T>) -> T {
    timeout(LONG, future)
        .await
        .expect("it takes no longer than a minute")
}

/// Makes a test of each case of [`conformance::bus`](crate::conformance::bus), with the given
/// attributes, over what the named async function returns.
#[macro_export]
macro_rules! bus_conformance {
    ($(#[$attribute:meta])* $fresh:path) => {
        $crate::bus_conformance! { @cases [$(#[$attribute])*] $fresh;
            events_are_read_back_as_they_were_published
            a_trace_arrives_with_its_event
            events_of_one_key_keep_their_order
            more_events_than_the_buffer_holds_all_arrive
            concurrent_publishers_share_the_buffer
            an_event_that_is_too_large_fails_alone
            reports_follow_the_order_of_the_batch
            a_flush_waits_for_all_that_was_taken
            deliveries_that_nobody_awaits_happen
            a_publish_that_is_given_up_keeps_what_was_taken
            an_empty_batch_has_no_reports
            a_topic_that_exists_passes_the_check
            a_missing_topic_is_named
        }
    };
    (@cases $attributes:tt $fresh:path; $($case:ident)*) => {
        $( $crate::bus_conformance! { @test $attributes $fresh; $case } )*
    };
    (@test [$(#[$attribute:meta])*] $fresh:path; $case:ident) => {
        $(#[$attribute])*
        async fn $case() {
            let fixture = $fresh().await;
            $crate::conformance::bus::$case(&fixture).await;
        }
    };
}
