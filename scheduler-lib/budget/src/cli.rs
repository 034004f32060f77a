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
use budget::{Meter, Report, Scenario, simulate};
use clap::{Parser, value_parser};

use self::progress::Progress;

/// Shares one rate limit with another product, and tells whether our calls leave the cushion alone
/// and use what is above it.
///
/// The other product spends 20 to 60 % of the limit in each window, in bursts. Our jobs are polled
/// at a fixed interval that asks for twice as many calls as it leaves; they are gold, silver and
/// bronze, of weights 4, 2 and 1. Three schedulers and four workers run: the production code, over
/// adapters in memory and under simulated time. Ends with status 1 when a promise is broken.
#[derive(Debug, Parser)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Of the bursts, of how long calls take, and of the replicas' own draws. One seed is one
    /// simulation.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Windows that the run lasts, 2 to 1000, 8 unless given; in the first one nothing is known of
    /// the limit.
    #[arg(long, value_parser = value_parser!(u64).range(2..=1_000))]
    windows: Option<u64>,
    /// Jobs, one call each: 7 to 1000000, 10000 unless given.
    #[arg(long, value_parser = value_parser!(u64).range(7..=1_000_000))]
    jobs: Option<u64>,
    /// Calls per window, of both products together: 10 to 1000000, 5000 unless given.
    #[arg(long, value_parser = value_parser!(u64).range(10..=1_000_000))]
    limit: Option<u64>,
    /// Seconds of a window: whole slots, 900 unless given.
    #[arg(long, value_parser = value_parser!(u32).range(10..=86_400))]
    window_s: Option<u32>,
    /// Calls of each window that are not ours to spend, 500 unless given.
    #[arg(long)]
    cushion: Option<u64>,
    /// Calls that our jobs ask for, in those that are left on average; above 0, at most 100.
    #[arg(long, default_value_t = 2.0, value_parser = demand)]
    demand: f64,
    /// Runs in real time on the servers that `dev/services env` names, with slots of a second:
    /// unless given, 6 windows of 30 s and 1200 calls, a cushion of 120, and 2400 jobs.
    #[cfg(feature = "servers")]
    #[arg(long)]
    servers: bool,
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
    meter: Meter,
    report: Report,
    /// Seconds that it took.
    took_s: f64,
}

impl Run {
    /// In what times are told, and how many milliseconds it has.
    const fn unit(&self) -> (&'static str, f64) {
        if self.scenario.window_ms < 300_000 {
            ("s", 1_000.0)
        } else {
            ("min", 60_000.0)
        }
    }

    /// A time in that unit.
    fn in_units(&self, ms: i64) -> f64 {
        ms as f64 / self.unit().1
    }
}

impl Arguments {
    pub(crate) fn execute(&self) -> anyhow::Result<ExitCode> {
        let scenario = self.scenario()?;
        let progress = Progress::new(scenario.slots())?;
        let began = Instant::now();
        let (scenario, meter) = self.play(scenario, &progress)?;
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

    fn play(&self, scenario: Scenario, progress: &Progress) -> anyhow::Result<(Scenario, Meter)> {
        let reached = |slot| progress.reached(slot);
        #[cfg(feature = "servers")]
        if self.servers {
            use budget::servers::{Servers, play};

            let servers = Servers::from_env()?;
            let runtime = tokio::runtime::Runtime::new()?;
            return runtime.block_on(play(scenario, &servers, reached));
        }
        let meter = simulate(&scenario, reached);
        Ok((scenario, meter))
    }

    #[cfg(feature = "servers")]
    fn usual(&self) -> Scenario {
        if self.servers {
            Scenario::of_seconds()
        } else {
            Scenario::default()
        }
    }

    #[cfg(not(feature = "servers"))]
    fn usual(&self) -> Scenario {
        Scenario::default()
    }

    fn scenario(&self) -> anyhow::Result<Scenario> {
        let usual = self.usual();
        let window_ms = self.window_s.map(|window_s| i64::from(window_s) * 1_000);
        let scenario = Scenario {
            seed: self.seed,
            windows: self.windows.unwrap_or(usual.windows),
            jobs: self.jobs.unwrap_or(usual.jobs),
            limit: self.limit.unwrap_or(usual.limit),
            window_ms: window_ms.unwrap_or(usual.window_ms),
            cushion: self.cushion.unwrap_or(usual.cushion),
            demand: self.demand,
            ..usual
        };
        let slot_ms = scenario.ring.width_ms();
        ensure!(
            scenario.window_ms % slot_ms == 0,
            "--window-s {} is not a number of whole slots: it needs to be a multiple of {}",
            scenario.window_ms / 1_000,
            slot_ms / 1_000
        );
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
