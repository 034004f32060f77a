//! Health over HTTP.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode},
    routing::get,
};
use polling_model::ManualClock;
use polling_ops::health::{Check, Health};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::oneshot,
};
use tower::ServiceExt as _;

fn health() -> Health {
    let bus = || Err::<(), _>("redis://app:hunter2@10.0.0.1 is away");
    Health::builder(Arc::new(ManualClock::at(1_000)))
        .live("pump", || true)
        .ready("bus", bus)
        .check(Check::new("archive", || false).only_degrades())
        .build()
        .unwrap()
}

async fn ask(router: Router, path: &str) -> (StatusCode, Value) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = router.oneshot(request).await.unwrap();
    let status = response.status();
    let body = to_bytes(response.into_body(), 64 * 1024).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap())
}

#[tokio::test]
async fn a_router_gains_both_probes_and_keeps_its_own_paths() {
    let router: Router = Router::new()
        .route("/", get(|| async { axum::Json("mine") }))
        .merge(health().router());
    assert_eq!(
        ask(router.clone(), "/").await,
        (StatusCode::OK, json!("mine"))
    );
    let (status, alive) = ask(router.clone(), "/healthz").await;
    assert_eq!(status, StatusCode::OK);
    let pump = json!({"state": "passing", "age_ms": 0, "since_ms": 1_000, "took_ms": 0});
    assert_eq!(alive, json!({"state": "passing", "checks": {"pump": pump}}));

    let (status, ready) = ask(router, "/readyz").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(ready["state"], "failing");
    assert_eq!(
        ready["checks"]["bus"]["reason"],
        "redis://***@10.0.0.1 is away"
    );
    assert_eq!(ready["checks"]["archive"]["state"], "degraded");
    assert_eq!(ready["checks"]["pump"], pump);
}

#[tokio::test]
async fn who_ends_says_so() {
    let health = Health::builder(Arc::new(ManualClock::at(0)))
        .build()
        .unwrap();
    health.stop_serving();
    let (status, ready) = ask(health.router(), "/readyz").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        ready,
        json!({"state": "failing", "stopping": true, "checks": {}})
    );
    assert_eq!(ask(health.router(), "/healthz").await.0, StatusCode::OK);
}

#[tokio::test]
async fn it_serves_alone_until_it_is_told_to_stop() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(async move {
        let stop = async { stopped.await.unwrap() };
        health().serve_http(listener, stop).await;
    });
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(answer.contains("cache-control: no-store"), "{answer}");
    stop.send(()).unwrap();
    server.await.unwrap();
}
