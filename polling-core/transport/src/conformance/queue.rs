//! What every [`Queue`] promises, as tests.
//!
//! Each case is an async function over a [`QueueUnderTest`] made for it. Time passes by Tokio's
//! timers: a queue in memory runs under paused time with a [`TokioClock`](crate::TokioClock), a
//! server in real time with a visibility timeout of a second or two. The macro
//! [`queue_conformance!`](crate::queue_conformance) makes a test of each:
//!
//! ```
//! use std::{sync::Arc, time::Duration};
//! use polling_transport::{TokioClock, conformance::queue::QueueUnderTest, memory::MemoryQueue};
//!
//! async fn fresh() -> QueueUnderTest {
//!     let clock = Arc::new(TokioClock::starting_at(0));
//!     let dead_letters = MemoryQueue::builder("dead", clock.clone()).build();
//!     let queue = MemoryQueue::builder("jobs", clock)
//!         .visibility_timeout(Duration::from_secs(2))
//!         .dead_letter(dead_letters.clone(), 3)
//!         .build();
//!     QueueUnderTest { queue, dead_letters, max_receives: 3 }
//! }
//!
//! polling_transport::queue_conformance! {
//!     #[tokio::test(start_paused = true)]
//!     fresh
//! }
//! # fn main() {}
//! ```

pub mod concurrent;
pub mod receiving;
pub mod sending;
pub mod tracing;
pub mod visibility;

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::{Message, Queue, QueueStats, SharedQueue};

/// A queue made for one case, empty, and used by nobody else.
#[derive(Debug)]
pub struct QueueUnderTest {
    /// The queue, with a visibility timeout of 1 to 5 s.
    pub queue: SharedQueue,
    /// Its dead-letter queue, empty too.
    pub dead_letters: SharedQueue,
    /// How often a message is received before it goes there; at least 3.
    pub max_receives: u32,
}

/// A wait for what should be there already.
const SHORT: Duration = Duration::from_secs(1);

/// A wait that nothing here should need to the end.
const LONG: Duration = Duration::from_secs(10);

/// What a server may be late by.
const SLACK: Duration = Duration::from_millis(300);

impl QueueUnderTest {
    /// Sends one message and expects it to be taken.
    pub(crate) async fn send_one(&self, body: &str) {
        let results = self.queue.send(vec![body.to_owned()]).await;
        assert_eq!(results, [Ok(())], "one entry, one result, and it was sent");
    }

    /// Sends `0..count` as text, each expected to be taken.
    pub(crate) async fn send_numbers(&self, count: usize) {
        let results = self.queue.send(numbers(count)).await;
        assert_eq!(results, vec![Ok(()); count]);
    }

    /// The one message that is there.
    pub(crate) async fn receive_one(&self) -> Message {
        let messages = self.receive(10, LONG).await;
        let [message] = &messages[..] else {
            panic!("expected one message, got {}", messages.len());
        };
        message.clone()
    }

    /// Expects that there is nothing to receive.
    pub(crate) async fn expect_nothing(&self) {
        let messages = self.receive(10, Duration::ZERO).await;
        assert!(messages.is_empty(), "nothing may be visible: {messages:?}");
    }

    pub(crate) async fn receive(&self, max: usize, wait: Duration) -> Vec<Message> {
        let received = self.queue.receive(max, wait).await;
        received.expect("the queue answers")
    }

    /// Passes the visibility timeout `times` over, and a little more.
    pub(crate) async fn pass_visibility_timeout(&self, times: u32) {
        sleep(self.queue.visibility_timeout() * times + SLACK).await;
    }
}

/// `0..count` as text.
fn numbers(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("{n:04}")).collect()
}

/// Receives and acknowledges until `count` messages came, and returns their bodies, sorted.
async fn drain(queue: &dyn Queue, count: usize) -> Vec<String> {
    let deadline = Instant::now() + LONG;
    let mut bodies = Vec::with_capacity(count);
    while bodies.len() < count && Instant::now() < deadline {
        let messages = queue.receive(10, SHORT).await.expect("the queue answers");
        for message in messages {
            queue.ack(&message.receipt).await.expect("acknowledged");
            bodies.push(message.body);
        }
    }
    bodies.sort_unstable();
    bodies
}

/// Waits until the queue's statistics are as `expected`; servers may take a moment.
async fn expect_stats(queue: &dyn Queue, expected: impl Fn(&QueueStats) -> bool) {
    let deadline = Instant::now() + LONG;
    loop {
        let stats = queue.stats().await.expect("the queue answers");
        if expected(&stats) {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "unexpected statistics: {stats:?}"
        );
        sleep(Duration::from_millis(100)).await;
    }
}

/// Makes a test of each case of [`conformance::queue`](crate::conformance::queue), with the given
/// attributes, over what the named async function returns.
#[macro_export]
macro_rules! queue_conformance {
    ($(#[$attribute:meta])* $fresh:path) => {
        $crate::queue_conformance! { @cases [$(#[$attribute])*] $fresh;
            sending: {
                a_sent_message_is_received,
                a_body_arrives_as_it_was_sent,
                results_follow_the_order_of_the_entries,
                a_send_of_many_arrives_whole,
                the_largest_messages_are_taken_several_in_one_send,
                a_send_of_nothing_does_nothing,
            }
            receiving: {
                a_receive_returns_no_more_than_asked_for,
                an_empty_queue_answers_after_the_wait,
                a_long_poll_wakes_on_a_send,
                a_long_poll_sees_a_message_come_back,
                a_cancelled_receive_loses_nothing,
                statistics_tell_visible_from_in_flight,
            }
            visibility: {
                a_received_message_is_invisible_until_its_timeout,
                an_acknowledged_message_is_gone,
                a_late_acknowledgement_is_no_error,
                an_extension_keeps_a_message_invisible,
                an_extension_of_an_acknowledged_message_brings_nothing_back,
                a_released_message_is_visible_at_once,
                a_message_nobody_acknowledges_becomes_a_dead_letter,
            }
            tracing: {
                a_trace_is_received_with_its_message_each_time,
                a_trace_follows_its_message_to_the_dead_letters,
                messages_with_and_without_a_trace_share_a_send,
                no_message_is_refused_for_its_trace,
            }
            concurrent: {
                receivers_share_no_message,
                concurrent_sends_all_succeed,
                concurrent_acknowledgements_all_succeed,
                acknowledgements_in_one_call_have_an_answer_each,
                concurrent_extensions_all_succeed,
            }
        }
    };
    (@cases $attributes:tt $fresh:path; $($module:ident: $cases:tt)*) => {
        $( $crate::queue_conformance! { @module $attributes $fresh; $module $cases } )*
    };
    (@module $attributes:tt $fresh:path; $module:ident { $($case:ident,)* }) => {
        $( $crate::queue_conformance! { @test $attributes $fresh; $module $case } )*
    };
    (@test [$(#[$attribute:meta])*] $fresh:path; $module:ident $case:ident) => {
        $(#[$attribute])*
        async fn $case() {
            let fixture = $fresh().await;
            $crate::conformance::queue::$module::$case(&fixture).await;
        }
    };
}
