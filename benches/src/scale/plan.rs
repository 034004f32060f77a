//! What a rate needs.

use scheduler_lib::store::{MAX_CHUNK, MAX_SHARDS};
use serde::Serialize;

use super::{
    Demand, Measured, Transport,
    assumed::{
        BROKER_MB_PER_S, FEWEST_BROKERS, FEWEST_SHARDS, KAFKA_COPIES, NODE_DATA, NODE_GIB,
        PARTITION_MB_PER_S, SCHEDULER_CORES, SENDING_CHUNKS, SQS_IN_FLIGHT, WORKER_PERMITS,
    },
};

const GIB: f64 = 1_073_741_824.0;

/// How much of everything a rate needs; whole machines are whole numbers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// Polls a second.
    pub jobs_per_s: f64,
    /// Jobs that are registered.
    pub jobs: f64,
    /// Channels that the jobs are spread over.
    pub channels: f64,
    /// Job types, and so work queues, in all channels.
    pub work_queues: f64,
    /// Redis masters that hold slots.
    pub masters: f64,
    /// Shards in all channels.
    pub shards: f64,
    /// The part of a master's one thread that is used.
    pub master_use: f64,
    /// Memory of all masters that jobs take.
    pub redis_gib: f64,
    /// Redis masters that hold queues, beside the others: with SQS none.
    pub queue_masters: f64,
    /// Processes of two cores, without the spare ones.
    pub schedulers: f64,
    /// Processes more, since one may fail.
    pub spare_schedulers: f64,
    /// The part of the schedulers' cores that is used, the spare ones idle.
    pub scheduler_use: f64,
    /// `limits.settlers` of each.
    pub settlers: f64,
    /// `limits.dispatch_per_s` of each.
    pub dispatch_per_s: f64,
    /// Cores of all workers.
    pub worker_cores: f64,
    /// Polls at once, in all workers.
    pub permits: f64,
    /// Processes, at no more permits than one may have.
    pub workers: f64,
    /// Requests to SQS a second.
    pub sqs_per_s: f64,
    /// Messages in flight in all work queues.
    pub in_flight: f64,
    /// Messages in flight in all completed queues.
    pub completed_in_flight: f64,
    /// Events to Kafka, MB a second, each counted once.
    pub kafka_mb_per_s: f64,
    /// Partitions of the events' topics.
    pub partitions: f64,
    /// Kafka's brokers.
    pub brokers: f64,
}

impl Plan {
    /// Of `jobs_per_s` polls a second.
    #[must_use]
    pub fn of(jobs_per_s: f64, demand: &Demand, measured: &Measured) -> Self {
        let used = demand.use_at_most();
        let whole = |need: f64| need.ceil().max(1.0);
        let jobs = jobs_per_s * demand.interval_s;
        let redis_gib = jobs * (measured.job_bytes + demand.context_bytes) / GIB;
        let store_cores = jobs_per_s * measured.store_us() / 1e6;
        let masters = whole((store_cores / used).max(redis_gib / (NODE_GIB * NODE_DATA)));
        let queue_cores = match demand.transport {
            Transport::Sqs => 0.0,
            Transport::Redis => jobs_per_s * measured.queue_us / 1e6,
        };
        let queue_masters = (queue_cores / used).ceil();
        let in_flight = jobs_per_s * (demand.poll_ms / 1e3 + demand.queue_call_s());
        let completed_in_flight = jobs_per_s * settle_s(demand, measured);
        let of_quota = |messages: f64| match demand.transport {
            Transport::Sqs => whole(messages / (SQS_IN_FLIGHT * used)),
            Transport::Redis => 1.0,
        };
        let channels = of_quota(completed_in_flight)
            .max(whole(masters / MAX_SHARDS as f64))
            .max(queue_masters);
        let of_each = jobs_per_s * measured.scheduler_us(demand.transport) / 1e6 / SCHEDULER_CORES;
        let schedulers =
            whole((of_each / used).max(jobs_per_s / chunks_per_s(demand, measured) / used));
        let worker_cores = jobs_per_s * measured.worker_us(demand.transport) / 1e6 / used;
        let permits = whole(jobs_per_s * demand.poll_ms / 1e3 / used);
        let each_per_s = jobs_per_s / schedulers;
        let kafka_mb_per_s = jobs_per_s * demand.events * demand.event_bytes / 1e6;
        Self {
            jobs_per_s,
            jobs,
            channels,
            work_queues: of_quota(in_flight).max(channels),
            masters,
            shards: shards(masters, channels),
            master_use: store_cores / masters,
            redis_gib,
            queue_masters,
            schedulers,
            spare_schedulers: 1.0,
            scheduler_use: of_each / schedulers,
            settlers: whole(each_per_s * settle_s(demand, measured) / MAX_CHUNK as f64 / used),
            dispatch_per_s: whole(each_per_s / used),
            worker_cores: whole(worker_cores),
            permits,
            workers: whole((permits / WORKER_PERMITS).max(worker_cores / SCHEDULER_CORES)),
            sqs_per_s: match demand.transport {
                Transport::Sqs => jobs_per_s * measured.sqs_requests,
                Transport::Redis => 0.0,
            },
            in_flight,
            completed_in_flight,
            kafka_mb_per_s,
            partitions: whole(kafka_mb_per_s / PARTITION_MB_PER_S / used),
            brokers: (kafka_mb_per_s * KAFKA_COPIES / BROKER_MB_PER_S / used)
                .ceil()
                .max(FEWEST_BROKERS),
        }
    }
}

/// Jobs a second that one scheduler can drain and send: it drains chunk by chunk, and sends some at
/// the same time.
pub(super) fn chunks_per_s(demand: &Demand, measured: &Measured) -> f64 {
    let chunk = MAX_CHUNK as f64;
    let drain_s = demand.round_trip_ms / 1e3 + chunk * measured.drain_us / 1e6;
    (chunk / drain_s).min(SENDING_CHUNKS * chunk / demand.queue_call_s())
}

/// A settler's time for a batch: received, loaded, settled, acknowledged.
pub(super) fn settle_s(demand: &Demand, measured: &Measured) -> f64 {
    let scripts_s = MAX_CHUNK as f64 * (measured.load_us + measured.settle_us) / 1e6;
    2.0 * demand.queue_call_s() + 2.0 * demand.round_trip_ms / 1e3 + scripts_s
}

/// The same number on each master, and in each channel no fewer than leave room to grow.
fn shards(masters: f64, channels: f64) -> f64 {
    let fewest = FEWEST_SHARDS as f64 * channels;
    masters * (fewest / masters).ceil().max(1.0)
}
