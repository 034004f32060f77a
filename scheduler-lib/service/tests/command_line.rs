//! The program as it is called.
#![allow(clippy::unwrap_used)]

mod support;

use std::{
    io::Write as _,
    net::{SocketAddr, TcpListener},
    process::{Command, Output, Stdio},
};

use scheduler::cli::EXAMPLE_CONFIG;
use serde_json::Value;
use support::ConfigFile;
use tokio::net::TcpSocket;

fn run(file: &ConfigFile, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_scheduler"))
        .arg("--config")
        .arg(&file.0)
        .args(arguments)
        .env_clear()
        .envs([
            ("AWS_ACCESS_KEY_ID", "local"),
            ("AWS_SECRET_ACCESS_KEY", "local"),
            ("AWS_REGION", "us-east-1"),
        ])
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A port of this machine that is taken, but refuses connections for as long as the value lives.
struct Refusing(TcpSocket);

impl Refusing {
    fn new() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        Self(socket)
    }

    fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }
}

fn config(redis: &Refusing, sqs: &Refusing) -> String {
    let (redis, sqs) = (redis.port(), sqs.port());
    format!(
        "[sqs]\nendpoint = \"http://127.0.0.1:{sqs}\"\n\
         [channels.mastodon]\nredis = \"redis://:hunter2hunter2@127.0.0.1:{redis}/0\"\n\
         [channels.mastodon.job_types.posts]\ninterval = \"5m\"\n"
    )
}

#[test]
fn a_check_names_each_server_that_cannot_be_reached_and_what_was_tried() {
    let (redis, sqs) = (Refusing::new(), Refusing::new());
    let file = ConfigFile::new("unreachable", &config(&redis, &sqs));
    let output = run(&file, &["--check"]);
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stdout);
    let lines: Vec<_> = told.lines().collect();
    assert_eq!(lines[0], "channel mastodon");
    let said = |line: &str, words: &[&str]| {
        assert!(
            words.iter().all(|word| line.contains(word)),
            "{words:?} not in {line}"
        );
    };
    let redis = format!("open on the store at 127.0.0.1:{} failed", redis.port());
    said(lines[1], &["FAILED", "store", &redis, "Connection refused"]);
    let sqs = format!("GetQueueUrl at http://127.0.0.1:{}/", sqs.port());
    said(
        lines[2],
        &[
            "FAILED",
            "work posts",
            "polling-mastodon-posts",
            &sqs,
            "Connection refused",
        ],
    );
    said(
        lines[3],
        &["FAILED", "completed", "polling-mastodon-completed", &sqs],
    );
    said(
        lines[4],
        &[
            "FAILED",
            "dead letter",
            "polling-mastodon-dead-letter",
            &sqs,
        ],
    );
    assert_eq!(
        lines.last(),
        Some(&"4 problems: the scheduler would not start")
    );
    assert!(!told.contains("hunter2") && !text(&output.stderr).contains("hunter2"));
}

#[test]
fn a_check_can_be_read_by_programs() {
    let file = ConfigFile::new("json", &config(&Refusing::new(), &Refusing::new()));
    let output = run(&file, &["--check", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["ok"], false);
    assert_eq!(
        report["channels"][0]["problems"].as_array().unwrap().len(),
        4
    );

    let file = ConfigFile::new("json-refused", "[admin]\nlisen = 1\n[channels]\n");
    let output = run(&file, &["--check", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(
        report["problems"][0]
            .as_str()
            .unwrap()
            .contains("did you mean \"listen\"?"),
        "{report}"
    );
}

#[test]
fn a_start_without_its_servers_tells_all_of_them() {
    let text_of =
        config(&Refusing::new(), &Refusing::new()) + "[admin]\nlisten = \"127.0.0.1:0\"\n";
    let output = run(&ConfigFile::new("start", &text_of), &[]);
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stderr);
    assert!(
        told.starts_with(
            "error: the scheduler cannot start: channel mastodon: open on the store at "
        ),
        "{told}"
    );
    assert_eq!(told.matches("channel mastodon: ").count(), 4, "{told}");
}

#[test]
fn off_loopback_it_does_not_start_without_a_token() {
    let text_of = config(&Refusing::new(), &Refusing::new()) + "[admin]\nlisten = \"0.0.0.0:0\"\n";
    let output = run(&ConfigFile::new("open", &text_of), &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("admin.listen: 0.0.0.0:0 is not loopback"));
}

#[test]
fn a_taken_address_is_told_before_anything_is_opened() {
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = taken.local_addr().unwrap();
    let text_of = format!(
        "{}[admin]\nlisten = \"{address}\"\n",
        config(&Refusing::new(), &Refusing::new())
    );
    let output = run(&ConfigFile::new("taken", &text_of), &[]);
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stderr);
    assert!(
        told.starts_with(&format!(
            "error: admin.listen {address} cannot be listened on: "
        )),
        "{told}"
    );
}

#[test]
fn a_taken_address_for_probes_is_told_too() {
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = taken.local_addr().unwrap();
    let text_of = format!(
        "{}[admin]\nlisten = \"127.0.0.1:0\"\n[health]\ngrpc_listen = \"{address}\"\n",
        config(&Refusing::new(), &Refusing::new())
    );
    let output = run(&ConfigFile::new("taken-probes", &text_of), &[]);
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stderr);
    assert!(
        told.starts_with(&format!(
            "error: health.grpc_listen {address} cannot be listened on: "
        )),
        "{told}"
    );
}

#[test]
fn the_example_is_printed() {
    let output = run(&ConfigFile::new("example", ""), &["example-config"]);
    assert!(output.status.success());
    assert_eq!(text(&output.stdout), EXAMPLE_CONFIG);
}

#[test]
fn the_help_teaches_the_first_steps() {
    let output = run(&ConfigFile::new("help", ""), &["--help"]);
    let told = text(&output.stdout);
    for step in [
        "scheduler example-config > scheduler.toml",
        "scheduler create-queues",
        "scheduler --check",
        "curl -d",
        "POLLING__ADMIN__LISTEN",
    ] {
        assert!(told.contains(step), "{step} is not in {told}");
    }
    let output = run(&ConfigFile::new("usage", ""), &["--json"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn explain_says_where_to_ask_when_the_channel_is_in_another_process() {
    let text_of = "[channels.mastodon]\nstore = \"memory\"\n\
                   [channels.mastodon.job_types.posts]\ninterval = \"5m\"\n";
    let file = ConfigFile::new("explain", text_of);
    let output = run(&file, &["explain", "mastodon", "posts:42"]);
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stderr);
    assert!(
        told.contains("/v1/channels/mastodon/jobs/posts:42/explain"),
        "{told}"
    );
    let output = run(&file, &["explain", "mastodn", "posts:42"]);
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stderr);
    assert!(told.contains("did you mean \"mastodon\"?"), "{told}");
}

#[test]
fn a_channel_that_would_be_refused_is_not_written() {
    let (redis, sqs) = (Refusing::new(), Refusing::new());
    let before = config(&redis, &sqs);
    let file = ConfigFile::new("adding", &before);
    let add = [
        "add-channel",
        "github",
        "--dry-run",
        "--redis",
        "redis://h/",
        "--job-type",
    ];
    let add = |last: &[&'static str]| run(&file, &[&add[..], last].concat());
    let output = add(&["issues=5m", "--aws-account", "123456789012"]);
    let told = text(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    for words in [
        "[channels.github.job_types.issues]\ninterval = \"5m\"",
        "\"arn:aws:sqs:us-east-1:123456789012:polling-github-issues\"",
        "redis-cli ACL SETUSER scheduler on '>PASSWORD' '~polling:{github:*' +@hash",
    ] {
        assert!(told.contains(words), "{words} is not in {told}");
    }
    for (last, words) in [
        (
            &["issues=1ms"][..],
            "channels.github.job_types.issues: interval",
        ),
        (&["issues=x"], "no duration"),
        (
            &["issues=5m", "--prefix", "polling mastodon"],
            "the queue's name",
        ),
    ] {
        let output = add(last);
        let told = text(&output.stderr);
        assert!(
            !output.status.success() && told.contains(words),
            "{last:?}: {told}"
        );
    }
    let secret = [
        "add-channel",
        "github",
        "--job-type",
        "issues=5m",
        "--redis",
        "redis://:hunter2@h/",
    ];
    let output = run(&file, &secret);
    let told = text(&output.stderr);
    let mend = "set POLLING__CHANNELS__GITHUB__REDIS instead";
    assert!(
        !output.status.success() && told.contains(mend) && !told.contains("hunter2"),
        "{told}"
    );
    assert_eq!(std::fs::read_to_string(&file.0).unwrap(), before);
}

#[test]
fn settings_that_may_change_are_told_and_values_are_checked_without_a_server() {
    let text = "[channels.mastodon]\nstore = \"memory\"\njob_types.posts.interval = \"5m\"\n";
    let file = ConfigFile::new("settings", text);
    let told = text_of(&run(&file, &["settings"]));
    assert!(told.contains("mastodon/posts/interval = 5m "), "{told}");

    let values = "{\"mastodon/posts/interval\": \"often\", \"mastodon/posts/cushion\": \"20%\", \"mastodon/posts/worker/x\": \"1\"}";
    let mut child = Command::new(env!("CARGO_BIN_EXE_scheduler"))
        .arg("--config")
        .arg(&file.0)
        .args(["settings", "--check"])
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(values.as_bytes())
        .unwrap();
    let told: Value = serde_json::from_slice(&child.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!(told["settings"]["mastodon/posts/interval"]["static"], "5m");
    assert_eq!(
        told["others"],
        serde_json::json!(["mastodon/posts/worker/x"])
    );
    let refused = told["refused"].as_object().unwrap();
    let keys: Vec<_> = refused.keys().collect();
    assert_eq!(keys, ["mastodon/posts/interval"], "{told}");
}

fn text_of(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    text(&output.stdout)
}
