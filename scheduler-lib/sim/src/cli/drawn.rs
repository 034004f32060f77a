//! Runs whose faults are drawn, and what they came to.

use std::{io::Write, time::Duration};

use cycle_sim::cycle::{Campaign, Totals, mean_interval};
use serde_json::{Value, json};

use super::{
    Arguments,
    meter::{Meter, peak_memory_mib},
    progress::Progress,
    tell_failures,
};

/// Returns whether every promise was kept.
pub(super) fn run(arguments: &Arguments, out: &mut impl Write) -> anyhow::Result<bool> {
    let campaign = arguments.drawn();
    let runs = campaign.minutes.div_ceil(campaign.run_minutes).max(1);
    let last = campaign.seed.wrapping_add(runs - 1);
    writeln!(
        out,
        "seeds {} to {last}: {runs} runs, {} at a time",
        campaign.seed, campaign.threads
    )?;
    out.flush()?;
    let (progress, meter) = (Progress::new(campaign.minutes)?, Meter::start());
    let totals = campaign.run(|minutes| progress.add(minutes));
    let speed = Speed::new(&campaign, &totals, &meter);
    progress.end();
    tell_failures(out, &campaign, &totals)?;
    if arguments.json {
        writeln!(out, "{}", as_json(&campaign, &totals, &speed))?;
    } else {
        write_table(out, &campaign, &totals, &speed)?;
    }
    Ok(totals.failed.is_empty())
}

/// Simulated seconds by real ones.
struct Speed {
    /// Per core: the time that passed on each thread.
    times_real_time: f64,
    /// By the seconds that the threads computed for: what a core does that nobody else uses.
    by_cpu_time: Option<f64>,
}

impl Speed {
    fn new(campaign: &Campaign, totals: &Totals, meter: &Meter) -> Self {
        let simulated_s = (totals.minutes * 60) as f64;
        let threads = campaign.threads.get() as f64;
        Self {
            times_real_time: simulated_s / (meter.elapsed_s() * threads),
            by_cpu_time: meter.cpu_s().map(|cpu_s| simulated_s / cpu_s),
        }
    }
}

fn cycles_per_fault(totals: &Totals) -> f64 {
    totals.measures.cycles as f64 / totals.all_faults().max(1) as f64
}

fn mean(campaign: &Campaign) -> Duration {
    mean_interval(
        &campaign
            .scenario(campaign.seed, campaign.run_minutes)
            .levels,
    )
}

fn as_json(campaign: &Campaign, totals: &Totals, speed: &Speed) -> Value {
    let measures = &totals.measures;
    json!({
        "seed": campaign.seed,
        "runs": totals.runs,
        "jobs": campaign.jobs,
        "mean_interval_s": mean(campaign).as_secs(),
        "minutes": totals.minutes,
        "cycles": measures.cycles,
        "cycles_per_fault": (cycles_per_fault(totals) * 1e3).round() / 1e3,
        "polls": measures.polls,
        "polls_per_due_job": (measures.amplification() * 1e3).round() / 1e3,
        "events": measures.events,
        "faults": totals.faults,
        "lost": totals.lost(),
        "forked": totals.forked(),
        "repairs": measures.repairs,
        "times_real_time": speed.times_real_time.round(),
        "times_real_time_by_cpu_time": speed.by_cpu_time.map(f64::round),
        "peak_memory_mib": peak_memory_mib(),
    })
}

fn write_table(
    out: &mut impl Write,
    campaign: &Campaign,
    totals: &Totals,
    speed: &Speed,
) -> anyhow::Result<()> {
    for (fault, count) in &totals.faults {
        writeln!(out, "{fault:>24} {count:>12}")?;
    }
    let measures = &totals.measures;
    writeln!(
        out,
        "{} jobs of mean interval {:?}, {:.2} cycles per fault, {:.3} polls per due job",
        campaign.jobs,
        mean(campaign),
        cycles_per_fault(totals),
        measures.amplification(),
    )?;
    if let Some(by_cpu_time) = speed.by_cpu_time {
        writeln!(out, "{by_cpu_time:.0} times real time by CPU time")?;
    }
    writeln!(
        out,
        "{} minutes, {} cycles, {} events, {} faults, lost {}, forked {}, repairs {}, {:.0} times \
         real time per core",
        totals.minutes,
        measures.cycles,
        measures.events,
        totals.all_faults(),
        totals.lost(),
        totals.forked(),
        measures.repairs,
        speed.times_real_time,
    )?;
    Ok(())
}
