//! The rules as Prometheus itself sees them. `dev/services` gives `promtool`.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use polling_ops::objectives::rules;

use super::{lateness, staleness};

/// A folder that goes away with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path =
            env::temp_dir().join(format!("polling-objectives-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        std::fs::write(path.join("rules.yaml"), rules(&[staleness(), lateness()])).unwrap();
        Self(path)
    }

    /// Runs these tests of the rules, which are evaluated every so often: days take long every minute.
    fn test(&self, every: &str, text: &str) {
        let file = self.0.join("tests.yaml");
        let text =
            format!("rule_files: [rules.yaml]\nevaluation_interval: {every}\ntests:\n{text}");
        std::fs::write(&file, text).unwrap();
        promtool(&["test", "rules"], &file);
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn promtool(command: &[&str], file: &Path) {
    let program = env::var_os("POLLING_PROMTOOL").unwrap_or_else(|| "promtool".into());
    let output = Command::new(&program).args(command).arg(file).output();
    let output = output.unwrap_or_else(|error| {
        panic!("{program:?}: {error}; `dev/services up prometheus` installs it")
    });
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{said}");
}

/// The counters of two replicas, a value each minute.
fn series(name: &str, labels: &str, values: &str) -> String {
    let of = |instance: u32| {
        format!(
            "      - series: '{name}{{channel=\"mastodon\",{labels}instance=\"{instance}\"}}'\n        values: '{values}'\n"
        )
    };
    of(1) + &of(2)
}

/// Events of gold: all of them, and those that are stale.
fn gold(all: &str, stale: &str) -> String {
    series(
        "polling_staleness_objective_events_total",
        "level=\"gold\",",
        all,
    ) + &series(
        "polling_staleness_missed_events_total",
        "level=\"gold\",",
        stale,
    )
}

/// A test on those series, with what is asked of it.
fn on(series: &str, asked: &[String]) -> String {
    let asked = asked.concat();
    format!("  - interval: 1m\n    input_series:\n{series}    promql_expr_test:\n{asked}")
}

/// The value of a query without labels at a time.
fn value(query: &str, at: &str, expected: f64) -> String {
    format!(
        "      - expr: '{query}'\n        eval_time: {at}\n        exp_samples: [{{ labels: '{{}}', value: {expected} }}]\n"
    )
}

/// How many alerts of a name fire at a time.
fn firing(name: &str, at: &str, expected: u8) -> String {
    let query = format!("count(ALERTS{{alertname=\"{name}\",alertstate=\"firing\"}}) or vector(0)");
    value(&query, at, expected.into())
}

const FAST: &str = "PollingStalenessBudgetBurnsFast";
const SLOWLY: &str = "PollingStalenessBudgetBurnsSlowly";

#[test]
#[ignore = "needs dev/services"]
fn the_rules_are_accepted() {
    let folder = Folder::new("check");
    promtool(&["check", "rules"], &folder.0.join("rules.yaml"));
}

#[test]
#[ignore = "needs dev/services"]
fn nothing_fires_while_half_of_the_budget_is_used() {
    let series = gold("0+600x4400", "0+3x4400");
    let mut asked = Vec::new();
    for at in ["10m", "2h", "1d", "3d"] {
        asked.extend([firing(FAST, at, 0), firing(SLOWLY, at, 0)]);
    }
    let left = "sum(round(channel_level:polling_staleness_budget_left:ratio, 0.001))";
    asked.push(value(left, "3d", 0.5));
    Folder::new("healthy").test("5m", &on(&series, &asked));
}

#[test]
#[ignore = "needs dev/services"]
fn a_burst_of_stale_events_pages_within_minutes_and_the_page_ends_after_it() {
    // Two healthy hours, ten minutes in which every event is stale, two healthy hours.
    let series = gold("0+60x250", "0+0x120 60+60x9 600+0x120");
    let asked = [
        firing(FAST, "2h", 0),
        firing(FAST, "2h10m", 1),
        firing(FAST, "2h45m", 0),
    ];
    Folder::new("burst").test("1m", &on(&series, &asked));
}

#[test]
#[ignore = "needs dev/services"]
fn a_leak_opens_a_ticket_and_wakes_nobody() {
    // Four in a hundred are stale: four times what the budget allows.
    let series = gold("0+100x1500", "0+4x1500");
    let asked = [
        firing(SLOWLY, "1d", 1),
        firing(FAST, "1d", 0),
        value(
            "sum(round(channel_level:polling_staleness_missed:ratio_rate1d, 0.001))",
            "1d",
            0.04,
        ),
    ];
    Folder::new("leak").test("5m", &on(&series, &asked));
}

#[test]
#[ignore = "needs dev/services"]
fn without_events_nothing_fires() {
    let series = gold("500x300", "7x300");
    let asked = [firing(FAST, "4h", 0), firing(SLOWLY, "4h", 0)];
    Folder::new("silent").test("5m", &on(&series, &asked));
}

#[test]
#[ignore = "needs dev/services"]
fn late_jobs_page_too() {
    let series = series("polling_lateness_objective_jobs_total", "", "0+100x120")
        + &series("polling_lateness_missed_jobs_total", "", "0+0x60 50+50x60");
    let asked = [
        firing("PollingLatenessBudgetBurnsFast", "1h", 0),
        firing("PollingLatenessBudgetBurnsFast", "1h30m", 1),
        firing(FAST, "1h30m", 0),
    ];
    Folder::new("late").test("5m", &on(&series, &asked));
}
