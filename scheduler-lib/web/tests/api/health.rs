//! Liveness and readiness.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::json;

use crate::support::Server;

#[tokio::test]
async fn a_start_is_alive_until_it_takes_too_long() {
    let server = Server::start();
    let answer = server.get("/healthz").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(
        answer.body,
        json!({"alive": true, "tick_age_ms": 0, "max_tick_age_ms": 60_000})
    );
    server.clock.advance(Duration::from_secs(61));
    let answer = server.get("/healthz").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.body["tick_age_ms"], 61_000);
}

#[tokio::test]
async fn before_the_first_look_at_the_slots_it_is_not_ready() {
    let answer = Server::start().get("/readyz").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    let reason = &answer.body["channels"]["mastodon"]["reason"];
    assert_eq!(reason, "its slots have not been looked at yet");
}

#[tokio::test(start_paused = true)]
async fn a_running_scheduler_is_ready_and_one_that_stands_still_is_not_alive() {
    let Server {
        router,
        clock,
        scheduler,
    } = Server::start();
    // Runs for a simulated second, then stands still.
    scheduler
        .run(tokio::time::sleep(Duration::from_secs(1)))
        .await;
    let server = Server {
        router,
        clock,
        ..Server::start()
    };
    let ready = server.get("/readyz").await;
    assert_eq!(ready.status, StatusCode::OK);
    assert_eq!(
        ready.body,
        json!({"ready": true, "channels": {"mastodon": {"ready": true}}})
    );
    assert_eq!(server.get("/healthz").await.status, StatusCode::OK);

    server.clock.advance(Duration::from_secs(61));
    let ready = server.get("/readyz").await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        ready.body["channels"]["mastodon"]["reason"],
        "its slots were last looked at 1m 1s ago"
    );
    assert_eq!(
        server.get("/healthz").await.status,
        StatusCode::SERVICE_UNAVAILABLE
    );
}
