//! Who gets in, and with how much.

use axum::{
    body::Body,
    http::{Method, Request, StatusCode, header},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use scheduler_web::{Options, Secret, User, access::Role};

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

const ADA: &str = "the secret of ada";
const BOB: &str = "the secret of bob";

/// Ada is an operator, Bob a reader.
fn with_users() -> Server {
    let mut options = Options::default();
    for (name, role, secret) in [("ada", Role::Operator, ADA), ("bob", Role::Reader, BOB)] {
        let user = User::new(role, Secret::new(secret));
        options.users.insert(name.to_owned(), user);
    }
    Server::with(options)
}

fn basic(name: &str, secret: &str) -> String {
    format!(
        "Basic {}",
        BASE64_STANDARD.encode(format!("{name}:{secret}"))
    )
}

#[tokio::test]
async fn users_are_known_by_their_secret_or_by_basic_authentication() {
    let server = with_users();
    for (authorization, status) in [
        (format!("Bearer {ADA}"), StatusCode::OK),
        (format!("Bearer {BOB}"), StatusCode::OK),
        (basic("ada", ADA), StatusCode::OK),
        (basic("bob", BOB), StatusCode::OK),
        (basic("ada", BOB), StatusCode::UNAUTHORIZED),
        (basic("", ADA), StatusCode::UNAUTHORIZED),
        (basic("eve", ADA), StatusCode::UNAUTHORIZED),
        (basic("ada", ""), StatusCode::UNAUTHORIZED),
        ("Basic !".to_owned(), StatusCode::UNAUTHORIZED),
    ] {
        let request = with_header(JOBS, header::AUTHORIZATION, &authorization);
        assert_eq!(server.send(request).await.status, status, "{authorization}");
    }
}

#[tokio::test]
async fn a_reader_sees_everything_and_changes_nothing() {
    let server = with_users();
    let register = async |secret: &str| {
        let request = Request::builder()
            .method(Method::POST)
            .uri(JOBS)
            .header(header::AUTHORIZATION, format!("Bearer {secret}"))
            .body(Body::from(r#"{"job_type": "posts", "account": "42"}"#));
        server.send(request.unwrap()).await
    };
    let listed = async || {
        let authorization = format!("Bearer {BOB}");
        let request = with_header(JOBS, header::AUTHORIZATION, &authorization);
        server.send(request).await.body["jobs"]
            .as_array()
            .unwrap()
            .len()
    };
    let refused = "bob is a reader: only operators change anything";
    register(BOB)
        .await
        .refused(StatusCode::FORBIDDEN, refused, None);
    assert_eq!(listed().await, 0);
    assert_eq!(register(ADA).await.status, StatusCode::CREATED);
    assert_eq!(listed().await, 1);
}

#[tokio::test]
async fn secrets_show_in_no_debug() {
    let mut options = Options::default();
    let user = User::new(Role::Reader, Secret::new(BOB));
    options.users.insert("bob".to_owned(), user);
    options.token = Some(Secret::new(TOKEN));
    let shown = format!("{options:?}");
    assert!(!shown.contains(BOB) && !shown.contains(TOKEN), "{shown}");
}

#[test]
fn options_that_let_nobody_or_anybody_in_are_refused() {
    let wrong = |text: &str| {
        let mut options: Options = toml::from_str(text).unwrap();
        let problems = options.settle();
        let texts = problems
            .iter()
            .map(|(path, what)| format!("{}: {what}", path.join(".")));
        texts.collect::<Vec<_>>().join("; ")
    };
    assert_eq!(
        wrong("users.ada = { role = 'reader', secret = '0123456789abcdef' }"),
        ""
    );
    for (text, said) in [
        (
            "users.ada = { role = 'reader' }",
            "users.ada: it needs a secret or a secret_file",
        ),
        (
            "users.ada = { role = 'reader', secret = 'short' }",
            "users.ada.secret: it has 5 bytes",
        ),
        (
            "users.'a:b' = { role = 'reader', secret = '0123456789abcdef' }",
            "users.a:b: a name has",
        ),
        (
            "proxy = { from = ['10.0.0.1'] }",
            "proxy: set admin.token as well",
        ),
        ("listen = '0.0.0.0:1'", "listen: 0.0.0.0:1 is not loopback"),
        (
            "token_file = '/nonexistent/x'",
            "token_file: /nonexistent/x cannot be read",
        ),
    ] {
        let found = wrong(text);
        assert!(found.starts_with(said), "{text}: {found}");
    }
}
