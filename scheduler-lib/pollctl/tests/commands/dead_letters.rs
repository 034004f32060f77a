//! What nobody could finish, or read.

use scheduler_lib::{
    SlotStore,
    store::{Hold, Undecodable},
};

use crate::support::{NOW_MS, Server};

/// Jobs of accounts 1 to 3, of which the first two wait for somebody, and a message.
async fn with_dead_letters() -> Server {
    let server = Server::start().await;
    for account in ["1", "2", "3"] {
        server.told(&["register", "posts", account]).await;
    }
    for (job, hold) in [
        ("posts:1", Hold::Quarantined),
        ("posts:2", Hold::Refused),
        ("posts:3", Hold::Paused),
    ] {
        let id = job.parse().unwrap();
        let held = server.store.hold(&id, hold, "too many dead letters");
        held.await.unwrap();
    }
    let message = Undecodable {
        message_id: "m-1".to_owned(),
        kept_ms: NOW_MS,
        error: "no JSON".to_owned(),
        body: "\u{1b}[2Jnoise".to_owned(),
    };
    server.store.keep_undecodable(message).await.unwrap();
    server
}

#[tokio::test]
async fn jobs_and_messages_that_wait_for_somebody_are_listed_and_shown() {
    let server = with_dead_letters().await;
    let told = server.told(&["dead-letters", "list"]).await;
    for words in [
        "job quarantined  posts:1",
        "job refused      posts:2",
        "message          m-1",
    ] {
        assert!(told.contains(words), "{told}");
    }
    assert!(!told.contains("posts:3"), "{told}");
    let message = server.told(&["dead-letters", "show", "m-1"]).await;
    assert!(message.contains("body      \\u{1b}[2Jnoise\n"), "{message}");
    let job = server.told(&["dead-letters", "show", "posts:1"]).await;
    assert!(job.contains("place         quarantined\n"), "{job}");
    let done = server.run(&["dead-letters", "show", "m-2"]).await;
    assert!(
        done.code == 3 && done.err.contains("did you mean message m-1?"),
        "{done:?}"
    );
}

#[tokio::test]
async fn a_job_is_redriven_or_parked() {
    let server = with_dead_letters().await;
    let told = server.told(&["dead-letters", "redrive", "posts:1"]).await;
    assert_eq!(told, "posts:1 is polled again\n");
    let told = server.told(&["dead-letters", "park", "posts:2"]).await;
    assert_eq!(told, "posts:2 parked\n");
    assert_eq!(server.json(&["show", "posts:1"]).await["place"], "slot");
    assert_eq!(server.json(&["show", "posts:2"]).await["place"], "parked");
    let left = server.json(&["dead-letters", "list"]).await;
    assert!(left["jobs"].as_array().unwrap().is_empty(), "{left}");
}

#[tokio::test]
async fn all_are_redriven_but_not_what_was_paused() {
    let server = with_dead_letters().await;
    let told = server.told(&["dead-letters", "redrive", "--all"]).await;
    assert_eq!(told, "channel mastodon: 2 jobs are polled again\n");
    assert_eq!(server.json(&["show", "posts:3"]).await["place"], "paused");
    let told = server.told(&["dead-letters", "redrive", "--all"]).await;
    assert_eq!(told, "channel mastodon: 0 jobs are polled again\n");
}
