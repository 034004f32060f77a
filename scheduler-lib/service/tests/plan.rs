//! `scheduler plan` as it is called.
#![allow(clippy::unwrap_used)]

mod support;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;
use support::ConfigFile;

/// 2,200 jobs on it want 9,000 calls per window, and `max_age` promises 800.
const CONFIG: &str = r#"
[channels.mastodon]
store = "memory"
[channels.mastodon.job_types.posts]
interval = "5m"
max_age = "1h"
scopes = [{ scope = "app", limit = { calls = 5000, window = "15m" } }]
[channels.mastodon.job_types.posts.levels.gold]
interval = "1m"
max_age = "10m"
weight = 4
"#;

const JOBS: [&str; 4] = ["--jobs", "posts.gold=200", "--jobs", "posts=2_000"];

/// Calls `scheduler plan` with a configuration of its own.
fn plan(name: &str, config: &str, arguments: &[&str]) -> Output {
    let file = ConfigFile::new(&format!("plan-{name}"), config);
    Command::new(env!("CARGO_BIN_EXE_scheduler"))
        .args(["plan", "--config"])
        .arg(&file.0)
        .args(arguments)
        .env_clear()
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn json(name: &str, config: &str, arguments: &[&str]) -> Value {
    let arguments: Vec<_> = arguments.iter().copied().chain(["--json"]).collect();
    let output = plan(name, config, &arguments);
    assert!(output.stderr.is_empty(), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A file of its own, gone with the value.
struct Temporary(PathBuf);

impl Temporary {
    fn new(name: &str, content: &str) -> Self {
        let path = env::temp_dir().join(format!("plan-{}-{name}", std::process::id()));
        fs::write(&path, content).unwrap();
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        fs::remove_file(&self.0).unwrap();
    }
}

fn near(value: &Value, expected: f64) -> bool {
    (value.as_f64().unwrap() / expected - 1.0).abs() < 1e-6
}

#[test]
fn tables_tell_what_levels_get_what_limits_are_used_for_and_what_breaks_first() {
    let output = plan("tables", CONFIG, &JOBS);
    assert!(output.status.success());
    let told = text(&output.stdout);
    for words in [
        "channel mastodon: 2,200 jobs",
        "What each level gets",
        "posts.gold",
        "5,000 / 15m",
        "intervals as configured",
        "x0.56 accounts",
        "9,000 / 15m  does not hold as it is",
        "max age of posts.default",
        "x6.25 accounts",
    ] {
        assert!(told.contains(words), "{words:?} not in {told}");
    }
    assert!(!told.contains('\x1b'), "colours are for terminals");
}

#[test]
fn promises_that_do_not_fit_are_an_alarm_and_exit_1() {
    let accounts: Vec<_> = JOBS.iter().copied().chain(["--accounts", "x7"]).collect();
    let output = plan("alarm", CONFIG, &accounts);
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stdout);
    assert!(
        told.contains("ALARM the promises of max_age do not fit scope app"),
        "{told}"
    );
    assert!(told.contains("it would need 5600"), "{told}");
    assert!(told.contains("15,400 jobs, x7.00 the accounts"), "{told}");
}

#[test]
fn json_has_the_same_for_machines() {
    let told = json("json", CONFIG, &JOBS);
    assert_eq!(told["channel"], "mastodon");
    assert_eq!(told["levels"][0]["level"], "gold");
    assert!(near(&told["scopes"][0]["windows"][0]["used"], 5_000.0));
    assert!(near(&told["breaks"][0]["accounts"], 5.0 / 9.0));
    assert_eq!(told["breaks"][0]["window"], "15m");
}

#[test]
fn limits_and_others_of_the_command_line_replace_those_of_the_rules() {
    let more = ["--limit", "app=30_000/30m", "--other", "app=40%"];
    let arguments: Vec<_> = JOBS.into_iter().chain(more).collect();
    let told = json("limits", CONFIG, &arguments);
    let window = &told["scopes"][0]["windows"][0];
    assert_eq!(
        (&window["limit"], &window["window"]),
        (&30_000.into(), &"30m".into())
    );
    assert!(near(&window["available"], 18_000.0) && near(&window["used"], 18_000.0));
}

fn adaptive() -> String {
    CONFIG.replace("interval = \"5m\"", "interval = \"1m\"\nadaptive = {}")
}

#[test]
fn rates_are_read_from_a_file_and_bad_rows_are_told() {
    let rows = "account,items_per_day\na,4\nb,many\nc,1\nd,-1\n";
    let file = Temporary::new("rates.csv", rows);
    let told = json(
        "rates",
        &adaptive(),
        &["--jobs", "posts=100", "--rates", file.path()],
    );
    assert!(near(&told["levels"][0]["items_per_day"], 2.5));
    let notes = told["notes"].to_string();
    assert!(
        notes.contains("line 3") && notes.contains("1 rates were left out"),
        "{notes}"
    );
}

#[test]
fn a_rate_of_a_level_is_stronger_than_that_of_its_type() {
    let rates = [
        "--rate",
        "1/day",
        "--rate",
        "posts=2/day",
        "--rate",
        "posts.gold=1/h",
    ];
    let arguments: Vec<_> = JOBS.into_iter().chain(rates).collect();
    let told = json("rate", &adaptive(), &arguments);
    assert!(near(&told["levels"][0]["items_per_day"], 24.0));
    assert!(near(&told["levels"][1]["items_per_day"], 2.0));
}

/// With calls for everybody once in 120 minutes and nothing promised, adaptive jobs of a constant
/// rate are polled as `replay`'s `clair-static` does, which knows all rates: 34.4 minutes.
#[test]
fn a_trace_gives_the_delay_that_replaying_it_at_these_rates_does() {
    let trace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../replay/traces/b-long180.csv.gz");
    let config = "[channels.a]\nstore = \"memory\"\n[channels.a.job_types.posts]\n\
                  interval = \"1m\"\nadaptive = { page = 20 }\nscopes = [\"app\"]\n";
    let accounts = 662;
    let jobs = format!("posts={accounts}");
    let limit = format!("app={accounts}/2h");
    let arguments = [
        "--jobs",
        &jobs,
        "--limit",
        &limit,
        "--trace",
        trace.to_str().unwrap(),
    ];
    let told = json("trace", config, &arguments);
    assert!(
        told["notes"].to_string().contains(" items of 662 accounts"),
        "{}",
        told["notes"]
    );
    let delay = told["levels"][0]["staleness_minutes"].as_f64().unwrap();
    assert!((delay / 34.4 - 1.0).abs() < 0.02, "{delay}");
}

#[test]
fn a_plot_shows_each_level_and_each_break() {
    let file = Temporary::new("plot.svg", "");
    let arguments: Vec<_> = JOBS.into_iter().chain(["--plot", file.path()]).collect();
    assert!(plan("plot", CONFIG, &arguments).status.success());
    let drawn = fs::read_to_string(file.path()).unwrap();
    for words in [
        "posts.gold",
        "posts.default",
        "intervals stretch (app)",
        "fails (app)",
        "this plan",
    ] {
        assert!(drawn.contains(words), "{words:?} is not drawn");
    }
}

#[test]
fn what_is_missing_or_wrong_is_told_with_what_to_do() {
    let refused = |name: &str, arguments: &[&str], words: &[&str]| {
        let output = plan(name, CONFIG, arguments);
        assert_ne!(output.status.code(), Some(0));
        let said = text(&output.stderr);
        for words in words {
            assert!(said.contains(words), "{words:?} not in {said}");
        }
    };
    refused(
        "none",
        &[],
        &["--jobs posts=1000", "posts.gold", "--registered"],
    );
    refused("type", &["--jobs", "post=1"], &["did you mean \"posts\"?"]);
    refused(
        "level",
        &["--jobs", "posts.gild=1"],
        &["did you mean gold?"],
    );
    refused(
        "channel",
        &["--channel", "mastodont"],
        &["did you mean \"mastodon\"?"],
    );
    refused(
        "memory",
        &["--registered"],
        &["keeps its jobs in the memory", "--jobs"],
    );
    refused("number", &["--jobs", "posts=-1"], &["not a whole number"]);
    refused("share", &["--other", "app=lots"], &["app=40%"]);
    refused(
        "window",
        &["--jobs", "posts=1", "--limit", "app=1/60d"],
        &["needs 1s to 31d"],
    );
    refused("scope", &["--limit", "a b=1/1m"], &["names no scope"]);
    refused("factor", &["--accounts", "x0"], &["above 0"]);
    let file = ["--jobs", "posts=1", "--rates", "/nowhere/rates.csv"];
    refused(
        "file",
        &file,
        &["--rates: /nowhere/rates.csv cannot be read"],
    );
    let empty = Temporary::new("empty.csv", "account,items_per_day\n");
    refused(
        "empty",
        &["--jobs", "posts=1", "--rates", empty.path()],
        &["has no rows"],
    );
    refused(
        "trace",
        &["--jobs", "posts=1", "--trace", empty.path()],
        &["--trace:", "unix_seconds"],
    );
}
