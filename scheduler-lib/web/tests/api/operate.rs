//! What an operator asks for: many jobs at once, and how queues, slots and limits stand.

use std::sync::Arc;

use axum::http::StatusCode;
use polling_model::SlotRing;
use scheduler_lib::{MemoryStore, SlotStore, store::Hold};
use scheduler_web::Options;
use serde_json::{Value, json};

use crate::support::{JOBS, Server};

const CHANNEL: &str = "/v1/channels/mastodon";
const NOW_MS: i64 = 1_800_000_000_000;

/// Posts and likes of accounts 1 to 3.
async fn six_jobs() -> (Server, Arc<MemoryStore>) {
    let store = Arc::new(MemoryStore::new(SlotRing::MINUTES, NOW_MS));
    let server = Server::over(store.clone(), Options::default());
    for account in ["1", "2", "3"] {
        for job_type in ["posts", "likes"] {
            let body = json!({"job_type": job_type, "account": account});
            server.post(JOBS, body.to_string()).await;
        }
    }
    (server, store)
}

/// Edits page after page; how many were looked at, meant, changed.
async fn edit(server: &Server, action: &str) -> (u64, u64, u64) {
    let (mut sums, mut after) = ((0, 0, 0), String::new());
    loop {
        let page = server
            .post(&format!("{JOBS}:{action}&limit=2{after}"), "")
            .await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        let figure = |name: &str| page.body[name].as_u64().unwrap();
        sums.0 += figure("seen");
        sums.1 += figure("matched");
        sums.2 += figure("changed");
        let Some(next) = page.body["next"].as_str() else {
            return sums;
        };
        after = format!("&after={}", next.replace(' ', "%20"));
    }
}

async fn at(server: &Server, place: &str) -> Vec<String> {
    let page = server.get(&format!("{JOBS}?place={place}")).await.body;
    let jobs = page["jobs"].as_array().unwrap().iter();
    let mut ids: Vec<_> = jobs
        .map(|job| job["id"].as_str().unwrap().to_owned())
        .collect();
    ids.sort();
    ids
}

#[tokio::test]
async fn jobs_are_paused_by_what_they_have_in_common_and_resumed_within_their_intervals() {
    let (server, _) = six_jobs().await;
    assert_eq!(edit(&server, "pause?account=2").await, (6, 2, 2));
    assert_eq!(edit(&server, "pause?account=2").await, (6, 2, 0));
    assert_eq!(at(&server, "paused").await, ["likes:2", "posts:2"]);
    assert_eq!(edit(&server, "pause?job_type=posts").await, (6, 3, 2));
    assert_eq!(edit(&server, "pause?all=true").await, (6, 6, 2));
    assert_eq!(at(&server, "slot").await, Vec::<String>::new());

    assert_eq!(edit(&server, "resume?all=true").await, (6, 6, 6));
    assert_eq!(at(&server, "held").await, Vec::<String>::new());
    let jobs = server.get(JOBS).await.body["jobs"].clone();
    for job in jobs.as_array().unwrap() {
        let ahead_ms = job["due_ms"].as_i64().unwrap() - NOW_MS;
        assert!((0..=360_000).contains(&ahead_ms), "{job}");
    }
}

#[tokio::test]
async fn only_what_was_paused_is_resumed_unless_another_hold_is_named() {
    let (server, store) = six_jobs().await;
    let id = "posts:1".parse().unwrap();
    store
        .hold(&id, Hold::Quarantined, "quarantined")
        .await
        .unwrap();
    edit(&server, "pause?all=true").await;
    assert_eq!(edit(&server, "resume?all=true").await.2, 5);
    assert_eq!(at(&server, "held").await, ["posts:1"]);
    let resumed = edit(&server, "resume?all=true&place=quarantined").await;
    assert_eq!(resumed.2, 1);

    let wrong = server
        .post(&format!("{JOBS}:resume?all=true&place=slot"), "")
        .await;
    let error = "only a hold is resumed: paused, parked, quarantined, refused, or held for any";
    wrong.refused(StatusCode::BAD_REQUEST, error, Some("place"));
}

#[tokio::test]
async fn an_edit_of_all_jobs_has_to_be_asked_for() {
    let (server, _) = six_jobs().await;
    let error =
        "say which jobs: account, job_type or level, or all=true for every job of the channel";
    for query in ["", "?all=false", "?all=true&account=1"] {
        let answer = server.post(&format!("{JOBS}:pause{query}"), "").await;
        answer.refused(StatusCode::BAD_REQUEST, error, None);
    }
    assert_eq!(at(&server, "held").await, Vec::<String>::new());
}

#[tokio::test]
async fn names_that_mean_nothing_are_told_with_the_nearest() {
    let (server, _) = six_jobs().await;
    let answer = server
        .post(&format!("{JOBS}:pause?job_type=post"), "")
        .await;
    let error = "unknown job type \"post\": did you mean \"posts\"? Known are likes, posts";
    answer.refused(StatusCode::BAD_REQUEST, error, Some("job_type"));
    let answer = server.get(&format!("{JOBS}?place=quarantine")).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let said = answer.body["error"].as_str().unwrap();
    assert!(said.contains("did you mean \"quarantined\"?"), "{said}");
}

#[tokio::test]
async fn a_list_is_narrowed_and_tells_contexts_when_asked() {
    let (server, _) = six_jobs().await;
    let body = r#"{"job_type": "posts", "account": "4", "context": {"since": 1}}"#;
    server.post(JOBS, body).await;
    let page = server
        .get(&format!("{JOBS}?account=4&contexts=true"))
        .await
        .body;
    assert_eq!(page["jobs"].as_array().unwrap().len(), 1);
    assert_eq!(page["jobs"][0]["context"], json!({"since": 1}));
    let answer = server.get(&format!("{JOBS}?contexts=true&limit=101")).await;
    let error = "limit is 101: it needs 1 to 100";
    answer.refused(StatusCode::BAD_REQUEST, error, Some("limit"));
}

#[tokio::test]
async fn a_job_in_quarantine_is_parked() {
    let (server, store) = six_jobs().await;
    for (id, hold) in [("posts:1", Some(Hold::Quarantined)), ("posts:2", None)] {
        if let Some(hold) = hold {
            let id = id.parse().unwrap();
            store.hold(&id, hold, "quarantined").await.unwrap();
        }
        for changed in [true, false] {
            let answer = server.post(&format!("{JOBS}/{id}/park"), "").await;
            assert_eq!(answer.body, json!({ "changed": changed }), "{id}");
        }
    }
    assert_eq!(at(&server, "parked").await, ["posts:1", "posts:2"]);
    let unknown = server.post(&format!("{JOBS}/posts:9/park"), "").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn every_job_that_waits_is_in_a_bar_of_the_slots() {
    let (server, _) = six_jobs().await;
    for (query, bars) in [
        ("", 24),
        ("?bars=1", 1),
        ("?slots=7&bars=3", 3),
        ("?slots=5", 5),
    ] {
        let told = server.get(&format!("{CHANNEL}/slots{query}")).await.body;
        let found = told["bars"].as_array().unwrap();
        assert_eq!(found.len(), bars, "{query}");
        let mut next = 0;
        for bar in found {
            assert_eq!(bar["from"], next, "{query}");
            next = bar["to"].as_u64().unwrap() + 1;
        }
        assert_eq!(told["slots"], next);
    }
    let told = server.get(&format!("{CHANNEL}/slots?bars=6")).await.body;
    let jobs = |bar: &Value| bar["jobs"].as_u64().unwrap();
    let sum: u64 = told["bars"].as_array().unwrap().iter().map(jobs).sum();
    assert_eq!((sum, &told["due"]), (6, &json!({"likes": 3, "posts": 3})));
    let answer = server.get(&format!("{CHANNEL}/slots?slots=1441")).await;
    let error = "slots is 1441: it needs 1 to 1440";
    answer.refused(StatusCode::BAD_REQUEST, error, Some("slots"));
}

#[tokio::test]
async fn queues_are_told_with_what_is_in_them() {
    let (server, _) = six_jobs().await;
    let told = server.get(&format!("{CHANNEL}/queues")).await.body;
    let queues = told["queues"].as_array().unwrap();
    let roles: Vec<_> = queues
        .iter()
        .map(|queue| queue["role"].as_str().unwrap())
        .collect();
    assert_eq!(roles, ["work", "work", "completed", "dead_letter"]);
    assert_eq!(queues[1]["job_type"], "posts");
    assert_eq!(
        (&queues[1]["visible"], &queues[1]["in_flight"]),
        (&json!(0), &json!(0))
    );
}

#[tokio::test]
async fn scopes_are_those_of_the_jobs_of_a_page() {
    let (server, _) = six_jobs().await;
    let told = server
        .get(&format!("{CHANNEL}/scopes?account=2"))
        .await
        .body;
    let scope = &told["scopes"][0];
    assert_eq!(told["scopes"].as_array().unwrap().len(), 1);
    assert_eq!(scope["scope"], "account:2");
    assert_eq!(scope["limit"], json!({"calls": 300, "window_ms": 900_000}));
    assert_eq!(scope["windows"], json!([]));
    assert_eq!(told["next"], Value::Null);
    let all = server.get(&format!("{CHANNEL}/scopes")).await.body;
    assert_eq!(all["scopes"].as_array().unwrap().len(), 3);
}
