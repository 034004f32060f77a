//! Tables in Markdown, for terminals and pages alike.

use std::fmt::Write as _;

use super::{Bill, Bound, Demand, Measured, Plan, Prices, breaks_first, simulation::Seen};
use crate::report::number;

/// What was seen of a plan.
#[derive(Debug, Clone)]
pub struct Simulated {
    /// Which.
    pub plan: Plan,
    /// With everything in order.
    pub usual: Seen,
    /// With a master away for a minute.
    pub master_away: Seen,
    /// With a scheduler away for a minute.
    pub scheduler_away: Seen,
}

/// A row: what it says, and its number.
type Row<T> = (&'static str, fn(&T) -> f64);

const OF_PLANS: [Row<Plan>; 21] = [
    ("jobs registered", |plan| plan.jobs),
    ("channels", |plan| plan.channels),
    ("work queues (job types)", |plan| plan.work_queues),
    ("Redis masters for slots", |plan| plan.masters),
    ("their use, %", |plan| 100.0 * plan.master_use),
    ("their data, GiB", |plan| plan.redis_gib),
    ("shards", |plan| plan.shards),
    ("Redis masters for queues", |plan| plan.queue_masters),
    ("schedulers of two cores, one spare", |plan| {
        plan.schedulers + plan.spare_schedulers
    }),
    ("their use without it, %", |plan| 100.0 * plan.scheduler_use),
    ("`dispatch_per_s` of each", |plan| plan.dispatch_per_s),
    ("`settlers` of each", |plan| plan.settlers),
    ("worker cores", |plan| plan.worker_cores),
    ("permits (polls at once)", |plan| plan.permits),
    ("workers, at least", |plan| plan.workers),
    ("SQS requests a second", |plan| plan.sqs_per_s),
    ("in flight, work queues", |plan| plan.in_flight),
    ("in flight, completed queues", |plan| {
        plan.completed_in_flight
    }),
    ("events, MB a second", |plan| plan.kafka_mb_per_s),
    ("partitions", |plan| plan.partitions),
    ("brokers", |plan| plan.brokers),
];

const OF_BILLS: [Row<Bill>; 7] = [
    ("SQS, $ a month", |bill| bill.sqs),
    ("Redis for slots, $", |bill| bill.redis),
    ("Redis for queues, $", |bill| bill.queues),
    ("schedulers, $", |bill| bill.schedulers),
    ("workers, $", |bill| bill.workers),
    ("Kafka, $", |bill| bill.kafka),
    ("**all, $ a month**", Bill::total),
];

const OF_RUNS: [Row<Simulated>; 13] = [
    ("polls begun a second", |run| run.usual.jobs_per_s),
    ("lateness p99, s", |run| run.usual.lateness_p99_s),
    ("lateness at most, s", |run| run.usual.lateness_max_s),
    ("fullest slot above the mean, %", |run| {
        100.0 * (run.usual.fullest_slot - 1.0)
    }),
    ("masters' use, %", |run| 100.0 * run.usual.master_use),
    ("… as planned", |run| 100.0 * run.plan.master_use),
    ("schedulers' use, %", |run| 100.0 * run.usual.scheduler_use),
    ("… as planned, with the spare one", |run| {
        let with_spare = run.plan.schedulers + run.plan.spare_schedulers;
        100.0 * run.plan.scheduler_use * run.plan.schedulers / with_spare
    }),
    ("permits' use, %", |run| 100.0 * run.usual.permit_use),
    ("a master away for a minute: late at most, s", |run| {
        run.master_away.lateness_max_s
    }),
    ("… all in time again after, s", |run| {
        run.master_away.catch_up_s
    }),
    ("a scheduler away for a minute: lateness p99, s", |run| {
        run.scheduler_away.lateness_p99_s
    }),
    ("… late at most, s", |run| {
        run.scheduler_away.lateness_max_s
    }),
];

/// Plans and their bills, one beside the other.
#[must_use]
pub fn plan_table(plans: &[Plan], demand: &Demand, measured: &Measured, prices: &Prices) -> String {
    let mut text = heading(plans.iter().map(|plan| plan.jobs_per_s));
    rows(&mut text, &OF_PLANS, plans);
    text.push_str("| breaks first, at |");
    for plan in plans {
        let (what, jobs_per_s) = breaks_first(plan, demand, measured);
        // Writing to a string cannot fail.
        let _ = write!(text, " {what}, {} |", rounded(jobs_per_s));
    }
    text.push('\n');
    let bills: Vec<Bill> = plans.iter().map(|plan| Bill::of(plan, prices)).collect();
    rows(&mut text, &OF_BILLS, &bills);
    text
}

/// What the simulation saw, one plan beside the other.
#[must_use]
pub fn simulation_table(runs: &[Simulated]) -> String {
    let mut text = heading(runs.iter().map(|run| run.plan.jobs_per_s));
    rows(&mut text, &OF_RUNS, runs);
    text
}

/// What breaks first.
#[must_use]
pub fn bounds_table(bounds: &[Bound]) -> String {
    let mut text = String::from("| up to polls a second | enough is | then |\n|---:|---|---|\n");
    for bound in bounds {
        let Bound {
            what,
            jobs_per_s,
            remedy,
        } = bound;
        // Writing to a string cannot fail.
        let _ = writeln!(text, "| {} | {what} | {remedy} |", rounded(*jobs_per_s));
    }
    text
}

/// Bills, each with what it is for.
#[must_use]
pub fn bill_table(bills: &[(String, Bill)]) -> String {
    let mut text = String::from("| each job polled every |");
    for (name, _) in bills {
        let _ = write!(text, " {name} |");
    }
    text.push_str("\n|---|");
    text.push_str(&"---:|".repeat(bills.len()));
    text.push('\n');
    let bills: Vec<Bill> = bills.iter().map(|(_, bill)| *bill).collect();
    rows(&mut text, &OF_BILLS, &bills);
    text
}

fn heading(rates: impl Iterator<Item = f64>) -> String {
    let mut text = String::from("| polls a second |");
    let mut line = String::from("\n|---|");
    for rate in rates {
        let _ = write!(text, " {} |", number(rate));
        line.push_str("---:|");
    }
    text + &line + "\n"
}

fn rows<T>(text: &mut String, rows: &[Row<T>], columns: &[T]) {
    for (name, value) in rows {
        let _ = write!(text, "| {name} |");
        for column in columns {
            let _ = write!(text, " {} |", rounded(value(column)));
        }
        text.push('\n');
    }
}

/// As many digits as the model deserves.
fn rounded(value: f64) -> String {
    match value {
        value if value >= 1e4 => {
            let step = 10f64.powf(value.log10().floor() - 2.0);
            number((value / step).round() * step)
        }
        value if value >= 100.0 => number(value.round()),
        value if value >= 10.0 => number((value * 10.0).round() / 10.0),
        value => number(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits() {
        assert_eq!(rounded(1_234_567.0), "1,230,000");
        assert_eq!(rounded(10_512.0), "10,500");
        assert_eq!(rounded(1_234.4), "1,234");
        assert_eq!(rounded(43.26), "43.3");
        assert_eq!(rounded(0.62), "0.62");
    }
}
