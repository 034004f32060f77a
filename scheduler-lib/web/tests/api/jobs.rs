//! Registration, pages and edits.

use axum::http::{Method, StatusCode};
use polling_model::caps::MAX_CONTEXT_SIZE_BYTES;
use serde_json::json;

use crate::support::{JOBS, Server};

#[tokio::test]
async fn registering_twice_creates_once() {
    let server = Server::start();
    let body = r#"{"job_type": "posts", "account": "42", "level": "gold", "cushion": 7, "context": {"since": 1}}"#;
    let first = server.post(JOBS, body).await;
    assert_eq!(first.status, StatusCode::CREATED);
    assert_eq!(first.body, json!({"id": "posts:42", "result": "created"}));
    let second = server.post(JOBS, body).await;
    assert_eq!(second.status, StatusCode::OK);
    assert_eq!(second.body, json!({"id": "posts:42", "result": "existing"}));

    let job = server.get("/v1/channels/mastodon/jobs/posts:42").await.body;
    assert_eq!(job["level"], "gold");
    assert_eq!(job["cushion"], 7);
    assert_eq!(job["place"], "slot");
    assert_eq!(job["context"], json!({"since": 1}));
}

#[tokio::test]
async fn a_job_tells_the_reasons_of_its_last_placements() {
    let server = Server::start();
    server.register("42").await;
    let path = format!("{JOBS}/posts:42");
    let job = server.get(&path).await.body;
    let told = json!([{"at_ms": 1_800_000_000_000_i64, "text": "registered"}]);
    assert_eq!((&job["reason"], &job["reasons"]), (&told[0]["text"], &told));
    server.post(&format!("{path}/run-now"), "").await;
    server.post(&format!("{path}/pause"), "").await;
    let job = server.get(&path).await.body;
    let told = json!([
        {"at_ms": null, "text": "paused by hand"},
        {"at_ms": null, "text": "run now"},
    ]);
    assert_eq!((&job["reason"], &job["reasons"]), (&told[0]["text"], &told));
}

#[tokio::test]
async fn tokens_of_dispatches_are_not_shown() {
    let server = Server::start();
    server.register("42").await;
    let job = server.get("/v1/channels/mastodon/jobs/posts:42").await.body;
    let keys: Vec<_> = job.as_object().unwrap().keys().collect();
    assert!(
        !keys
            .iter()
            .any(|key| ["nonce", "incarnation", "token"].contains(&key.as_str())),
        "{keys:?}"
    );
}

#[tokio::test]
async fn ids_with_slashes_colons_and_at_signs_are_encoded_in_paths() {
    let server = Server::start();
    let body = r#"{"job_type": "posts", "account": "a", "id": "u/1:b@c+d=~"}"#;
    assert_eq!(server.post(JOBS, body).await.status, StatusCode::CREATED);
    for path in ["u%2F1:b@c+d=~", "u%2f1%3Ab%40c%2Bd%3D~"] {
        let path = format!("{JOBS}/{path}");
        assert_eq!(server.get(&path).await.body["id"], "u/1:b@c+d=~");
        assert_eq!(
            server.post(&format!("{path}/run-now"), "").await.status,
            StatusCode::NO_CONTENT
        );
    }
    let plain = server.get(&format!("{JOBS}/u/1:b@c+d=~")).await;
    assert_eq!(plain.status, StatusCode::NOT_FOUND);
    assert!(
        plain.body["error"].as_str().unwrap().contains("%2F"),
        "{}",
        plain.body
    );
}

#[tokio::test]
async fn a_page_ends_where_the_next_begins() {
    let server = Server::start();
    for account in ["1", "2", "3"] {
        server.register(account).await;
    }
    let ids = |page: &serde_json::Value| -> Vec<String> {
        let jobs = page["jobs"].as_array().unwrap().iter();
        jobs.map(|job| job["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let first = server.get(&format!("{JOBS}?limit=2")).await.body;
    assert_eq!(ids(&first), ["posts:1", "posts:2"]);
    let next = first["next"].as_str().unwrap();
    assert!(first["jobs"][0].get("context").is_none());
    let last = server
        .get(&format!("{JOBS}?limit=2&after={next}"))
        .await
        .body;
    assert_eq!(ids(&last), ["posts:3"]);
    assert_eq!(last["next"], json!(null));
    server.get(&format!("{JOBS}?after=nowhere")).await.refused(
        StatusCode::BAD_REQUEST,
        "the registry's store failed: no page of jobs begins at \"nowhere\": pass what the page before said, or nothing for the first",
        Some("after"),
    );
}

#[tokio::test]
async fn pages_have_bounds() {
    let server = Server::start();
    let bad = StatusCode::BAD_REQUEST;
    server.get(&format!("{JOBS}?limit=1001")).await.refused(
        bad,
        "limit is 1001: it needs 1 to 1000",
        Some("limit"),
    );
    server.get(&format!("{JOBS}?limit=0")).await.refused(
        bad,
        "limit is 0: it needs 1 to 1000",
        Some("limit"),
    );
    server.get(&format!("{JOBS}?limt=3")).await.refused(
        bad,
        "unknown key \"limt\": did you mean \"limit\"? Known are account, after, all, contexts, job_type, level, limit, place",
        Some("limt"),
    );
}

#[tokio::test]
async fn an_unknown_job_type_lists_the_known() {
    let server = Server::start();
    let answer = server
        .post(JOBS, r#"{"job_type": "post", "account": "42"}"#)
        .await;
    let error = "job type post is unknown to this channel: known are likes, posts";
    answer.refused(StatusCode::BAD_REQUEST, error, Some("job_type"));
}

#[tokio::test]
async fn an_unknown_channel_lists_the_known() {
    let answer = Server::start().get("/v1/channels/mastodn/jobs").await;
    let error = "unknown channel \"mastodn\": did you mean \"mastodon\"? Known are mastodon";
    answer.refused(StatusCode::NOT_FOUND, error, None);
}

#[tokio::test]
async fn wrong_fields_are_named() {
    let server = Server::start();
    let bad = StatusCode::BAD_REQUEST;
    server.post(JOBS, r#"{"job_type": "posts", "acount": "42"}"#).await.refused(
        bad,
        "unknown key \"acount\": did you mean \"account\"? Known are account, context, cushion, id, job_type, level",
        Some("acount"),
    );
    let answer = server.post(JOBS, r#"{"job_type": "posts"}"#).await;
    answer.refused(
        bad,
        "missing field `account` at line 1 column 21",
        Some("account"),
    );
    let answer = server
        .post(JOBS, r#"{"job_type": "posts", "account": "4 2"}"#)
        .await;
    assert_eq!(
        (answer.status, &answer.body["field"]),
        (bad, &json!("account"))
    );
    assert!(
        answer.body["error"]
            .as_str()
            .unwrap()
            .starts_with("account has ' ' at byte 1"),
        "{}",
        answer.body
    );
    for broken in ["", "{", "[]", "{} {}"] {
        assert_eq!(server.post(JOBS, broken).await.status, bad, "{broken}");
    }
}

#[tokio::test]
async fn a_context_over_its_bound_is_refused_with_the_bytes_over() {
    let server = Server::start();
    let filler = "a".repeat(MAX_CONTEXT_SIZE_BYTES);
    let body =
        format!(r#"{{"job_type": "posts", "account": "42", "context": {{"x": "{filler}"}}}}"#);
    let answer = server.post(JOBS, body).await;
    let error =
        "bad context: context has 245768 bytes encoded as ASCII JSON: 8 over the bound of 245760";
    answer.refused(StatusCode::PAYLOAD_TOO_LARGE, error, Some("context"));
    let jobs = server.get(JOBS).await.body;
    assert_eq!(jobs["jobs"], json!([]));
}

#[tokio::test]
async fn a_null_cushion_returns_to_the_job_types() {
    let server = Server::start();
    server.register("42").await;
    let path = format!("{JOBS}/posts:42");
    let patch = async |body: &'static str| server.call(Method::PATCH, &path, body).await;
    assert_eq!(
        patch(r#"{"cushion": 9, "level": "gold"}"#).await.status,
        StatusCode::NO_CONTENT
    );
    let job = server.get(&path).await.body;
    assert_eq!(
        (&job["cushion"], &job["level"]),
        (&json!(9), &json!("gold"))
    );

    assert_eq!(
        patch(r#"{"cushion": null}"#).await.status,
        StatusCode::NO_CONTENT
    );
    let job = server.get(&path).await.body;
    assert_eq!(
        (&job["cushion"], &job["level"]),
        (&json!(null), &json!("gold"))
    );

    let answer = patch("{}").await;
    answer.refused(
        StatusCode::BAD_REQUEST,
        "nothing to change: set level, cushion or pace",
        None,
    );
    let answer = patch(r#"{"level": null}"#).await;
    assert_eq!(
        (answer.status, &answer.body["field"]),
        (StatusCode::BAD_REQUEST, &json!("level"))
    );
}

#[tokio::test]
async fn a_cushion_may_be_a_share() {
    let server = Server::start();
    let body = r#"{"job_type": "posts", "account": "42", "cushion": "10%"}"#;
    assert_eq!(server.post(JOBS, body).await.status, StatusCode::CREATED);
    let path = format!("{JOBS}/posts:42");
    assert_eq!(server.get(&path).await.body["cushion"], "10%");
    let answer = server
        .call(Method::PATCH, &path, r#"{"cushion": "110%"}"#)
        .await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(answer.body["field"], "cushion");
}

#[tokio::test]
async fn a_job_is_pinned_boosted_and_left_to_its_rules() {
    let server = Server::start();
    server.register("42").await;
    let path = format!("{JOBS}/posts:42");
    let patch = async |body: &'static str| server.call(Method::PATCH, &path, body).await;
    for (body, pace) in [
        (
            r#"{"pace": {"pin": {"interval": "90s"}}}"#,
            json!({"pin": {"interval": "1m 30s"}}),
        ),
        (
            r#"{"pace": {"boost": {"factor": 3, "for": "2h"}}}"#,
            json!({"boost": {"factor": 3.0, "until_ms": 1_800_007_200_000_i64}}),
        ),
        (r#"{"pace": null}"#, json!(null)),
    ] {
        assert_eq!(patch(body).await.status, StatusCode::NO_CONTENT);
        assert_eq!(server.get(&path).await.body["pace"], pace);
    }
    for (body, error, field) in [
        (
            r#"{"pace": {"pin": {"interval": "0s"}}}"#,
            "pace.pin.interval is 0s: it needs 1s to 60d",
            "pace.pin.interval",
        ),
        (
            r#"{"pace": {"boost": {"factor": 0, "for": "2h"}}}"#,
            "pace.boost.factor is 0: it needs more than 0, and at most 1000",
            "pace.boost.factor",
        ),
        (
            r#"{"pace": {"boost": {"factor": 2}}}"#,
            "a boost needs either for, such as \"2h\", or until_ms",
            "pace.boost",
        ),
        (
            r#"{"pace": {"boost": {"factor": 2, "until_ms": 1000}}}"#,
            "pace.boost.until_ms is 1000: it needs a time after now, which is 1800000000000, within 60 days",
            "pace.boost.until_ms",
        ),
    ] {
        patch(body)
            .await
            .refused(StatusCode::BAD_REQUEST, error, Some(field));
    }
}

#[tokio::test]
async fn without_bursts_the_list_is_empty() {
    let server = Server::start();
    let told = server.get("/v1/channels/mastodon/bursts?limit=5").await;
    assert_eq!(
        (told.status, told.body),
        (StatusCode::OK, json!({"bursting": []}))
    );
}

#[tokio::test]
async fn a_context_is_replaced_as_a_whole() {
    let server = Server::start();
    server.register("42").await;
    let path = format!("{JOBS}/posts:42/context");
    let answer = server.call(Method::PUT, &path, r#"{"since": 5}"#).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    let job = server.get(&format!("{JOBS}/posts:42")).await.body;
    assert_eq!(job["context"], json!({"since": 5}));
}

#[tokio::test]
async fn pausing_and_resuming_tell_whether_they_changed_anything() {
    let server = Server::start();
    server.register("42").await;
    for (action, changed, place) in [
        ("pause", true, "paused"),
        ("pause", false, "paused"),
        ("resume", true, "slot"),
        ("resume", false, "slot"),
    ] {
        let answer = server.post(&format!("{JOBS}/posts:42/{action}"), "").await;
        assert_eq!(answer.body, json!({ "changed": changed }), "{action}");
        let job = server.get(&format!("{JOBS}/posts:42")).await.body;
        assert_eq!(job["place"], place);
    }
}

#[tokio::test]
async fn what_is_removed_is_unknown() {
    let server = Server::start();
    server.register("42").await;
    let path = format!("{JOBS}/posts:42");
    let removed = server.call(Method::DELETE, &path, "").await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT);
    for (method, path) in [
        (Method::GET, path.clone()),
        (Method::DELETE, path.clone()),
        (Method::POST, format!("{path}/pause")),
        (Method::POST, format!("{path}/resume")),
        (Method::POST, format!("{path}/run-now")),
    ] {
        let answer = server.call(method, &path, "").await;
        answer.refused(
            StatusCode::NOT_FOUND,
            "job posts:42 is not registered",
            None,
        );
    }
}

#[tokio::test]
async fn a_channel_is_shown_with_its_counts() {
    let server = Server::start();
    server.register("42").await;
    let shown = server.get("/v1/channels/mastodon").await.body;
    assert_eq!(shown["counts"]["registered"], 1);
    assert_eq!(shown["status"]["dispatched"], 0);
    let listed = server.get("/v1/channels").await.body;
    assert_eq!(listed["channels"][0]["channel"], "mastodon");
    let undecodable = server.get("/v1/channels/mastodon/undecodable").await.body;
    assert_eq!(undecodable, json!({"undecodable": []}));
}
