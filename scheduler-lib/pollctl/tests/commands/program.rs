//! The program as it is called: its help, its exit codes.

use std::process::{Command, Output};

use crate::support::Server;

/// Runs the program beside the server, which needs this thread.
async fn run(arguments: Vec<String>) -> Output {
    let call = move || {
        Command::new(env!("CARGO_BIN_EXE_pollctl"))
            .args(arguments)
            .env_clear()
            .output()
            .unwrap()
    };
    tokio::task::spawn_blocking(call).await.unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn each_exit_code_of_the_help_is_given() {
    let server = Server::start().await;
    for (code, arguments) in [
        (0, "channels"),
        (1, "health"),
        (2, "chanels"),
        (2, "pause"),
        (3, "show posts:42"),
        (4, "register post 42"),
        (5, "--url http://127.0.0.1:1 channels"),
    ] {
        let mut all = vec!["--url".to_owned(), server.url.clone()];
        all.extend(arguments.split(' ').map(str::to_owned));
        if arguments.starts_with("--url") {
            all.drain(..2);
        }
        let output = run(all).await;
        assert_eq!(output.status.code(), Some(code), "{arguments}: {output:?}");
    }
    let help = text(&run(vec!["--help".to_owned()]).await.stdout);
    for code in [
        "  0  done",
        "  1  ",
        "  2  wrong command line",
        "  3  no such job",
        "  4  ",
        "  5  no answer",
    ] {
        assert!(help.contains(code), "{code} is not in {help}");
    }
}

#[tokio::test]
async fn a_wrong_command_is_told_with_the_nearest() {
    let output = run(vec!["chanels".to_owned()]).await;
    assert!(text(&output.stderr).contains("channels"), "{output:?}");
}

#[tokio::test]
async fn shells_get_their_completions() {
    for (shell, words) in [
        ("bash", "_pollctl()"),
        ("zsh", "#compdef pollctl"),
        ("fish", "complete -c pollctl"),
    ] {
        let output = run(vec!["completions".to_owned(), shell.to_owned()]).await;
        assert!(
            output.status.success() && text(&output.stdout).contains(words),
            "{shell}"
        );
    }
}

#[tokio::test]
async fn into_a_file_no_colours_are_written() {
    let server = Server::start().await;
    let output = run(vec![
        "--url".to_owned(),
        server.url.clone(),
        "queues".to_owned(),
    ])
    .await;
    assert!(
        output.status.success() && !output.stdout.contains(&0x1b),
        "{output:?}"
    );
}
