//! The command line of `replay`.

mod plot;
mod progress;
mod table;

use std::{
    io::{Write, stderr, stdout},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context, ensure};
use clap::{Parser, builder::PossibleValuesParser};
use replay::{Budget, Outcome, Summary, Trace, policies, replay};
use serde_json::{Value, json};

use self::progress::Progress;

/// Replays polling policies over what accounts really did, with as many calls for each, and tells
/// how long their items waited.
///
/// A trace is a file of rows `account,unix_seconds`, one for each item, compressed with gzip or
/// not. A policy may poll as many accounts a minute as the budget has calls; a poll brings what is
/// new, a page at most. Policies: uniform, tiered and the other fixed ones never learn; nutch,
/// storm, aimd and entryfreq are rules that are in use; clair-static knows the future; ours is
/// scheduler-lib's adaptive policy.
#[derive(Debug, Parser)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Traces, one after the other.
    #[arg(required = true, value_name = "TRACE")]
    traces: Vec<PathBuf>,
    /// The budget: calls with which everybody can be polled once in so many minutes. Several with
    /// commas between.
    #[arg(long, value_delimiter = ',', default_value = "120", value_parser = positive)]
    every_min: Vec<f64>,
    /// Items that one poll brings at most; what is older is lost.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    page: u32,
    /// How much a minute of delay counts for gold, silver and bronze accounts, such as 4:2:1.
    #[arg(long, value_name = "G:S:B", value_parser = weights)]
    tiers: Option<[f64; 3]>,
    /// Minutes of a day, the period in which people come and go; less for compressed traces.
    #[arg(long, default_value = "1440", value_parser = positive)]
    day_min: f64,
    /// Which policies, with commas between.
    #[arg(long, value_delimiter = ',', value_parser = policy(), default_value = DEFAULT)]
    policies: Vec<String>,
    /// Ends with one JSON array instead of tables.
    #[arg(long)]
    json: bool,
    /// Also draws which share of the items was seen after how long, as SVG: a file for each trace
    /// and budget, in this folder.
    #[arg(long, value_name = "FOLDER")]
    plot: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples, on traces that come with it:
  cargo run --release -p replay -- scheduler-lib/replay/traces/b-long180.csv.gz --plot plots
  cargo run --release -p replay -- scheduler-lib/replay/traces/a-fold28-x10.csv.gz --day-min 144
  cargo run --release -p replay -- my.csv --every-min 30,120 --tiers 4:2:1 --json";

const DEFAULT: &str = "uniform,tiered,nutch-tuned,aimd,clair-static,ours";

/// By name; whoever gives another is told all of them.
fn policy() -> PossibleValuesParser {
    PossibleValuesParser::new(policies::ALL.map(|(name, _)| name))
}

fn positive(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "it is not a number".to_owned())?;
    if number > 0.0 && number <= 1e6 {
        Ok(number)
    } else {
        Err("it needs to be above 0 and at most 1000000".to_owned())
    }
}

fn weights(text: &str) -> Result<[f64; 3], String> {
    let weights: Result<Vec<_>, _> = text.split(':').map(positive).collect();
    weights?
        .try_into()
        .map_err(|_| "it needs three numbers with colons between, such as 4:2:1".to_owned())
}

/// The same trace and budget, by policy.
struct Comparison<'a> {
    trace: &'a Trace,
    budget: Budget,
    tiers: Option<[f64; 3]>,
    rows: Vec<Row>,
}

struct Row {
    policy: String,
    summary: Summary,
    outcome: Outcome,
}

impl Arguments {
    pub(crate) fn execute(&self) -> anyhow::Result<ExitCode> {
        let mut results = Vec::new();
        let runs = self.traces.len() * self.every_min.len() * self.policies.len();
        let progress = Progress::new(runs as u64)?;
        for path in &self.traces {
            let trace = open(path)?;
            for &every_min in &self.every_min {
                let comparison = self.compare(&trace, every_min, &progress);
                if let Some(folder) = &self.plot {
                    plot::draw(folder, &comparison)?;
                }
                if self.json {
                    results.extend(comparison.as_json());
                } else {
                    progress.aside(|| table::write(&mut stdout().lock(), &comparison))?;
                }
            }
        }
        progress.end();
        if self.json {
            writeln!(stdout().lock(), "{}", Value::from(results))?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn compare<'a>(&self, trace: &'a Trace, every_min: f64, progress: &Progress) -> Comparison<'a> {
        let page = self.page as usize;
        let budget = Budget { every_min, page };
        let mut settings = policies::Settings::new(trace, budget);
        settings.day = Duration::from_secs_f64(self.day_min * 60.0);
        if let Some(weights) = self.tiers {
            settings = settings.tiers(weights);
        }
        let row = |name: &String| {
            progress.begin(&trace.name, name);
            let mut policy = policies::named(name, &settings).expect("clap takes no other name");
            let outcome = replay(trace, policy.as_mut(), budget);
            progress.done();
            Row {
                policy: name.clone(),
                summary: Summary::new(trace, &settings.weights, &outcome),
                outcome,
            }
        };
        Comparison {
            trace,
            budget,
            tiers: self.tiers,
            rows: self.policies.iter().map(row).collect(),
        }
    }
}

/// Tells what could not be read.
fn open(path: &Path) -> anyhow::Result<Trace> {
    let trace = Trace::open(path).with_context(|| path.display().to_string())?;
    ensure!(
        !trace.accounts.is_empty(),
        "{}: no accounts",
        path.display()
    );
    if trace.refused > 0 {
        let mut err = stderr().lock();
        writeln!(err, "{}: {} rows left out", path.display(), trace.refused)?;
        for reason in &trace.reasons {
            writeln!(err, "  {reason}")?;
        }
    }
    Ok(trace)
}

impl Comparison<'_> {
    fn mean_of(&self, policy: &str) -> Option<f64> {
        let row = self.rows.iter().find(|row| row.policy == policy)?;
        Some(row.summary.mean_min)
    }

    fn as_json(&self) -> Vec<Value> {
        let rounded = |minutes: f64| (minutes * 1e4).round() / 1e4;
        let object = |row: &Row| {
            let Summary {
                mean_min,
                p50_min,
                p90_min,
                p99_min,
                lost,
                full,
                cost_min,
                calls,
                tiers_min,
            } = row.summary;
            let [gold, silver, bronze] = tiers_min.map(|mean| mean.map(rounded));
            json!({
                "trace": self.trace.name,
                "every_min": self.budget.every_min,
                "page": self.budget.page,
                "policy": row.policy,
                "mean_min": rounded(mean_min),
                "p50_min": rounded(p50_min),
                "p90_min": rounded(p90_min),
                "p99_min": rounded(p99_min),
                "lost": lost,
                "full": full,
                "cost_min": rounded(cost_min),
                "calls": calls,
                "gold_min": gold,
                "silver_min": silver,
                "bronze_min": bronze,
            })
        };
        self.rows.iter().map(object).collect()
    }
}
