//! Many registrations in one request.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::support::Server;

const BATCH: &str = "/v1/channels/mastodon/jobs:batch";

#[tokio::test]
async fn a_wrong_entry_keeps_no_other_from_being_registered() {
    let server = Server::start();
    let entries = [
        json!({"job_type": "posts", "account": "1"}),
        json!({"job_type": "post", "account": "2"}),
        json!({"job_type": "posts", "acount": "3"}),
        json!({"job_type": "posts", "account": "1"}),
    ];
    let lines = entries
        .iter()
        .map(|entry| format!("{entry}\n"))
        .collect::<String>();
    let array = Value::from(entries.to_vec()).to_string();
    for (body, created, existing) in [(lines, 1, 1), (array, 0, 2)] {
        let answer = server.post(BATCH, body).await;
        assert_eq!(answer.status, StatusCode::OK);
        let batch = answer.body;
        assert_eq!(
            (&batch["created"], &batch["existing"]),
            (&json!(created), &json!(existing))
        );
        assert_eq!(batch["failed"], 2);
        assert_eq!(batch["results"][0]["id"], "posts:1");
        assert_eq!(batch["results"][1]["field"], "job_type");
        assert_eq!(batch["results"][2]["field"], "acount");
        assert_eq!(
            batch["results"][3],
            json!({"id": "posts:1", "result": "existing"})
        );
    }
}

#[tokio::test]
async fn a_batch_has_a_bound() {
    let server = Server::start();
    let line = |account: usize| format!("{{\"job_type\":\"posts\",\"account\":\"{account}\"}}\n");
    let most: String = (0..1_000).map(line).collect();
    assert_eq!(server.post(BATCH, most).await.body["created"], 1_000);
    let more: String = (0..1_001).map(line).collect();
    let error = "1001 entries: at most 1000 are allowed in one request";
    server
        .post(BATCH, more)
        .await
        .refused(StatusCode::PAYLOAD_TOO_LARGE, error, None);
}

#[tokio::test]
async fn an_array_that_is_cut_off_registers_nothing() {
    let server = Server::start();
    let answer = server
        .post(BATCH, r#"[{"job_type": "posts", "account": "1"},"#)
        .await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let shown = server.get("/v1/channels/mastodon").await.body;
    assert_eq!(shown["counts"]["registered"], 0);
}
