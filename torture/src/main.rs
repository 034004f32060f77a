//! `dev/torture` builds and starts this.

use std::{
    io::Write as _,
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};
use torture::{
    board::Board,
    clock::now_ms,
    report::{Report, counted},
    runner::{self, House},
    scenario::{self, Scenario},
    servers::Servers,
    stage::Programs,
};

/// Plays scenarios of force on real servers, and judges them from outside. Exit code 0 if all hold,
/// 1 if one does not, 2 if it could not be found out.
#[derive(Debug, Parser)]
struct Options {
    /// A scenario's name, `all`, or `short`; can be repeated. `short` is for machines that others
    /// share: invariants are judged, figures only told.
    #[arg(long = "scenario", default_value = "all")]
    scenarios: Vec<String>,
    /// Lists the scenarios.
    #[arg(long)]
    list: bool,
    /// How long each scenario injects faults, instead of its own length.
    #[arg(long)]
    minutes: Option<f64>,
    /// What everything is drawn from; drawn anew and told unless given.
    #[arg(long)]
    seed: Option<u64>,
    /// Kills at each kill point.
    #[arg(long, default_value_t = 20)]
    kills: u32,
    /// The report as one JSON object on standard output.
    #[arg(long)]
    json: bool,
    /// Where the logs of everything go.
    #[arg(long, env = "POLLING_TORTURE_DIR")]
    folder: Option<PathBuf>,
    /// The folder that cargo built the programs into.
    #[arg(long, default_value = "target/debug")]
    programs: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    let played = tokio::select! {
        biased;
        () = told_to_end() => return ExitCode::from(130),
        played = run(&options) => played,
    };
    match played {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            say_error(&format!("error: {error:#}"));
            ExitCode::from(2)
        }
    }
}

/// Dropping everything ends every process.
async fn told_to_end() {
    let mut term = signal(SignalKind::terminate()).expect("SIGTERM can be handled");
    let mut hangup = signal(SignalKind::hangup()).expect("SIGHUP can be handled");
    tokio::select! {
        biased;
        _ = tokio::signal::ctrl_c() => {}
        _ = term.recv() => {}
        _ = hangup.recv() => {}
    }
}

async fn run(options: &Options) -> anyhow::Result<bool> {
    if options.list {
        for scenario in scenario::all() {
            say(&format!("{:<26} {}", scenario.name(), scenario.about()));
        }
        return Ok(true);
    }
    let scenarios = chosen(&options.scenarios)?;
    let house = house(options)?;
    house.board.say(&format!(
        "seed {}, logs in {}",
        house.seed,
        house.folder.display()
    ));
    let begin = Instant::now();
    let mut reports = Vec::new();
    for scenario in &scenarios {
        let mut report = play(&house, &**scenario).await;
        if options.scenarios.iter().any(|name| name == "short") {
            report.judge_no_figures();
        }
        house.board.say(&row(&report));
        if !report.passed {
            house.board.say(&failure(&report, options));
        }
        reports.push(report);
    }
    conclude(&reports, &house, options, begin.elapsed())
}

fn chosen(names: &[String]) -> anyhow::Result<Vec<Box<dyn Scenario>>> {
    let mut wanted: Vec<&str> = names.iter().map(String::as_str).collect();
    if wanted.contains(&"short") {
        wanted.extend(scenario::SHORT);
    }
    let known: Vec<_> = scenario::all().iter().map(|one| one.name()).collect();
    for name in &wanted {
        if !known.contains(name) && !["all", "short"].contains(name) {
            bail!("no such scenario: {name}; --list tells those there are");
        }
    }
    let wants = |one: &dyn Scenario| wanted.contains(&"all") || wanted.contains(&one.name());
    let all = scenario::all().into_iter();
    Ok(all.filter(|one| wants(&**one)).collect())
}

fn house(options: &Options) -> anyhow::Result<House> {
    let folder = match &options.folder {
        Some(folder) => folder.clone(),
        None => std::env::temp_dir().join(format!("polling-torture-{}", std::process::id())),
    };
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot create {}", folder.display()))?;
    Ok(House {
        programs: Programs::new(&options.programs)?,
        servers: Servers::from_environment()?,
        folder,
        // Small enough to be typed in again.
        seed: options
            .seed
            .unwrap_or_else(|| now_ms().unsigned_abs() % 1_000_000),
        length: options
            .minutes
            .map(|minutes| Duration::from_secs_f64(minutes.clamp(0.0, 10_000.0) * 60.0)),
        kills: options.kills,
        board: Board::default(),
    })
}

/// A scenario that cannot be played to its end has failed.
async fn play(house: &House, scenario: &dyn Scenario) -> Report {
    let painter = house.board.paint();
    let begin = Instant::now();
    let played = async {
        house.servers.ensure_ours(scenario.breaks()).await?;
        runner::play(house, scenario).await
    };
    let mut report = played.await.unwrap_or_else(|error| {
        let mut report = Report::default();
        report.check("played to the end", false, format!("{error:#}"));
        report
    });
    drop(painter);
    scenario.name().clone_into(&mut report.scenario);
    report.seed = house.seed;
    report.took_s = begin.elapsed().as_secs_f64();
    report
}

fn row(report: &Report) -> String {
    let mark = if report.passed { "ok    " } else { "FAILED" };
    let faults: u64 = report.faults.values().sum();
    format!(
        "{mark}  {:<26} {:>4.0} s  {faults:>5} faults  {}",
        report.scenario,
        report.took_s,
        counted(&report.faults)
            .chars()
            .take(100)
            .collect::<String>()
    )
}

fn failure(report: &Report, options: &Options) -> String {
    let mut lines: Vec<String> = report
        .failures()
        .map(|check| format!("        {}: {}", check.name, check.found))
        .collect();
    let minutes = options
        .minutes
        .map_or(String::new(), |minutes| format!(" --minutes {minutes}"));
    lines.push(format!("        logs: {}", report.folder.display()));
    lines.push(format!(
        "        repeat: dev/torture --scenario {} --seed {}{minutes}",
        report.scenario, report.seed
    ));
    lines.join("\n")
}

fn conclude(
    reports: &[Report],
    house: &House,
    options: &Options,
    took: Duration,
) -> anyhow::Result<bool> {
    let passed = !reports.is_empty() && reports.iter().all(|report| report.passed);
    let json = serde_json::json!({
        "seed": house.seed,
        "passed": passed,
        "took_s": took.as_secs_f64(),
        "scenarios": reports,
    });
    let path = house.folder.join("report.json");
    std::fs::write(&path, format!("{json:#}\n"))
        .with_context(|| format!("cannot write {}", path.display()))?;
    if options.json {
        say(&json.to_string());
    } else {
        say("");
        for report in reports {
            say(&row(report));
            for figure in &report.figures {
                let bound = figure
                    .at_most
                    .map_or(String::new(), |most| format!(" (at most {most:.2})"));
                say(&format!(
                    "          {:<44} {:>10.2} {}{bound}",
                    figure.name, figure.value, figure.unit
                ));
            }
        }
        let green = reports.iter().filter(|report| report.passed).count();
        say(&format!(
            "{green} of {} scenarios hold, in {:.0} s; report: {}",
            reports.len(),
            took.as_secs_f64(),
            path.display()
        ));
    }
    Ok(passed)
}

fn say(line: &str) {
    // Nothing is left to do if nobody reads it.
    let _ = writeln!(std::io::stdout(), "{line}");
}

fn say_error(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
