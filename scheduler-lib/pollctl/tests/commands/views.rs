//! What is told of a channel as a whole.

use std::time::Duration;

use serde_json::json;

use crate::support::Server;

#[tokio::test]
async fn channels_are_told_with_their_counts() {
    let server = Server::start().await;
    server.told(&["register", "posts", "1"]).await;
    let told = server.told(&["channels"]).await;
    let expected = "CHANNEL   JOBS  IN SLOTS  IN FLIGHT  LATER  HELD  LAST TICK\n\
                    mastodon     1         1          0      0     0  never\n";
    assert_eq!(told, expected);
}

#[tokio::test]
async fn a_scheduler_that_is_not_ready_says_why() {
    let server = Server::start().await;
    let done = server.run(&["health"]).await;
    assert_eq!(done.code, 1);
    assert!(
        done.out
            .contains("mastodon  no     its slots have not been looked at yet"),
        "{done:?}"
    );
    assert_eq!(done.err, "error: the scheduler is not ready\n");
}

#[tokio::test]
async fn slots_are_drawn_as_bars() {
    let server = Server::start().await;
    for account in 0..50 {
        server
            .told(&["register", "posts", &account.to_string()])
            .await;
    }
    let told = server
        .told(&["slots", "--slots", "10", "--bars", "2"])
        .await;
    let lines: Vec<_> = told.lines().collect();
    assert!(
        lines[1].starts_with("now   5m") && lines[1].contains('█'),
        "{told}"
    );
    assert!(lines[2].starts_with("5m    10m"), "{told}");
    assert_eq!(lines.last(), Some(&"50 posts"));
    assert_eq!(
        server.json(&["slots"]).await["bars"]
            .as_array()
            .unwrap()
            .len(),
        24
    );
}

#[tokio::test]
async fn queues_are_told_with_depth_and_the_age_of_the_oldest() {
    let server = Server::start().await;
    let sent = server
        .work
        .send(vec!["{}".to_owned(), "{}".to_owned()])
        .await;
    assert!(sent.iter().all(Result::is_ok));
    assert_eq!(
        server.work.receive(1, Duration::ZERO).await.unwrap().len(),
        1
    );
    server.clock.advance(Duration::from_secs(90));
    let told = server.told(&["queues"]).await;
    let lines: Vec<_> = told.lines().collect();
    assert_eq!(
        lines[0],
        "QUEUE        FOR           WAITING  IN FLIGHT  OLDEST"
    );
    assert!(told.contains("dead letters        0          0"), "{told}");
    let queues = server.json(&["queues"]).await;
    assert_eq!(queues["queues"][1]["name"], "posts");
    assert_eq!(queues["queues"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn scopes_are_told_of_accounts() {
    let server = Server::start().await;
    for account in ["1", "2", "3"] {
        server.told(&["register", "likes", account]).await;
    }
    let told = server.told(&["scopes", "--account", "2"]).await;
    let lines: Vec<_> = told.lines().collect();
    assert!(
        lines.len() == 2 && lines[1].starts_with("account:2     ?  300  15m"),
        "{told}"
    );
    let done = server.run(&["scopes", "--limit", "2"]).await;
    assert_eq!(done.err, "the 2 tightest; ask for more with --limit\n");
    let all = server.json(&["scopes"]).await;
    assert_eq!(all["left_out"], json!(false));
    server.told(&["register", "posts", "9"]).await;
    let none = server.run(&["scopes", "--account", "9"]).await;
    assert_eq!(none.err, "no scope: the jobs' calls count in none\n");
}
