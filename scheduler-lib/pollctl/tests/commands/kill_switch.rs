//! Many jobs at once.

use serde_json::json;

use crate::support::Server;

async fn registered(jobs: usize) -> Server {
    let server = Server::start().await;
    let lines: String = (0..jobs)
        .map(|job| {
            format!(
                "{{\"job_type\":\"{}\",\"account\":\"{}\"}}\n",
                ["posts", "likes"][job % 2],
                job / 2
            )
        })
        .collect();
    let import = ["import", "--format", "jsonl"];
    assert_eq!(server.run_with(&import, &lines, None).await.code, 0);
    server
}

#[tokio::test]
async fn a_whole_channel_is_held_and_resumed_and_both_may_be_repeated() {
    // More than the two pages of one request each.
    let server = registered(1_200).await;
    for (command, told) in [
        (
            "pause",
            "channel mastodon: 1,200 jobs paused, 0 already were; 1,200 looked at\n",
        ),
        (
            "pause",
            "channel mastodon: 0 jobs paused, 1,200 already were; 1,200 looked at\n",
        ),
        (
            "resume",
            "channel mastodon: 1,200 jobs resumed, 0 already were; 1,200 looked at\n",
        ),
        // Nothing is held any more, so there is nothing to look at.
        (
            "resume",
            "channel mastodon: 0 jobs resumed, 0 already were; 0 looked at\n",
        ),
    ] {
        assert_eq!(server.told(&[command, "--all"]).await, told);
    }
}

#[tokio::test]
async fn jobs_are_held_by_account_and_by_type() {
    let server = registered(20).await;
    let done = server.json(&["pause", "--account", "3"]).await;
    let expected = json!({"channel": "mastodon", "seen": 20, "matched": 2, "changed": 2});
    assert_eq!(done, expected);
    assert_eq!(
        server.json(&["pause", "--job-type", "posts"]).await["changed"],
        9
    );
    let held = server.told(&["list", "--place", "paused", "--json"]).await;
    assert_eq!(held.lines().count(), 11);
}

#[tokio::test]
async fn nothing_is_held_unless_it_is_said_what() {
    let server = registered(2).await;
    for arguments in [
        &["pause"][..],
        &["pause", "--all", "--account", "1"],
        &["pause", "--all", "posts:0"],
        &["resume", "posts:0", "--place", "parked"],
    ] {
        let done = server.run(arguments).await;
        assert_eq!(done.code, 2, "{arguments:?}: {done:?}");
    }
    let held = server.run(&["list", "--place", "held"]).await;
    assert_eq!(held.out, "");
}
