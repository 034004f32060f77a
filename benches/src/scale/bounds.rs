//! What breaks first: up to which rate each part of a layout holds, before it is built larger.

use scheduler_lib::{
    Limits,
    store::{MAX_CHUNK, MAX_SHARDS},
};
use serde::Serialize;

use super::{
    Demand, Measured, Plan, Transport,
    assumed::{NODE_DATA, NODE_GIB, SCHEDULER_CORES, SQS_IN_FLIGHT, WORKER_PERMITS},
    plan::{chunks_per_s, settle_s},
};

/// Something that is enough up to a rate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bound {
    /// What it is.
    pub what: &'static str,
    /// Up to how many polls a second it is enough, used to the full.
    pub jobs_per_s: f64,
    /// What to do then.
    pub remedy: &'static str,
}

/// One of everything, with limits as they are by default: what is not enough first comes first.
#[must_use]
pub fn bounds(demand: &Demand, measured: &Measured) -> Vec<Bound> {
    let defaults = Limits::default();
    let master = 1e6 / measured.store_us();
    let node_bytes = NODE_GIB * NODE_DATA * 1_073_741_824.0;
    let bound = |what, jobs_per_s, remedy| Bound {
        what,
        jobs_per_s,
        remedy,
    };
    let mut all = vec![
        bound(
            "`dispatch_per_s` of one scheduler, by default",
            f64::from(defaults.dispatch_per_s),
            "raise it, or add schedulers",
        ),
        bound(
            "`settlers` of one scheduler, by default",
            defaults.settlers as f64 * MAX_CHUNK as f64 / settle_s(demand, measured),
            "raise it, or add schedulers",
        ),
        bound(
            "two cores of one scheduler",
            SCHEDULER_CORES * 1e6 / measured.scheduler_us(demand.transport),
            "add schedulers",
        ),
        bound(
            "one scheduler drains chunk by chunk",
            chunks_per_s(demand, measured),
            "add schedulers",
        ),
        bound(
            "one Redis master's thread",
            master,
            "add masters, move shards there",
        ),
        bound(
            "one Redis node's memory",
            node_bytes / (measured.job_bytes + demand.context_bytes) / demand.interval_s,
            "add masters, or larger ones",
        ),
        bound(
            "permits of one worker",
            WORKER_PERMITS / (demand.poll_ms / 1e3),
            "add workers",
        ),
        bound(
            "256 shards, each with a master",
            MAX_SHARDS as f64 * master,
            "several channels",
        ),
    ];
    match demand.transport {
        Transport::Sqs => all.extend([
            bound(
                "messages in flight in one work queue",
                SQS_IN_FLIGHT / (demand.poll_ms / 1e3 + demand.queue_call_s()),
                "more job types, or a higher quota",
            ),
            bound(
                "messages in flight in one completed queue",
                SQS_IN_FLIGHT / settle_s(demand, measured),
                "several channels, or a higher quota",
            ),
        ]),
        Transport::Redis => all.push(bound(
            "the one Redis node of a channel's queues",
            1e6 / measured.queue_us,
            "several channels",
        )),
    }
    all.sort_by(|one, other| one.jobs_per_s.total_cmp(&other.jobs_per_s));
    all
}

/// What of a plan breaks first as more comes, and at how many polls a second.
#[must_use]
pub fn breaks_first(plan: &Plan, demand: &Demand, measured: &Measured) -> (&'static str, f64) {
    let rate = plan.jobs_per_s;
    let of_quota = |queues: f64, in_flight: f64| match demand.transport {
        Transport::Sqs => rate * queues * SQS_IN_FLIGHT / in_flight,
        Transport::Redis => f64::INFINITY,
    };
    let all = [
        ("masters", rate / plan.master_use),
        (
            "memory",
            rate * plan.masters * NODE_GIB * NODE_DATA / plan.redis_gib,
        ),
        (
            "queues' masters",
            match demand.transport {
                Transport::Sqs => f64::INFINITY,
                Transport::Redis => plan.queue_masters * 1e6 / measured.queue_us,
            },
        ),
        ("schedulers", rate / plan.scheduler_use),
        (
            "worker cores",
            plan.worker_cores * 1e6 / measured.worker_us(demand.transport),
        ),
        ("permits", plan.permits / (demand.poll_ms / 1e3)),
        ("in flight", of_quota(plan.work_queues, plan.in_flight)),
        (
            "completed",
            of_quota(plan.channels, plan.completed_in_flight),
        ),
    ];
    let first = all
        .into_iter()
        .min_by(|one, other| one.1.total_cmp(&other.1));
    first.expect("there are some")
}
