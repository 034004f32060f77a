//! Single jobs.

use serde_json::json;

use crate::support::Server;

#[tokio::test]
async fn a_job_is_registered_shown_changed_and_removed() {
    let server = Server::start().await;
    let register = [
        "register",
        "posts",
        "42",
        "--level",
        "gold",
        "--cushion",
        "20%",
        "--context",
        "{\"since\": 7}",
    ];
    assert_eq!(server.told(&register).await, "posts:42 registered\n");
    let again = "posts:42 was registered before, and is left as it is\n";
    assert_eq!(server.told(&["register", "posts", "42"]).await, again);

    let job = server.json(&["show", "posts:42"]).await;
    assert_eq!(
        (&job["level"], &job["cushion"]),
        (&json!("gold"), &json!("20%"))
    );
    let told = server.told(&["show", "posts:42"]).await;
    assert!(told.contains("context       {\"since\":7}\n"), "{told}");
    assert!(
        told.ends_with("why, newest first\n  2027-01-15 08:00:00  registered\n"),
        "{told}"
    );

    for (command, said) in [
        (
            &["level", "posts:42", "basic"][..],
            "posts:42 has level basic\n",
        ),
        (
            &["pace", "posts:42", "--pin", "90s"],
            "posts:42 is polled every 1m 30s\n",
        ),
        (
            &["pace", "posts:42", "--boost", "3", "--for", "2h"],
            "posts:42 is boosted by 3 for 2h\n",
        ),
        (
            &["pace", "posts:42", "--rules"],
            "posts:42 follows its rules\n",
        ),
        (&["run-now", "posts:42"], "posts:42 is polled now\n"),
        (&["pause", "posts:42"], "posts:42 paused\n"),
        (&["pause", "posts:42"], "posts:42 was held before\n"),
        (&["resume", "posts:42"], "posts:42 resumed\n"),
        (&["resume", "posts:42"], "posts:42 was not held\n"),
    ] {
        assert_eq!(server.told(command).await, said);
    }
    let job = server.json(&["show", "posts:42"]).await;
    assert_eq!(
        (&job["level"], &job["pace"]),
        (&json!("basic"), &json!(null))
    );
    assert_eq!(
        server.told(&["remove", "posts:42"]).await,
        "posts:42 removed\n"
    );
    assert_eq!(server.run(&["show", "posts:42"]).await.code, 3);
}

#[tokio::test]
async fn a_job_is_explained_in_words_and_as_json() {
    let server = Server::start().await;
    server.told(&["register", "posts", "42"]).await;
    let told = server.told(&["explain", "posts:42"]).await;
    assert!(
        told.starts_with("Job posts:42 at 2027-01-15 08:00:00 UTC\n"),
        "{told}"
    );
    assert_eq!(
        server.json(&["explain", "posts:42"]).await["place"]["is"],
        "waits"
    );
}

#[tokio::test]
async fn an_unknown_job_is_told_with_the_nearest() {
    let server = Server::start().await;
    server.told(&["register", "posts", "42"]).await;
    for command in ["show", "explain", "remove", "run-now", "pause"] {
        let done = server.run(&[command, "post:42"]).await;
        let error = "error: job post:42 is not registered: did you mean posts:42?\n";
        assert_eq!((done.code, done.err.as_str()), (3, error), "{command}");
    }
}

#[tokio::test]
async fn an_id_with_a_slash_is_one_job() {
    let server = Server::start().await;
    server
        .told(&["register", "posts", "a", "--id", "u/1:b@c+d=~"])
        .await;
    assert_eq!(
        server.told(&["pause", "u/1:b@c+d=~"]).await,
        "u/1:b@c+d=~ paused\n"
    );
}

#[tokio::test]
async fn a_list_is_narrowed_and_bounded() {
    let server = Server::start().await;
    for account in ["1", "2", "3"] {
        server.told(&["register", "posts", account]).await;
        server.told(&["register", "likes", account]).await;
    }
    server.told(&["pause", "posts:2"]).await;
    let told = server
        .told(&["list", "--account", "2", "--job-type", "posts"])
        .await;
    let expected = "JOB      ACCOUNT  LEVEL    PLACE   DUE  REASON\nposts:2  2        default  paused  -    paused by hand\n";
    assert_eq!(told, expected);
    let done = server.run(&["list", "--limit", "4", "--json"]).await;
    assert_eq!((done.code, done.out.lines().count()), (0, 4));
    assert_eq!(
        done.err,
        "there are more than 4: ask for them with --limit\n"
    );
    let done = server.run(&["list", "--place", "quarantined"]).await;
    assert_eq!(
        (done.code, done.out.as_str(), done.err.as_str()),
        (0, "", "no such job\n")
    );
}

#[tokio::test]
async fn what_the_scheduler_refuses_is_told_in_its_words() {
    let server = Server::start().await;
    let done = server.run(&["register", "post", "42"]).await;
    let error =
        "error: job_type: job type post is unknown to this channel: known are likes, posts\n";
    assert_eq!((done.code, done.err.as_str()), (4, error));
    let done = server.run(&["list", "--job-type", "post", "--json"]).await;
    let error: serde_json::Value = serde_json::from_str(&done.err).unwrap();
    assert_eq!((done.code, &error["exit_code"]), (4, &json!(4)));
    assert!(
        error["error"]
            .as_str()
            .unwrap()
            .contains("did you mean \"posts\"?"),
        "{error}"
    );
}

/// The server knows them by names of its own.
#[tokio::test]
async fn each_place_that_the_command_line_knows_the_server_knows() {
    let server = Server::start().await;
    let done = server.run(&["register", "posts", "1"]).await;
    assert_eq!(done.code, 0, "{done:?}");
    let places = [
        "slot",
        "in-flight",
        "later",
        "held",
        "paused",
        "parked",
        "quarantined",
        "refused",
    ];
    let mut found = Vec::new();
    for place in places {
        let told = server.told(&["list", "--place", place, "--json"]).await;
        found.push(told.lines().count());
    }
    assert_eq!(found, [1, 0, 0, 0, 0, 0, 0, 0]);
}
