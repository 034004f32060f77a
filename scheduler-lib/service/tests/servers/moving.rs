//! Jobs that move from one store to another, of another number of shards.

use std::{
    io::Write,
    process::{Command, Output, Stdio},
};

use polling_model::Generator;
use serde_json::Value;

use crate::{service::variable, support::ConfigFile};

/// How many jobs are moved: several pages of them.
const JOBS: usize = 2_500;

/// Two channels that no other test has, of one and of three shards.
struct Channels {
    names: [String; 2],
    file: ConfigFile,
}

impl Channels {
    fn new() -> Self {
        let url = variable("POLLING_REDIS_URL");
        let random = Generator::from_os().nonce();
        let names = ["one", "three"].map(|name| format!("moving-{name}-{random}"));
        let channel = |name: &str, shards: usize| {
            format!(
                "[channels.{name}]\nredis = \"{url}\"\nshards = {shards}\n\
                 [channels.{name}.job_types.posts]\ninterval = \"5m\"\n"
            )
        };
        let text = [channel(&names[0], 1), channel(&names[1], 3)].concat();
        let file = ConfigFile::new(&names[0], &text);
        Self { names, file }
    }

    fn run(&self, arguments: &[&str], input: &str) -> Output {
        let mut program = Command::new(env!("CARGO_BIN_EXE_scheduler"))
            .arg("--config")
            .arg(&self.file.0)
            .args(arguments)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = program.stdin.take().unwrap();
        let input = input.to_owned();
        let writing = std::thread::spawn(move || {
            // A program that refuses its arguments reads nothing.
            let _ = stdin.write_all(input.as_bytes());
        });
        let output = program.wait_with_output().unwrap();
        writing.join().unwrap();
        output
    }

    fn export(&self, name: &str) -> Vec<String> {
        let output = self.run(&["export", name, "--quiet"], "");
        assert!(output.status.success(), "{}", errors(&output));
        assert_eq!(errors(&output), "");
        let mut lines: Vec<_> = String::from_utf8(output.stdout)
            .unwrap()
            .lines()
            .map(str::to_owned)
            .collect();
        lines.sort();
        lines.dedup();
        lines
    }

    fn import(&self, name: &str, lines: &str, options: &[&str]) -> (Option<i32>, Value) {
        let output = self.run(&[&["import", name, "--json"], options].concat(), lines);
        let told = errors(&output);
        let last = told.lines().last().unwrap_or_default();
        let figures = serde_json::from_str(last);
        (
            output.status.code(),
            figures.unwrap_or_else(|_| panic!("{told}")),
        )
    }
}

fn errors(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn lines() -> Vec<String> {
    let line = |number: usize| {
        let hold = if number.is_multiple_of(7) {
            r#","hold":"paused""#
        } else {
            ""
        };
        format!(
            r#"{{"v":1,"id":"posts:{number}","job_type":"posts","account":"{number}","level":"gold","cushion":"5%","context":{{"seen":{number}}},"due_ms":{due_ms}{hold},"attempts":2,"scopes":["app"],"reasons":["1700000000000 polled"]}}"#,
            due_ms = 4_000_000_000_000u64 + number as u64,
        )
    };
    let mut lines: Vec<_> = (0..JOBS).map(line).collect();
    lines.sort();
    lines
}

#[test]
#[ignore = "needs dev/services"]
fn jobs_move_to_another_number_of_shards_as_they_are() {
    let channels = Channels::new();
    let [one, three] = &channels.names;
    let lines = lines();
    let text = lines.join("\n");
    let (code, told) = channels.import(one, &text, &[]);
    assert_eq!((code, &told["created"]), (Some(0), &JOBS.into()), "{told}");
    let exported = channels.export(one);
    assert_eq!(exported, lines);

    let (code, told) = channels.import(three, &exported.join("\n"), &[]);
    assert_eq!((code, &told["created"]), (Some(0), &JOBS.into()), "{told}");
    assert_eq!(channels.export(three), lines);
    // Once more, as after an import that broke off; the first half is not even looked at.
    let half = serde_json::from_str::<Value>(&lines[JOBS / 2 - 1]).unwrap();
    let after = ["--after", half["id"].as_str().unwrap()];
    let (code, told) = channels.import(three, &text, &after);
    assert_eq!(code, Some(0), "{told}");
    assert_eq!(
        (&told["skipped"], &told["existing"]),
        (&(JOBS / 2).into(), &(JOBS / 2).into())
    );
}

#[test]
#[ignore = "needs dev/services"]
fn lines_that_are_no_jobs_are_told_and_keep_no_other_out() {
    let channels = Channels::new();
    let [_, three] = &channels.names;
    let good = &lines()[0];
    let other = good.replace("\"job_type\":\"posts\"", "\"job_type\":\"post\"");
    let text = format!(
        "nonsense\n{good}\n{other}\n{}\n",
        good.replace("\"v\":1", "\"v\":9")
    );
    let (code, told) = channels.import(three, &text, &[]);
    assert_eq!((code, &told["created"]), (Some(1), &1.into()), "{told}");
    let problems = told["problems"].to_string();
    for words in [
        "line 1: expected",
        "line 3: unknown job type",
        "line 4: version 9",
    ] {
        assert!(problems.contains(words), "{words} is not in {problems}");
    }
    let output = channels.run(&["import", three, "--after", "posts:none"], &text);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        errors(&output).contains("the file has no such job"),
        "{}",
        errors(&output)
    );
    let output = channels.run(&["export", "moving"], "");
    assert!(
        errors(&output).contains("unknown channel"),
        "{}",
        errors(&output)
    );
}
