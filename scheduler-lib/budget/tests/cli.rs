//! The program from outside.
#![allow(clippy::unwrap_used)]

use std::{
    fs,
    process::{Command, Output},
};

use serde_json::Value;

fn budget(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_budget"));
    command.args(arguments).output().unwrap()
}

/// A run of a moment.
const TINY: [&str; 10] = [
    "--windows",
    "2",
    "--window-s",
    "120",
    "--jobs",
    "70",
    "--limit",
    "50",
    "--cushion",
    "5",
];

#[test]
fn json_and_plot_tell_of_the_same_run() {
    let file = std::env::temp_dir().join(format!("budget-{}.svg", std::process::id()));
    let plot = file.to_str().unwrap();
    let output = budget(&[&TINY[..], &["--json", "--plot", plot]].concat());
    let run: Value = serde_json::from_slice(&output.stdout).unwrap();
    let drawn = fs::read_to_string(&file).unwrap();
    fs::remove_file(&file).unwrap();
    assert_eq!(run["windows"].as_array().unwrap().len(), 2);
    assert_eq!(run["tiers"][0]["level"], "gold");
    let kept = run["holds"].as_object().unwrap();
    let all = kept.values().all(|kept| kept == true);
    assert_eq!(output.status.code(), Some(i32::from(!all)));
    assert!(drawn.contains("70 jobs and another product share 50 calls per 120 s"));
    for panel in ["Calls left of the limit", "Calls refused in a slot"] {
        assert!(drawn.contains(panel), "{panel}");
    }
}

#[test]
fn the_table_says_of_each_promise_whether_it_is_kept() {
    let table = String::from_utf8(budget(&TINY).stdout).unwrap();
    let promises: Vec<&str> = table
        .lines()
        .filter(|line| line.starts_with("holds") || line.starts_with("BROKEN"))
        .collect();
    assert_eq!(promises.len(), 4, "{table}");
    assert!(table.contains("70 jobs, one call each every"), "{table}");
}

#[test]
fn what_cannot_be_is_told_with_its_bounds() {
    for (arguments, told) in [
        (
            vec!["--cushion", "2000"],
            "--cushion 2000 leaves nothing to us: the other product may spend 60 % of the limit of 5000; it needs to \
             be below 2000",
        ),
        (
            vec!["--window-s", "90"],
            "--window-s 90 is not a number of whole slots: it needs to be a multiple of 60",
        ),
        (
            vec!["--demand", "0"],
            "it needs to be above 0 and at most 100",
        ),
        (vec!["--windows", "1"], "1 is not in 2..=1000"),
    ] {
        let output = budget(&arguments);
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains(told), "{error}");
        assert!(!output.status.success());
    }
}
