//! Who gets in, and with how much.

use axum::{
    body::Body,
    http::{Method, Request, StatusCode, header},
};
use scheduler_web::{Options, Secret};

use crate::support::{JOBS, Server};

const TOKEN: &str = "0123456789abcdef";

fn guarded() -> Server {
    let mut settings = Options::default();
    settings.listen = "0.0.0.0:7070".parse().unwrap();
    settings.token = Some(Secret::new(TOKEN));
    Server::with(settings)
}

fn with_header(path: &str, name: header::HeaderName, value: &str) -> Request<Body> {
    Request::builder()
        .uri(path)
        .header(name, value)
        .body(Body::empty())
        .unwrap()
}

#[tokio::test]
async fn the_token_lets_in_and_nothing_else_does() {
    let server = guarded();
    for right in ["Bearer 0123456789abcdef", "bearer 0123456789abcdef"] {
        let answer = server
            .send(with_header(JOBS, header::AUTHORIZATION, right))
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{right}");
    }
    for wrong in [
        "",
        "Bearer",
        "Bearer ",
        "Bearer 0123456789abcdeX",
        "Bearer 0123456789abcdef0",
        "Basic 0123456789abcdef",
        TOKEN,
    ] {
        let answer = server
            .send(with_header(JOBS, header::AUTHORIZATION, wrong))
            .await;
        answer.refused(
            StatusCode::UNAUTHORIZED,
            "send the admin token as `authorization: Bearer TOKEN`",
            None,
        );
        assert_eq!(answer.headers[header::WWW_AUTHENTICATE], "Bearer");
    }
    assert_eq!(server.get(JOBS).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn health_needs_no_token() {
    let server = guarded();
    assert_eq!(server.get("/healthz").await.status, StatusCode::OK);
    assert_ne!(server.get("/readyz").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn on_loopback_other_hosts_are_refused() {
    let server = Server::start();
    for (host, status) in [
        ("localhost:7070", StatusCode::OK),
        ("127.0.0.1:7070", StatusCode::OK),
        ("rebound.example:7070", StatusCode::FORBIDDEN),
    ] {
        let answer = server.send(with_header(JOBS, header::HOST, host)).await;
        assert_eq!(answer.status, status, "{host}");
    }
}

#[tokio::test]
async fn pages_of_other_origins_are_refused() {
    let server = Server::start();
    let call = async |origin: &str| {
        let request = Request::builder()
            .method(Method::POST)
            .uri(JOBS)
            .header(header::HOST, "localhost:7070")
            .header(header::ORIGIN, origin)
            .body(Body::from(r#"{"job_type": "posts", "account": "42"}"#));
        server.send(request.unwrap()).await
    };
    for foreign in ["https://evil.example", "null", "http://localhost:8080"] {
        call(foreign).await.refused(
            StatusCode::FORBIDDEN,
            "requests of pages of other origins are refused",
            None,
        );
    }
    assert_eq!(
        call("http://localhost:7070").await.status,
        StatusCode::CREATED
    );
}

#[tokio::test]
async fn a_body_over_its_bound_is_refused() {
    let mut settings = Options::default();
    settings.max_body_size_bytes = 100;
    let server = Server::with(settings);
    let body = format!(
        "{{\"job_type\":\"posts\",\"account\":\"{}\"}}",
        "4".repeat(100)
    );
    let error = "the body is larger than 100 bytes, the most allowed";
    for path in [JOBS.to_owned(), format!("{JOBS}:batch")] {
        let answer = server.post(&path, body.clone()).await;
        answer.refused(StatusCode::PAYLOAD_TOO_LARGE, error, None);
    }
    // Without a length up front, as in chunks.
    let chunks = futures_util::stream::iter([body.clone(), body].map(Ok::<_, std::io::Error>));
    let answer = server.post(JOBS, Body::from_stream(chunks)).await;
    answer.refused(StatusCode::PAYLOAD_TOO_LARGE, error, None);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_end_is_given_up() {
    let server = Server::start();
    let endless = futures_util::stream::pending::<Result<String, std::io::Error>>();
    let answer = server.post(JOBS, Body::from_stream(endless)).await;
    let error = "no answer within 30s; whether it took effect is unknown, it can be repeated";
    answer.refused(StatusCode::SERVICE_UNAVAILABLE, error, None);
    assert_eq!(answer.headers[header::RETRY_AFTER], "1");
}

#[tokio::test(start_paused = true)]
async fn beyond_the_bound_of_requests_the_next_are_refused() {
    let mut settings = Options::default();
    settings.max_requests = 1;
    let server = Server::with(settings);
    let endless = futures_util::stream::pending::<Result<String, std::io::Error>>();
    let first = server.post(JOBS, Body::from_stream(endless));
    let second = async {
        tokio::task::yield_now().await;
        server.get(JOBS).await
    };
    let (_, second) = futures_util::future::join(first, second).await;
    second.refused(
        StatusCode::SERVICE_UNAVAILABLE,
        "as many requests as allowed are under way (1); try again",
        None,
    );
    assert_eq!(server.get(JOBS).await.status, StatusCode::OK);
}

#[tokio::test]
async fn unknown_paths_and_methods_are_answered_in_json() {
    let server = Server::start();
    assert_eq!(server.get("/v2").await.status, StatusCode::NOT_FOUND);
    let answer = server.call(Method::DELETE, JOBS, "").await;
    let error = "/v1/channels/mastodon/jobs does not take DELETE";
    answer.refused(StatusCode::METHOD_NOT_ALLOWED, error, None);
}
