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

#[tokio::test]
async fn a_message_is_sent_again_to_the_queue_that_is_named() {
    let server = with_dead_letters().await;
    let resend = ["dead-letters", "resend", "m-1"];
    let done = server
        .run(&[&resend[..], &["--job-type", "posts"]].concat())
        .await;
    assert!(done.code == 2 && done.err.contains("--yes"), "{done:?}");
    let unknown = [&resend[..], &["--job-type", "post", "--yes"]].concat();
    let done = server.run(&unknown).await;
    assert!(
        done.code == 4 && done.err.contains("known are likes, posts"),
        "{done:?}"
    );
    let posts = [&resend[..], &["--job-type", "posts", "--yes"]].concat();
    assert_eq!(
        server.told(&posts).await,
        "m-1 sent to the work queue of posts\n"
    );
    let waiting = std::time::Duration::from_secs(5);
    let message = server.work.receive(1, waiting).await.unwrap().remove(0);
    assert_eq!(message.body, "\u{1b}[2Jnoise");
    let done = server.run(&posts).await;
    assert!(
        done.code == 3 && done.err.contains("no message m-1 is kept"),
        "{done:?}"
    );
}

#[tokio::test]
async fn a_message_is_removed_once_somebody_says_so() {
    let server = with_dead_letters().await;
    let remove = ["dead-letters", "remove", "m-1"];
    let done = server.run_with(&remove, "n\n", None).await;
    assert_eq!((done.code, done.out.as_str()), (1, ""));
    assert!(done.err.contains("for good? [y/N]"), "{done:?}");
    let done = server.run_with(&remove, "y\n", None).await;
    assert_eq!((done.code, done.out.as_str()), (0, "m-1 removed\n"));
    let left = server.json(&["dead-letters", "list"]).await;
    assert!(left["messages"].as_array().unwrap().is_empty(), "{left}");
}
