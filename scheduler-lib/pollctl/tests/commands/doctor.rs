//! `doctor`

use scheduler::config::{Admin, Config};

use crate::support::{Done, Server};

/// A scheduler whose queues are on a port that takes no connections.
async fn ill() -> Server {
    let text = "[channels.mastodon]\nstore = \"memory\"\n\
                [channels.mastodon.queues]\ntransport = \"redis\"\nredis = \"redis://:hunter2hunter2@127.0.0.1:1/\"\n\
                [channels.mastodon.job_types.posts]\ninterval = \"30s\"\n";
    let config = Config::parse("s.toml", text, []).unwrap();
    Server::with(&["mastodon"], Admin::default(), Some(config)).await
}

fn said(done: &Done, words: &[&str]) {
    for words in words {
        assert!(done.out.contains(words), "{words} is not in {}", done.out);
    }
}

#[tokio::test]
async fn each_thing_that_is_wrong_is_told_with_its_mend_and_no_secret() {
    let server = ill().await;
    let done = server.run(&["doctor"]).await;
    // Not ready, three queues; the clock stands in the future, and an interval is short.
    assert_eq!((done.code, done.err.as_str()), (1, "error: 4 problems\n"));
    said(
        &done,
        &[
            "PROBLEM  mastodon: it is not ready: its slots have not been looked at yet\n    mend:  ",
            "polling-mastodon-posts",
            "polling-mastodon-completed",
            "polling-mastodon-dead-letter",
            "    mend:  start the queues' server",
            "ahead of the scheduler's\n    mend:  let NTP set the clocks",
            "shorter than a slot: its jobs are polled once a slot, every 1m\n    mend:  change it",
            "ok       mastodon: store this process's memory",
        ],
    );
    assert!(!done.out.contains("hunter2"), "{}", done.out);
    let done = server.run(&["doctor", "--json"]).await;
    let told: serde_json::Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!((done.code, &told["ok"]), (1, &false.into()));
    assert_eq!(told["findings"][0]["severity"], "problem");
}

#[tokio::test]
async fn without_a_scheduler_it_says_where_to_look() {
    let server = Server::start().await;
    let done = server.run(&["--url", "http://127.0.0.1:1", "doctor"]).await;
    assert_eq!(done.code, 5);
    assert!(done.err.contains("`scheduler --check`"), "{done:?}");
}
