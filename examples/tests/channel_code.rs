//! How much an author writes for a channel: the lines of each example's `poll.rs`.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

const MAX_LINES: usize = 120;

/// Lines up to the tests: all of them, and those that are neither blank nor a comment.
struct Lines {
    all: usize,
    code: usize,
}

impl Lines {
    fn of(text: &str) -> Self {
        let before_tests = text.split("#[cfg(test)]").next().unwrap_or_default();
        let is_code = |line: &&str| !line.trim().is_empty() && !line.trim().starts_with("//");
        Self {
            all: before_tests.lines().count(),
            code: before_tests.lines().filter(is_code).count(),
        }
    }
}

/// The lines of each example that has a `poll.rs`.
fn examples() -> BTreeMap<String, Lines> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let polls = entries.filter_map(|entry| {
        let text = fs::read_to_string(entry.path().join("poll.rs")).ok()?;
        Some((entry.file_name().into_string().unwrap(), Lines::of(&text)))
    });
    polls.collect()
}

#[test]
fn the_code_of_a_channel_is_short() {
    let examples = examples();
    let mut table = format!("{:<16} {:>5} {:>5}", "example", "lines", "code");
    for (name, lines) in &examples {
        write!(table, "\n{name:<16} {:>5} {:>5}", lines.all, lines.code).unwrap();
    }
    println!("{table}");
    let channels: Vec<_> = examples.keys().map(String::as_str).collect();
    for channel in ["feeds", "github_events", "graph_feed", "mastodon"] {
        assert!(channels.contains(&channel), "{channel} has no poll.rs");
    }
    let longest = examples.values().map(|lines| lines.all).max();
    assert!(
        longest <= Some(MAX_LINES),
        "a poll.rs has more than {MAX_LINES} lines before its tests:\n{table}"
    );
}
