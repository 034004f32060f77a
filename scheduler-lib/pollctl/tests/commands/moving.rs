//! Jobs moved, and a channel stopped.

use scheduler::config::Admin;
use scheduler_lib::SlotStore;
use serde_json::json;

use crate::support::{NOW_MS, Server};

const HOUR_MS: i64 = 3_600_000;

async fn registered(server: &Server, channel: &str, accounts: usize) {
    let line = |account| format!("{{\"job_type\":\"posts\",\"account\":\"{account}\"}}\n");
    let lines: String = (0..accounts).map(line).collect();
    let import = ["--channel", channel, "import", "--format", "jsonl"];
    assert_eq!(server.run_with(&import, &lines, None).await.code, 0);
}

#[tokio::test]
async fn what_would_be_moved_is_counted_and_nothing_is_done_unless_confirmed() {
    let server = Server::start().await;
    registered(&server, "mastodon", 3).await;
    let all = ["move", "--all", "--to", "held"];
    let told = server.told(&[&all[..], &["--dry-run"]].concat()).await;
    assert_eq!(
        told,
        "channel mastodon: 3 jobs would be moved out of the cycle, until they are resumed (3 slot); nothing was done\n"
    );
    let done = server.run(&all).await;
    assert!(done.code == 2 && done.err.contains("--yes"), "{done:?}");
    let done = server.run_with(&all, "no\n", None).await;
    assert!(
        done.code == 1 && done.err.contains("every job of channel mastodon"),
        "{done:?}"
    );
    assert_eq!(server.store.counts().await.unwrap().held, 0);
    let done = server.run_with(&all, "y\n", None).await;
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(server.store.counts().await.unwrap().held, 3);
}

#[tokio::test]
async fn jobs_are_moved_to_a_time_spread_and_what_is_held_is_left() {
    let server = Server::start().await;
    registered(&server, "mastodon", 40).await;
    server.told(&["pause", "posts:0"]).await;
    let to = [
        "move",
        "--job-type",
        "posts",
        "--to",
        "+2h",
        "--over",
        "1h",
        "--yes",
    ];
    assert_eq!(
        server.told(&to).await,
        "channel mastodon: 39 of 40 jobs moved to between 2027-01-15 10:00:00 and 2027-01-15 11:00:00 UTC\n\
         1 had nothing to change: held, or there already\n"
    );
    let page = server.store.list(None, 100).await.unwrap().records;
    let due = page.iter().filter(|record| record.id.as_str() != "posts:0");
    let hours: Vec<_> = due
        .map(|record| (record.state.due_ms - NOW_MS) / HOUR_MS)
        .collect();
    assert_eq!(hours, [2; 39]);
    let one = ["move", "posts:1", "--to", "2027-01-15T09:00:00Z", "--yes"];
    let told = server.told(&one).await;
    assert!(
        told.contains("1 of 1 jobs moved to 2027-01-15 09:00:00 UTC"),
        "{told}"
    );
    let now = server
        .json(&["move", "--account", "2", "--to", "now", "--yes"])
        .await;
    let expected =
        json!({"channel": "mastodon", "seen": 40, "matched": 1, "moved": 1, "in_flight": 0});
    assert_eq!(now, expected);
    let one = ["move", "posts:77", "--to", "now", "--yes"];
    assert_eq!(server.run(&one).await.code, 3);
}

#[tokio::test]
async fn jobs_are_moved_to_another_channel_and_are_there_once() {
    let server = Server::with(&["github", "mastodon"], Admin::default(), None).await;
    registered(&server, "mastodon", 5).await;
    registered(&server, "github", 1).await;
    let from = ["--channel", "mastodon", "move", "--all", "--to"];
    for wrong in ["channel:mastodon", "channel:gitub"] {
        let done = server.run(&[&from[..], &[wrong, "--yes"]].concat()).await;
        assert!([3, 4].contains(&done.code), "{done:?}");
    }
    let told = server
        .told(&[&from[..], &["channel:github", "--yes"]].concat())
        .await;
    assert_eq!(
        told,
        "channel mastodon: 4 of 5 jobs moved to channel github\n1 had nothing to change: held, or there already\n"
    );
    let listed = async |channel| {
        let told = server.told(&["--channel", channel, "list", "--json"]).await;
        told.lines().count()
    };
    assert_eq!((listed("mastodon").await, listed("github").await), (0, 5));
}

#[tokio::test]
async fn a_channel_is_stopped_and_goes_on() {
    let server = Server::start().await;
    registered(&server, "mastodon", 1).await;
    let done = server.run(&["channel", "stop"]).await;
    assert!(done.code == 2 && done.err.contains("--yes"), "{done:?}");
    let stop = ["channel", "stop", "--reason", "they asked for it", "--yes"];
    let told = server.told(&stop).await;
    assert!(told.contains("channel mastodon is stopped"), "{told}");
    let stopped = server.store.stopped().await.unwrap();
    assert_eq!(stopped.as_deref(), Some("they asked for it"));
    let told = server.told(&["channels"]).await;
    assert!(told.contains("stopped: they asked for it"), "{told}");
    let told = server.told(&["explain", "posts:0"]).await;
    assert!(
        told.contains("the channel is stopped (they asked for it)"),
        "{told}"
    );
    assert_eq!(
        server.told(&["channel", "start"]).await,
        "channel mastodon goes on\n"
    );
    assert_eq!(server.store.stopped().await.unwrap(), None);
}

/// The scheduler's program does it, with the same arguments.
#[tokio::test]
async fn a_channel_is_added_by_the_schedulers_program() {
    let server = Server::start().await;
    let add = ["channel", "add", "--config", "s.toml", "--scheduler"];
    let arguments = ["github", "--job-type", "issues=5m", "--dry-run"];
    let told = server
        .told(&[&add[..], &["echo"], &arguments].concat())
        .await;
    assert_eq!(
        told,
        "--config s.toml add-channel github --job-type issues=5m --dry-run\n"
    );
    let done = server
        .run(&[&add[..], &["false"], &arguments].concat())
        .await;
    assert!(
        done.code == 1 && done.err.contains("repeat the command"),
        "{done:?}"
    );
    let done = server
        .run(&[&add[..], &["/no/such"], &arguments].concat())
        .await;
    assert!(
        done.code == 2 && done.err.contains("POLLCTL_SCHEDULER"),
        "{done:?}"
    );
}
