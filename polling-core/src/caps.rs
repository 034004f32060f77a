//! Every limit of a worker, by name. Those that an operator may set are fields of
//! [`WorkerConfig`](crate::WorkerConfig); here are their bounds, and what nobody needs to set.

use std::time::Duration;

/// Most jobs that one worker runs at once.
pub const MAX_CONCURRENCY: usize = 10_000;

/// Longest name of a worker, in bytes.
pub const MAX_NAME_LEN: usize = 64;

/// Shortest timeout that can be set.
pub const MIN_TIMEOUT: Duration = Duration::from_millis(10);

/// Longest life of a delivery, and with it of every step within: what SQS allows a message to stay
/// invisible, 12 hours.
pub const MAX_LIFETIME: Duration = Duration::from_secs(12 * 3600);

/// Longest time to wait for a message in one receive: what SQS allows.
pub const MAX_RECEIVE_WAIT: Duration = Duration::from_secs(20);

/// Longest grace at shutdown.
pub const MAX_SHUTDOWN_GRACE: Duration = Duration::from_secs(3600);

/// Most messages asked for in one receive. Of a queue that gives fewer in one call, such as SQS, the
/// adapter asks for the rest in further ones.
pub const RECEIVE_BATCH: usize = 100;

/// Longest wait of a receive that holds more than one permit, which other queues may need. At a
/// second SQS still asks all of its servers.
pub const GREEDY_RECEIVE_WAIT: Duration = Duration::from_secs(1);

/// Shortest visibility timeout that heartbeats can keep up with.
pub const MIN_VISIBILITY: Duration = Duration::from_secs(1);

/// A message's visibility is renewed that many times within its timeout, and a renewal that failed
/// is repeated that many times sooner.
pub const HEARTBEATS_PER_VISIBILITY: u32 = 3;

/// Longest that a call to a queue may take, a receive's own wait aside: for adapters that have no
/// deadline of their own.
pub const QUEUE_TIMEOUT: Duration = Duration::from_secs(30);

/// A message received for this many times takes turns with its like: what it was polled with
/// before may have died of it.
pub const SUSPECT_RECEIVES: u32 = 2;

/// Longest wait for such a turn; then it is polled beside the others.
pub const SUSPECT_WAIT: Duration = Duration::from_secs(3);

/// How long a message that waits for its turn stays invisible, should the process die: at most
/// this, and half the queue's timeout.
pub const SUSPECT_LEASH: Duration = Duration::from_secs(3);

/// First and longest pause after a failed receive.
pub const RECEIVE_BACKOFF: (Duration, Duration) =
    (Duration::from_millis(200), Duration::from_secs(30));

/// After the bus was away, jobs run one at a time until events of one are delivered, or until so
/// many have ended without any: then hardly one in as many has events that the bus could refuse.
pub const BUS_TRIALS: u32 = 50;

/// First and longest pause after a completion whose fate is unknown.
pub const COMPLETE_BACKOFF: (Duration, Duration) =
    (Duration::from_millis(100), Duration::from_secs(5));

/// Most attempts to store one completion.
pub const COMPLETE_ATTEMPTS: u32 = 8;

/// Deadline of giving one message back.
pub const RELEASE_TIMEOUT: Duration = Duration::from_secs(5);

/// Deadline of flushing the bus at shutdown.
pub const FLUSH_TIMEOUT: Duration = Duration::from_secs(10);

/// Deadline of each single check of [`Worker::check`](crate::Worker::check).
pub const CHECK_TIMEOUT: Duration = Duration::from_secs(10);

/// Most events handed to the bus at once; a poll that brought more is published in chunks.
pub const PUBLISH_CHUNK: usize = 500;

/// Highest rate of publishing, events per second, and largest burst.
pub const MAX_PUBLISH_RATE: u32 = 10_000_000;

/// Shortest wait for the bus that is reported as throttling.
pub const MIN_REPORTED_WAIT: Duration = Duration::from_millis(1);

/// Most rate-limit scopes that a worker keeps in mind, per rule.
pub const MAX_SCOPES: usize = 10_000;

/// Slowest pace that a worker can be tuned to, calls per second: one in some eleven days.
pub const MIN_PACE_PER_S: f64 = 0.000_001;

/// Fastest.
pub const MAX_PACE_PER_S: f64 = 1_000_000.0;

/// Most workers that share a pace.
pub const MAX_REPLICAS: u32 = 10_000;

/// Longest token of a page that a cursor keeps, in bytes.
pub const MAX_PAGE_TOKEN_LEN: usize = 4096;

/// Most items that a cursor over opaque ids keeps to find its place again.
pub const MAX_MARKS: usize = 256;

/// Most bytes that they take in a context.
pub const MAX_MARKS_SIZE_BYTES: usize = 16 * 1024;

/// Most keys of a set of what was seen.
pub const MAX_SEEN: usize = 2000;

/// Most bytes that they take in a context, which has room for 240 KiB.
pub const MAX_SEEN_SIZE_BYTES: usize = 96 * 1024;
