//! Runs the simulation of the whole cycle from the command line.

use std::{
    io::{Write, stdout},
    num::NonZeroUsize,
    process::ExitCode,
    thread::available_parallelism,
    time::Instant,
};

use clap::{
    Parser,
    builder::{PossibleValuesParser, TypedValueParser},
};
use cycle_sim::cycle::{Campaign, Fault, Totals, shrink};
use indicatif::{ProgressBar, ProgressStyle};
use polling_model::Generator;
use serde_json::json;

/// Simulates the whole cycle under faults drawn from a seed: the production scheduler and worker
/// over adapters in memory, many thousand times faster than time passes. Ends with status 1, and
/// the story of the job concerned, when a job was lost or forked.
#[derive(Debug, Parser)]
struct Arguments {
    /// Simulated minutes with faults; each run of 240 takes the next seed, and heals on top.
    #[arg(long, default_value_t = 20_000)]
    minutes: u64,
    /// Runs 10,000,000 minutes instead.
    #[arg(long)]
    nightly: bool,
    /// The first run's seed; a random one unless given.
    #[arg(long)]
    seed: Option<u64>,
    /// Jobs of each run, at most 100000.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    jobs: u64,
    /// Kinds of fault to leave out, with commas between.
    #[arg(long, value_delimiter = ',', value_parser = fault())]
    without: Vec<Fault>,
    /// Runs at the same time; one for each core unless given.
    #[arg(long)]
    threads: Option<NonZeroUsize>,
    /// Ends with one JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

/// By name; whoever gives another is told all of them.
fn fault() -> impl TypedValueParser<Value = Fault> {
    let names = Fault::ALL.iter().map(|fault| fault.as_str());
    PossibleValuesParser::new(names).try_map(|name| name.parse::<Fault>())
}

const NIGHTLY_MINUTES: u64 = 10_000_000;

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let campaign = Campaign {
        seed: arguments
            .seed
            .unwrap_or_else(|| Generator::from_os().next_u64()),
        minutes: if arguments.nightly {
            NIGHTLY_MINUTES
        } else {
            arguments.minutes
        },
        jobs: arguments.jobs,
        without: arguments.without,
        threads: arguments
            .threads
            .or_else(|| available_parallelism().ok())
            .unwrap_or(NonZeroUsize::MIN),
    };
    let mut out = stdout().lock();
    writeln!(out, "seed {}", campaign.seed)?;
    let bar = progress_bar(campaign.minutes)?;
    let began = Instant::now();
    let totals = campaign.run(|minutes| bar.inc(minutes));
    let elapsed_s = began.elapsed().as_secs_f64() * campaign.threads.get() as f64;
    bar.finish_and_clear();
    for failed in &totals.failed {
        writeln!(out, "seed {}: {}; shrinking", failed.seed, failed.violation)?;
        let shrunk = shrink(
            failed.seed,
            failed.minutes,
            campaign.jobs,
            &campaign.without,
            failed.violation.clone(),
        );
        writeln!(out, "{shrunk}")?;
    }
    let times_real_time = (totals.minutes * 60) as f64 / elapsed_s.max(f64::EPSILON);
    if arguments.json {
        writeln!(out, "{}", as_json(&totals, times_real_time))?;
    } else {
        write_table(&mut out, &totals, times_real_time)?;
    }
    Ok(if totals.failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn progress_bar(minutes: u64) -> anyhow::Result<ProgressBar> {
    let style = ProgressStyle::with_template(
        "{bar:40} {human_pos} of {human_len} minutes, {per_sec}, {eta} left",
    )?;
    Ok(ProgressBar::new(minutes).with_style(style))
}

/// `times_real_time` is per core.
fn as_json(totals: &Totals, times_real_time: f64) -> serde_json::Value {
    json!({
        "minutes": totals.minutes,
        "runs": totals.runs,
        "cycles": totals.cycles,
        "events": totals.events,
        "faults": totals.faults,
        "lost": totals.lost(),
        "forked": totals.forked(),
        "repairs": totals.repairs,
        "times_real_time": times_real_time.round(),
    })
}

fn write_table(out: &mut impl Write, totals: &Totals, times_real_time: f64) -> anyhow::Result<()> {
    for (fault, count) in &totals.faults {
        writeln!(out, "{fault:>24} {count:>12}")?;
    }
    let faults: u64 = totals.faults.values().sum();
    writeln!(
        out,
        "{} minutes, {} cycles, {} events, {faults} faults, lost {}, forked {}, repairs {}, \
         {times_real_time:.0} times real time per core",
        totals.minutes,
        totals.cycles,
        totals.events,
        totals.lost(),
        totals.forked(),
        totals.repairs,
    )?;
    Ok(())
}
