//! Liveness and readiness.

use std::time::Duration;

use axum::http::StatusCode;
use scheduler::{
    admin::Api,
    config::{self, Admin},
    probes,
};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use tonic::{Code, transport::Channel};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

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

#[tokio::test]
async fn probes_over_grpc_are_told_the_same() {
    let Server {
        clock, scheduler, ..
    } = Server::start();
    let health = Api::new(&scheduler, clock.clone(), Admin::default())
        .health()
        .clone();
    let mut settings = config::Health::default();
    assert!(probes::listen(&settings).await.unwrap().is_none());
    settings.grpc_listen = Some(([127, 0, 0, 1], 0).into());
    let listener = probes::listen(&settings).await.unwrap().unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let stop = CancellationToken::new();
    let serving = probes::serve(listener, health, stop.clone());
    let channel = Channel::from_shared(address).unwrap();
    let mut client = HealthClient::new(channel.connect().await.unwrap());
    let mut ask = async |service: &str| {
        let service = service.to_owned();
        let answer = client.check(HealthCheckRequest { service }).await;
        answer
            .map(|answer| answer.into_inner().status())
            .map_err(|status| status.code())
    };

    // Its slots have not been looked at yet.
    assert_eq!(ask("liveness").await, Ok(ServingStatus::Serving));
    for service in ["", "readiness", "channels/mastodon"] {
        assert_eq!(ask(service).await, Ok(ServingStatus::NotServing));
    }
    assert_eq!(ask("channels/other").await, Err(Code::NotFound));
    clock.advance(Duration::from_secs(61));
    assert_eq!(ask("liveness").await, Ok(ServingStatus::NotServing));
    stop.cancel();
    serving.await.unwrap();
}
