//! The command line of the program `protocol`.

use std::{
    io::{self, Write},
    num::NonZero,
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

use clap::{Parser, ValueEnum, builder::PossibleValue, value_parser};
use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::{
    Bounds, CounterExample, MAX_ACTORS, MAX_DISPATCHES, MAX_JOBS, Report, Search, Variant, page,
};

const LONG_HELP: &str = "\
Two ways to use it:
  protocol                              the right protocol, one job's whole space and then two jobs up to
                                        --states, and the shortest failure of each mistake
  protocol --variant pop-then-send      one of them; its trace tells who does what, and where the job is

What a line of a trace says:
  3  scheduler 1 sends A#1: accepted    A in flight; A#1 sent
  Job A's first dispatch, A#1, was sent; its record says that the job is in flight.

How far it looks:
  Every order of steps is tried, breadth first, so what is found first is shortest. Crashes,
  duplicates and late deliveries may happen at any step, any number of times. Dispatches, rollbacks
  and edits are counted. The space grows some twentyfold with each: --rollbacks 0 --edits 0 takes
  seconds. A search that ends before --states has seen every state; its line says \"whole\".

Exit codes: 0 all as expected, 1 the right protocol fails or a mistake was not found, 2 a wrong
command line.";

/// Searches a model of the polling protocol: is any job ever lost, forked or acknowledged early?
#[derive(Debug, Parser)]
#[command(name = "protocol", after_long_help = LONG_HELP)]
pub struct Args {
    /// Search only this protocol.
    #[arg(long, value_enum, value_name = "NAME")]
    variant: Option<Variant>,

    /// Jobs of the right protocol; a mistake needs one.
    #[arg(long, value_name = "N", default_value_t = Bounds::default().jobs, value_parser = value_parser!(u8).range(1..=MAX_JOBS as i64))]
    jobs: u8,

    /// Dispatches of each job.
    #[arg(long, value_name = "N", default_value_t = Bounds::default().dispatches, value_parser = value_parser!(u8).range(1..=MAX_DISPATCHES as i64))]
    dispatches: u8,

    /// Schedulers.
    #[arg(long, value_name = "N", default_value_t = Bounds::default().schedulers, value_parser = value_parser!(u8).range(1..=MAX_ACTORS as i64))]
    schedulers: u8,

    /// Workers.
    #[arg(long, value_name = "N", default_value_t = Bounds::default().workers, value_parser = value_parser!(u8).range(1..=MAX_ACTORS as i64))]
    workers: u8,

    /// Failovers to a replica that lacks the last writes.
    #[arg(long, value_name = "N", default_value_t = Bounds::default().rollbacks, value_parser = value_parser!(u8).range(0..=3))]
    rollbacks: u8,

    /// Edits by hand: pause, resume, update, replace the context, run now, remove, register.
    #[arg(long, value_name = "N", default_value_t = Bounds::default().edits, value_parser = value_parser!(u8).range(0..=3))]
    edits: u8,

    /// Dead letters that quarantine a job; 0 leaves dead letters out.
    #[arg(long, value_name = "N", default_value_t = Bounds::default().strikes, value_parser = value_parser!(u8).range(0..=3))]
    strikes: u8,

    /// Interleaves the worker's steps with everything else, although they commute.
    #[arg(long)]
    every_order: bool,

    /// Ends a search after so many states; ten million take 1 to 2 GB.
    #[arg(long, value_name = "N", default_value_t = 15_000_000)]
    states: u64,

    /// Threads; the result does not depend on them. All processors if not given.
    #[arg(long, value_name = "N")]
    threads: Option<NonZero<usize>>,

    /// Ends with one JSON object on a line.
    #[arg(long, conflicts_with = "page")]
    json: bool,

    /// Prints the traces as the page docs/protocol.md shows them, and searches nothing else.
    #[arg(long)]
    page: bool,
}

impl ValueEnum for Variant {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.as_str()).help(self.summary()))
    }
}

impl Args {
    /// Does what the command line says.
    ///
    /// # Errors
    ///
    /// Nobody reads the output.
    pub fn execute(&self) -> anyhow::Result<ExitCode> {
        let mut out = io::stdout().lock();
        if self.page {
            write!(out, "{}", page::traces())?;
            return Ok(ExitCode::SUCCESS);
        }
        let (mut sound, mut reports) = (true, Vec::new());
        for search in self.searches() {
            let began = Instant::now();
            let report = with_progress(&search);
            sound &= report.is_as_expected();
            if !self.json {
                tell(&mut out, &report, began.elapsed())?;
            }
            reports.push(as_json(&report, began.elapsed()));
        }
        if self.json {
            writeln!(out, "{}", json!({ "sound": sound, "searches": reports }))?;
        }
        Ok(if sound {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }

    fn searches(&self) -> Vec<Search> {
        let variants = self.variant.map_or(Variant::ALL.to_vec(), |one| vec![one]);
        let searches = variants.into_iter().flat_map(|variant| {
            let searches = self.bounds_of(variant).into_iter();
            searches.map(move |bounds| Search {
                variant,
                bounds,
                max_states: self.states,
                threads: self.threads(),
            })
        });
        searches.collect()
    }

    fn bounds_of(&self, variant: Variant) -> Vec<Bounds> {
        if variant != Variant::Right {
            return vec![page::bounds_of(variant)];
        }
        let asked = Bounds {
            jobs: self.jobs,
            dispatches: self.dispatches,
            schedulers: self.schedulers,
            workers: self.workers,
            rollbacks: self.rollbacks,
            edits: self.edits,
            strikes: self.strikes,
            every_order: self.every_order,
        };
        if asked == Bounds::default() {
            vec![Bounds::of_one_job(), asked]
        } else {
            vec![asked]
        }
    }

    fn threads(&self) -> usize {
        let all = || thread::available_parallelism().ok();
        self.threads.or_else(all).map_or(1, NonZero::get)
    }
}

fn with_progress(search: &Search) -> Report {
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix}: {msg} {elapsed}") {
        bar.set_style(style);
    }
    bar.set_prefix(search.variant.as_str());
    bar.enable_steady_tick(Duration::from_millis(200));
    let report = search.run(|reached| {
        bar.set_message(format!(
            "{} states, depth {}",
            HumanCount(reached.states),
            reached.depth
        ));
    });
    bar.finish_and_clear();
    report
}

fn tell(out: &mut impl Write, report: &Report, elapsed: Duration) -> io::Result<()> {
    let reached = report.reached;
    let extent = match (report.whole, report.counter_examples.is_empty()) {
        (true, _) => "whole",
        (false, true) => "up to the limit",
        (false, false) => "up to the failure",
    };
    let bounds = report.search.bounds;
    writeln!(
        out,
        "{} (jobs {}, dispatches {}, rollbacks {}, edits {}): {} states ({extent}), {} steps, depth {}, {:.1} s: {}",
        report.search.variant,
        bounds.jobs,
        bounds.dispatches,
        bounds.rollbacks,
        bounds.edits,
        HumanCount(reached.states),
        HumanCount(reached.steps),
        reached.depth,
        elapsed.as_secs_f64(),
        if report.counter_examples.is_empty() {
            "no property fails".to_owned()
        } else {
            report.search.variant.summary().to_owned()
        }
    )?;
    for counter_example in &report.counter_examples {
        writeln!(out, "{counter_example}")?;
    }
    writeln!(out)
}

fn as_json(report: &Report, elapsed: Duration) -> Value {
    let bounds = report.search.bounds;
    json!({
        "variant": report.search.variant.as_str(),
        "bounds": {
            "jobs": bounds.jobs, "dispatches": bounds.dispatches,
            "schedulers": bounds.schedulers, "workers": bounds.workers,
            "rollbacks": bounds.rollbacks, "edits": bounds.edits, "strikes": bounds.strikes,
            "every_order": bounds.every_order,
        },
        "states": report.reached.states,
        "steps": report.reached.steps,
        "depth": report.reached.depth,
        "whole": report.whole,
        "elapsed_ms": elapsed.as_millis() as u64,
        "as_expected": report.is_as_expected(),
        "counter_examples": report.counter_examples.iter().map(trace_as_json).collect::<Vec<_>>(),
    })
}

fn trace_as_json(counter_example: &CounterExample) -> Value {
    let step = |step: &super::TraceStep| json!({ "what": step.what, "then": step.then });
    json!({
        "property": counter_example.property.as_str(),
        "steps": counter_example.steps.iter().map(step).collect::<Vec<_>>(),
    })
}
