//! Why a job is where it is.

use axum::{
    body::{Body, to_bytes},
    http::{Request, StatusCode, header},
};
use tower::ServiceExt;

use crate::support::{JOBS, Server};

#[tokio::test]
async fn a_job_is_explained_as_json() {
    let server = Server::start();
    server.register("42").await;
    server.post(&format!("{JOBS}/posts:42/pause"), "").await;
    let told = server.get(&format!("{JOBS}/posts:42/explain")).await;
    assert_eq!(told.status, StatusCode::OK);
    assert_eq!(told.body["place"]["is"], "held");
    assert_eq!(told.body["place"]["hold"], "paused");
    assert_eq!(told.body["reasons"][0]["text"], "paused by hand");
    let advice = told.body["advice"][0].as_str().unwrap();
    assert!(advice.contains("resume"), "{advice}");
}

#[tokio::test]
async fn a_job_is_explained_in_words_to_who_accepts_text() {
    let server = Server::start();
    server.register("42").await;
    let request = Request::get(format!("{JOBS}/posts:42/explain"))
        .header(header::ACCEPT, "text/plain")
        .body(Body::empty())
        .unwrap();
    let response = server.router.clone().oneshot(request).await.unwrap();
    let content = response.headers()[header::CONTENT_TYPE].to_str().unwrap();
    assert!(content.starts_with("text/plain"), "{content}");
    let bytes = to_bytes(response.into_body(), 65_536).await.unwrap();
    let told = String::from_utf8(bytes.to_vec()).unwrap();
    assert!(
        told.starts_with("Job posts:42 at 2027-01-15 08:00:00 UTC\n"),
        "{told}"
    );
}

#[tokio::test]
async fn an_unknown_job_is_not_explained() {
    let server = Server::start();
    let told = server.get(&format!("{JOBS}/posts:42/explain")).await;
    told.refused(
        StatusCode::NOT_FOUND,
        "job posts:42 is not registered",
        None,
    );
}
