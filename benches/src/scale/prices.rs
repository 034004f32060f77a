//! What it costs.

use clap::Args;
use serde::Serialize;

use super::{
    Demand, Measured, Plan, Transport,
    assumed::{BROKER_MB_PER_S, KAFKA_COPIES, NODE_DATA, NODE_GIB, SQS_CALLS},
};

/// Seconds of a month of 730 hours.
const MONTH_S: f64 = 730.0 * 3_600.0;

/// List prices in US dollars, US East (N. Virginia), on demand, without free tiers. Those of SQS
/// and Fargate are of March 2026; the others are assumed: put your own.
#[derive(Debug, Clone, Args)]
pub struct Prices {
    /// A million requests to a standard queue of SQS, the first 100 billion of a month.
    #[arg(long, default_value_t = 0.40)]
    pub sqs_per_million: f64,
    /// The next 100 billion.
    #[arg(long, default_value_t = 0.30)]
    pub sqs_per_million_from_100_billion: f64,
    /// All beyond.
    #[arg(long, default_value_t = 0.24)]
    pub sqs_per_million_from_200_billion: f64,
    /// A Redis node of 2 cores and 13.07 GiB, an hour: `cache.r7g.large`, assumed.
    #[arg(long, default_value_t = 0.219)]
    pub redis_node_per_h: f64,
    /// Nodes for each master, itself included.
    #[arg(long, default_value_t = 2.0)]
    pub redis_copies: f64,
    /// A core with 2 GB of memory, an hour: Fargate, 0.04048 + 2 × 0.004445.
    #[arg(long, default_value_t = 0.049_37)]
    pub core_per_h: f64,
    /// A broker of Kafka with 2 cores, an hour: `kafka.m7g.large`, assumed. Without its storage.
    #[arg(long, default_value_t = 0.204)]
    pub broker_per_h: f64,
}

/// Dollars a month.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bill {
    /// Requests to SQS.
    pub sqs: f64,
    /// Redis nodes for slots.
    pub redis: f64,
    /// Redis nodes for queues.
    pub queues: f64,
    /// Cores of schedulers.
    pub schedulers: f64,
    /// Cores of workers.
    pub workers: f64,
    /// Kafka's brokers.
    pub kafka: f64,
}

impl Bill {
    /// Of a plan, in whole machines.
    #[must_use]
    pub fn of(plan: &Plan, prices: &Prices) -> Self {
        let scheduler_cores =
            (plan.schedulers + plan.spare_schedulers) * super::assumed::SCHEDULER_CORES;
        Self {
            sqs: prices.sqs(plan.sqs_per_s * MONTH_S),
            redis: plan.masters * prices.redis_master(),
            queues: plan.queue_masters * prices.redis_master(),
            schedulers: scheduler_cores * prices.core(),
            workers: plan.worker_cores * prices.core(),
            kafka: plan.brokers * prices.broker(),
        }
    }

    /// All together.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.sqs + self.redis + self.queues + self.schedulers + self.workers + self.kafka
    }
}

impl Prices {
    /// So many requests in a month.
    #[must_use]
    pub fn sqs(&self, requests: f64) -> f64 {
        let step = 1e11;
        let first = requests.min(step);
        let second = (requests - first).clamp(0.0, step);
        let rest = requests - first - second;
        let dollars = first * self.sqs_per_million
            + second * self.sqs_per_million_from_100_billion
            + rest * self.sqs_per_million_from_200_billion;
        dollars / 1e6
    }

    /// A master and its replicas for a month.
    #[must_use]
    pub fn redis_master(&self) -> f64 {
        self.redis_node_per_h * self.redis_copies * MONTH_S / 3_600.0
    }

    fn core(&self) -> f64 {
        self.core_per_h * MONTH_S / 3_600.0
    }

    fn broker(&self) -> f64 {
        self.broker_per_h * MONTH_S / 3_600.0
    }
}

/// A million registered jobs, each part only as far as it is used: what a larger system pays for
/// each million more. `batch` jobs go in one call of SQS.
#[must_use]
pub fn bill_of_a_million(
    demand: &Demand,
    batch: f64,
    measured: &Measured,
    prices: &Prices,
) -> Bill {
    let jobs = 1e6;
    let jobs_per_s = jobs / demand.interval_s;
    let used = demand.use_at_most();
    let cores = |us: f64| jobs_per_s * us / 1e6 / used;
    let gib = jobs * (measured.job_bytes + demand.context_bytes) / 1_073_741_824.0;
    let memory = gib / (NODE_GIB * NODE_DATA);
    let (sqs, queues) = match demand.transport {
        Transport::Sqs => (jobs_per_s * SQS_CALLS / batch, 0.0),
        Transport::Redis => (0.0, cores(measured.queue_us)),
    };
    let kafka_mb_per_s = jobs_per_s * demand.events * demand.event_bytes / 1e6;
    Bill {
        sqs: prices.sqs(sqs * MONTH_S),
        redis: memory.max(cores(measured.store_us())) * prices.redis_master(),
        queues: queues * prices.redis_master(),
        schedulers: cores(measured.scheduler_us(demand.transport)) * prices.core(),
        workers: cores(measured.worker_us(demand.transport)) * prices.core(),
        kafka: kafka_mb_per_s * KAFKA_COPIES / BROKER_MB_PER_S / used * prices.broker(),
    }
}

/// Polls a second from which a Redis master of its own for queues costs less than SQS's requests.
#[must_use]
pub fn break_even_jobs_per_s(batch: f64, prices: &Prices) -> f64 {
    let of_one = SQS_CALLS / batch * MONTH_S * prices.sqs_per_million / 1e6;
    prices.redis_master() / of_one
}
