//! The command line of `cycle-sim`.

mod drawn;
mod meter;
mod named;
mod progress;

use std::{
    io::{Write, stdout},
    num::NonZeroUsize,
    process::ExitCode,
    thread::available_parallelism,
};

use clap::{
    Parser,
    builder::{PossibleValuesParser, TypedValueParser},
};
use cycle_sim::cycle::{Campaign, Fault, Totals, named::Named, shrink};
use polling_model::Generator;

/// Simulates the whole cycle under faults: the production scheduler and worker over adapters in
/// memory, many thousand times faster than time passes. Ends with status 1, and the story of the
/// job concerned, when a job was lost or forked.
///
/// Without --scenario the faults are drawn from a seed, and each run takes the next one. With it
/// they are those of the scenario, and its figures are compared with what is expected of them.
#[derive(Debug, Parser)]
pub(crate) struct Arguments {
    /// Simulated minutes with faults, all runs together; 20000 unless given, or the scenario's.
    /// Healing comes on top.
    #[arg(long)]
    minutes: Option<u64>,
    /// Runs 10,000,000 minutes instead.
    #[arg(long, conflicts_with_all = ["minutes", "scenario"])]
    nightly: bool,
    /// The first run's seed; a random one unless given.
    #[arg(long)]
    seed: Option<u64>,
    /// Jobs of each run, at most 1000000; 100 unless given, or the scenario's.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    jobs: Option<u64>,
    /// Kinds of fault to leave out, with commas between.
    #[arg(long, value_delimiter = ',', value_parser = fault())]
    without: Vec<Fault>,
    /// Runs at the same time; one for each core unless given.
    #[arg(long)]
    threads: Option<NonZeroUsize>,
    /// Runs a scenario that has a name, or `all`; may be given several times.
    #[arg(long, value_name = "NAME", value_parser = scenario())]
    scenario: Vec<String>,
    /// Runs the scenarios with as many jobs and runs as their tests have.
    #[arg(long, requires = "scenario")]
    small: bool,
    /// Lists the scenarios and ends.
    #[arg(long)]
    list: bool,
    /// Ends with one JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

const MINUTES: u64 = 20_000;
const NIGHTLY_MINUTES: u64 = 10_000_000;

/// By name; whoever gives another is told all of them.
fn fault() -> impl TypedValueParser<Value = Fault> {
    let names = Fault::ALL.iter().map(|fault| fault.as_str());
    PossibleValuesParser::new(names).try_map(|name| name.parse::<Fault>())
}

fn scenario() -> PossibleValuesParser {
    let names = cycle_sim::cycle::named::ALL.iter();
    PossibleValuesParser::new(names.map(|named| named.name).chain(["all"]))
}

impl Arguments {
    pub(crate) fn execute(&self) -> anyhow::Result<ExitCode> {
        let mut out = stdout().lock();
        if self.list {
            for named in cycle_sim::cycle::named::ALL {
                writeln!(out, "{:<26} {}", named.name, named.about)?;
            }
            return Ok(ExitCode::SUCCESS);
        }
        let met = if self.scenario.is_empty() {
            drawn::run(self, &mut out)?
        } else {
            named::run(self, &mut out)?
        };
        Ok(if met {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }

    fn seed(&self) -> u64 {
        self.seed.unwrap_or_else(|| Generator::from_os().next_u64())
    }

    fn threads(&self) -> NonZeroUsize {
        self.threads
            .or_else(|| available_parallelism().ok())
            .unwrap_or(NonZeroUsize::MIN)
    }

    /// Without names: runs with the faults that are drawn.
    fn drawn(&self) -> Campaign {
        let minutes = if self.nightly {
            NIGHTLY_MINUTES
        } else {
            self.minutes.unwrap_or(MINUTES)
        };
        let campaign = Campaign::default();
        Campaign {
            seed: self.seed(),
            minutes,
            jobs: self.jobs.unwrap_or(campaign.jobs),
            without: self.without.clone(),
            threads: self.threads(),
            ..campaign
        }
    }

    /// The scenarios asked for, in the order of the table.
    fn named(&self) -> impl Iterator<Item = &'static Named> {
        let asked = |named: &&Named| {
            let mut names = self.scenario.iter();
            names.any(|name| name == named.name || name == "all")
        };
        cycle_sim::cycle::named::ALL.iter().filter(asked)
    }

    fn campaign(&self, named: &Named) -> Campaign {
        let mut size = if self.small { named.small } else { named.full };
        size.jobs = self.jobs.unwrap_or(size.jobs);
        if let Some(minutes) = self.minutes {
            size.minutes = minutes.min(size.minutes);
            size.runs = minutes.div_ceil(size.minutes.max(1));
        }
        Campaign {
            without: self.without.clone(),
            ..named.campaign(size, self.seed(), self.threads())
        }
    }
}

/// The story of each run that failed.
fn tell_failures(out: &mut impl Write, campaign: &Campaign, totals: &Totals) -> anyhow::Result<()> {
    for failed in &totals.failed {
        writeln!(out, "seed {}: {}; shrinking", failed.seed, failed.violation)?;
        out.flush()?;
        writeln!(out, "{}", shrink(campaign, failed))?;
    }
    Ok(())
}
