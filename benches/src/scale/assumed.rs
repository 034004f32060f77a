//! Quotas of others, and what nobody has measured here: each has its source, or is called assumed.

/// Messages in flight that a standard queue of SQS allows: about so many, more on request (Amazon
/// SQS Developer Guide, "standard queue quotas").
pub(super) const SQS_IN_FLIGHT: f64 = 120_000.0;

/// Calls for a full batch of jobs: send, receive and delete, for two queues.
pub(super) const SQS_CALLS: f64 = 6.0;

/// Chunks that a scheduler sends at the same time, as in `scheduler-lib`'s `limits`.
pub(super) const SENDING_CHUNKS: f64 = 8.0;

/// After so long a chunk is sent again of which nobody knows that it was sent: `note_deadline`.
pub(super) const NOTE_DEADLINE_S: f64 = 30.0;

/// Time between two looks of a scheduler at the slots: `tick`.
pub(super) const TICK_S: f64 = 0.2;

/// A scheduler is a process of so many cores, as it was measured on.
pub(super) const SCHEDULER_CORES: f64 = 2.0;

/// The part of the cycle's CPU time that is the scheduler's. Assumed: each side makes three of the
/// six calls of a job, and they were measured in one process.
pub(super) const SCHEDULER_SHARE: f64 = 0.5;

/// The largest number of polls at once in one worker.
pub(super) const WORKER_PERMITS: f64 = polling_core::caps::MAX_CONCURRENCY as f64;

/// Memory of a Redis node, GiB: that of a `cache.r7g.large`.
pub(super) const NODE_GIB: f64 = 13.07;

/// The part of it that is for data: the rest is for buffers, fragmentation and copies while a
/// snapshot is written. ElastiCache reserves as much unless told otherwise.
pub(super) const NODE_DATA: f64 = 0.75;

/// Bytes a second of one partition of Kafka, in MB. Assumed: the usual rule of thumb.
pub(super) const PARTITION_MB_PER_S: f64 = 10.0;

/// What a broker of two cores takes in, replicas included, in MB a second. Assumed.
pub(super) const BROKER_MB_PER_S: f64 = 60.0;

/// Copies that Kafka keeps.
pub(super) const KAFKA_COPIES: f64 = 3.0;

/// Fewest brokers: one in each zone.
pub(super) const FEWEST_BROKERS: f64 = 3.0;

/// Fewest shards of a channel: even on 1, 2, 3, 4, 6 and 12 masters.
pub(super) const FEWEST_SHARDS: u64 = 12;
