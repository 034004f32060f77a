//! The command line of `budget`.

mod json;
mod plot;
mod progress;
mod table;

use std::{
    io::{Write, stdout},
    path::PathBuf,
    process::ExitCode,
    time::Instant,
};

use anyhow::ensure;
use budget::{Report, Scenario, simulate};
use clap::{Parser, value_parser};

use self::progress::Progress;

/// Shares one rate limit with another product, under simulated time, and tells whether our calls
/// leave the cushion alone and use what is above it.
///
/// The other product spends 20 to 60 % of the limit in each window, in bursts. Our jobs are polled
/// at a fixed interval that asks for twice as many calls as it leaves; they are gold, silver and
/// bronze, of weights 4, 2 and 1. Three schedulers and four workers run: the production code over
/// adapters in memory. Ends with status 1 when a promise is broken.
#[derive(Debug, Parser)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Of the bursts, of how long calls take, and of the replicas' own draws. One seed is one run.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Windows that the run lasts, 2 to 1000; in the first one nothing is known of the limit.
    #[arg(long, default_value_t = 8, value_parser = value_parser!(u64).range(2..=1_000))]
    windows: u64,
    /// Jobs, 7 to 1000000, one call each.
    #[arg(long, default_value_t = 10_000, value_parser = value_parser!(u64).range(7..=1_000_000))]
    jobs: u64,
    /// Calls per window, of both products together.
    #[arg(long, default_value_t = 5_000, value_parser = value_parser!(u64).range(10..=1_000_000))]
    limit: u64,
    /// Minutes of a window, 2 to 1440.
    #[arg(long, default_value_t = 15, value_parser = value_parser!(u32).range(2..=1_440))]
    window_min: u32,
    /// Calls of each window that are not ours to spend.
    #[arg(long, default_value_t = 500)]
    cushion: u64,
    /// Calls that our jobs ask for, in those that are left on average; above 0, at most 100.
    #[arg(long, default_value_t = 2.0, value_parser = demand)]
    demand: f64,
    /// Ends with one JSON object instead of tables.
    #[arg(long)]
    json: bool,
    /// Also draws what is left of the limit, who calls and what is refused, as SVG.
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  cargo run --release -p budget -- --plot budget.svg
  cargo run --release -p budget -- --seed 7 --windows 32 --json
  cargo run --release -p budget -- --demand 0.5     # less than is left: nobody waits";

fn demand(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "it is not a number".to_owned())?;
    if number > 0.0 && number <= 100.0 {
        Ok(number)
    } else {
        Err("it needs to be above 0 and at most 100".to_owned())
    }
}

/// A run, and what came of it.
struct Run {
    scenario: Scenario,
    meter: budget::Meter,
    report: Report,
    /// Seconds that it took.
    took_s: f64,
}

impl Arguments {
    pub(crate) fn execute(&self) -> anyhow::Result<ExitCode> {
        let scenario = self.scenario()?;
        let progress = Progress::new(scenario.slots())?;
        let began = Instant::now();
        let meter = simulate(&scenario, |slot| progress.reached(slot));
        progress.end();
        let run = Run {
            report: Report::new(&scenario, &meter),
            scenario,
            meter,
            took_s: began.elapsed().as_secs_f64(),
        };
        if let Some(file) = &self.plot {
            plot::draw(file, &run)?;
        }
        let mut out = stdout().lock();
        if self.json {
            writeln!(out, "{}", json::of(&run))?;
        } else {
            table::write(&mut out, &run)?;
        }
        Ok(if run.report.holds().all() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }

    fn scenario(&self) -> anyhow::Result<Scenario> {
        let scenario = Scenario {
            seed: self.seed,
            windows: self.windows,
            jobs: self.jobs,
            limit: self.limit,
            window_ms: i64::from(self.window_min) * 60_000,
            cushion: self.cushion,
            demand: self.demand,
            ..Scenario::default()
        };
        let most = scenario.limit as f64 * (1.0 - scenario.other_share.end);
        ensure!(
            (scenario.cushion as f64) < most,
            "--cushion {} leaves nothing to us: the other product may spend {:.0} % of the limit of {}; it needs \
             to be below {most:.0}",
            scenario.cushion,
            scenario.other_share.end * 100.0,
            scenario.limit
        );
        Ok(scenario)
    }
}
