//! `scale`

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use polling_model::{Clock, Generator};
use polling_ops::{keda::Target, scaling::Decision};
use scheduler::scaling::Decided;
use serde_json::Value;

use crate::support::{NOW_MS, Server};

/// The scheduler decides anew.
fn decide(server: &Server, workers: u32) {
    let target = Target {
        channel: "mastodon".parse().unwrap(),
        job_type: "posts".parse().unwrap(),
    };
    let decision = Decision {
        workers,
        ready: workers,
        needed: f64::from(workers),
        cause: "coming",
        limit: "none",
        reason: format!("{workers} workers, for what comes"),
    };
    let at_ms = server.clock.now_ms();
    server.decisions.post(target, Decided { decision, at_ms });
}

/// A program that notes its arguments, one in brackets each, and ends with an exit code.
struct Command(PathBuf);

impl Command {
    fn new(code: u8) -> Self {
        let folder = std::env::temp_dir().join(format!("scale-{}", Generator::from_os().nonce()));
        fs::create_dir(&folder).unwrap();
        let program = folder.join("set");
        let script = format!(
            "#!/bin/sh\nprintf '[%s]' \"$@\" >> '{0}/calls'\necho >> '{0}/calls'\necho no such deployment >&2\nexit {code}\n",
            folder.display()
        );
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        Self(folder)
    }

    fn line(&self) -> String {
        format!(
            "{}/set '{{job_type}};' {{workers}} a\"b c\"",
            self.0.display()
        )
    }

    fn calls(&self) -> Vec<String> {
        calls(&self.0)
    }
}

fn calls(folder: &Path) -> Vec<String> {
    let text = fs::read_to_string(folder.join("calls")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

impl Drop for Command {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

#[tokio::test]
async fn numbers_are_told_with_their_reasons() {
    let server = Server::start().await;
    let done = server.run(&["scale"]).await;
    assert!(done.code == 0 && done.out.is_empty(), "{done:?}");
    assert!(done.err.contains("[scaling.channels.mastodon]"), "{done:?}");
    decide(&server, 12);
    server.clock.set(NOW_MS + 4_000);
    assert_eq!(
        server.told(&["scale"]).await,
        "JOB TYPE  WORKERS  DECIDED  WHY\nposts          12  4s ago   12 workers, for what comes\n"
    );
    let told = server.json(&["scale"]).await;
    assert_eq!((&told["workers"], &told["was"]), (&12.into(), &Value::Null));
}

#[tokio::test]
async fn a_change_is_told_and_set_once_by_a_command_that_no_shell_sees() {
    let server = Server::start().await;
    let command = Command::new(0);
    decide(&server, 3);
    let line = command.line();
    let watch = [
        "scale", "--watch", "--every", "100ms", "--looks", "20", "--exec", &line,
    ];
    let watching = server.told(&watch);
    let changing = async {
        for _ in 0..1_000 {
            if !command.calls().is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // Too soon for another call; then not.
        decide(&server, 4);
        tokio::time::sleep(Duration::from_millis(300)).await;
        let early = command.calls();
        server.clock.set(NOW_MS + 31_000);
        decide(&server, 5);
        early
    };
    let (told, early) = tokio::join!(watching, changing);
    assert_eq!(early, ["[posts;][3][ab c]"]);
    assert_eq!(command.calls(), ["[posts;][3][ab c]", "[posts;][5][ab c]"]);
    for words in ["  posts  3 -> 4  4 workers", "  posts  4 -> 5  5 workers"] {
        assert!(told.contains(words), "{told}");
    }
}

#[tokio::test]
async fn a_number_that_nobody_confirms_is_left_as_it_is() {
    let server = Server::start().await;
    let command = Command::new(0);
    decide(&server, 3);
    server.clock.set(NOW_MS + 61_000);
    let told = server.json(&["scale", "--exec", &command.line()]).await;
    assert_eq!((&told["stale"], command.calls().len()), (&true.into(), 0));
}

#[tokio::test]
async fn a_command_that_fails_is_tried_three_times_and_told() {
    let server = Server::start().await;
    let command = Command::new(7);
    decide(&server, 3);
    let done = server.run(&["scale", "--exec", &command.line()]).await;
    assert_eq!((done.code, command.calls().len()), (1, 3), "{done:?}");
    let words = "posts: 3 workers are not set";
    assert!(
        done.err.contains(words) && done.err.contains("no such deployment"),
        "{done:?}"
    );
}
