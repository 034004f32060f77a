//! Over HTTP, with axum.

use std::{convert::Infallible, future::pending, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::Path,
    http::{Request, Response, StatusCode},
    routing::get,
};
use polling_ops::{layer::CallLayer, metrics::Metrics};
use tokio::time::{sleep, timeout};
use tower::{Layer as _, ServiceExt as _, service_fn};

use crate::{calls, expected};

fn request(method: &str, path: &str) -> Request<Body> {
    Request::builder()
        .method(method)
        .uri(path)
        .body(Body::empty())
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_server_is_told_by_the_templates_of_its_routes() {
    let metrics = Metrics::new();
    let second = Duration::from_secs(1);
    let app = Router::new()
        .route(
            "/accounts/{id}",
            get(async |Path(id): Path<u32>| id.to_string()),
        )
        .route("/broken", get(async || StatusCode::BAD_GATEWAY))
        .route("/slow", get(async move || sleep(second).await))
        .route("/hangs", get(pending::<()>))
        .layer(CallLayer::server(metrics.observer()));
    let ask =
        async |method: &str, path: &str| app.clone().oneshot(request(method, path)).await.unwrap();
    for id in 1..=3 {
        ask("GET", &format!("/accounts/{id}")).await;
    }
    ask("GET", "/accounts/nobody").await;
    ask("BREW", "/accounts/1").await;
    ask("GET", "/broken").await;
    ask("GET", "/nowhere").await;
    ask("GET", "/slow").await;
    timeout(second, ask("GET", "/hangs")).await.unwrap_err();

    let server = "http_server_request_duration_seconds";
    let told = expected([
        ("- 404 - GET", 1),
        ("/accounts/{id} 200 - GET", 3),
        ("/accounts/{id} 400 - GET", 1),
        ("/accounts/{id} 405 - _OTHER", 1),
        ("/broken 502 502 GET", 1),
        ("/hangs - cancelled GET", 1),
        ("/slow 200 - GET", 1),
    ]);
    assert_eq!(calls(&metrics, server).await, told);
    let text = metrics.scrape().await.unwrap();
    let slow = format!(
        "{server}_sum{{http_route=\"/slow\",http_response_status_code=\"200\",error_type=\"\",http_request_method=\"GET\"}} 1.0"
    );
    assert!(text.contains(&slow), "{text}");
}

#[tokio::test]
async fn a_client_is_told_what_it_was_answered() {
    let metrics = Metrics::new();
    let remote = service_fn(async |request: Request<Body>| match request.uri().path() {
        "/gone" => Err("no connection"),
        "/missing" => Ok(Response::builder().status(404).body(Body::empty()).unwrap()),
        _ => Ok(Response::new(Body::from("found"))),
    });
    let client = CallLayer::client(metrics.observer()).layer(remote);
    let answer = client
        .clone()
        .oneshot(request("GET", "/there/42"))
        .await
        .unwrap();
    let body = axum::body::to_bytes(Body::new(answer.into_body()), 100)
        .await
        .unwrap();
    assert_eq!(body, "found");
    client
        .clone()
        .oneshot(request("GET", "/missing"))
        .await
        .unwrap();
    client.oneshot(request("POST", "/gone")).await.unwrap_err();
    let told = expected([
        ("- - failed POST", 1),
        ("- 200 - GET", 1),
        ("- 404 404 GET", 1),
    ]);
    assert_eq!(
        calls(&metrics, "http_client_request_duration_seconds").await,
        told
    );
}

/// Names that nobody bounds become one at the metrics' own bound.
#[tokio::test]
async fn codes_without_end_do_not_grow_the_series() {
    let metrics = Metrics::with_max_series(5);
    let any = service_fn(async |request: Request<Body>| {
        let status: u16 = request.uri().path()[1..].parse().unwrap();
        Ok::<_, Infallible>(
            Response::builder()
                .status(status)
                .body(Body::empty())
                .unwrap(),
        )
    });
    let server = CallLayer::server(metrics.observer()).layer(any);
    for status in 200..300 {
        server
            .clone()
            .oneshot(request("GET", &format!("/{status}")))
            .await
            .unwrap();
    }
    let told = calls(&metrics, "http_server_request_duration_seconds").await;
    assert_eq!((told.len(), told["other other other GET"]), (6, 95));
}
