//! The program against servers of ours and of others: exit codes and words.
#![allow(clippy::unwrap_used)]

use std::{
    net::SocketAddr,
    process::Output,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    service::TowerToHyperService,
};
use polling_model::SystemClock;
use polling_ops::health::{Check, Health};
use tokio::{
    net::{TcpListener, TcpSocket},
    process::Command,
};

async fn probe(arguments: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_health-probe");
    Command::new(program)
        .args(arguments)
        .output()
        .await
        .unwrap()
}

/// The exit code, and what was said.
fn said(output: &Output) -> (i32, String) {
    let words = [&output.stdout[..], &output.stderr[..]].concat();
    let words = String::from_utf8(words).unwrap();
    (output.status.code().unwrap(), words.trim_end().to_owned())
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

fn health(passes: &Arc<AtomicBool>) -> Health {
    let passes = Arc::clone(passes);
    let store = Check::new("store", move || passes.load(SeqCst)).cache(Duration::ZERO);
    Health::builder(Arc::new(SystemClock))
        .check(store)
        .build()
        .unwrap()
}

#[tokio::test]
async fn zero_while_it_serves_and_four_while_it_does_not() {
    let (listener, address) = listen().await;
    let passes = Arc::new(AtomicBool::new(true));
    let health = health(&passes);
    tokio::spawn(async move { health.serve_grpc(listener, std::future::pending()).await });
    let address = address.to_string();
    let ask = async |service| said(&probe(&["--addr", &address, "--service", service]).await);

    assert_eq!(ask("").await, (0, "SERVING".to_owned()));
    passes.store(false, SeqCst);
    assert_eq!(ask("").await, (4, "NOT_SERVING".to_owned()));
    assert_eq!(ask("liveness").await, (0, "SERVING".to_owned()));
    let unknown = "the call failed: the server knows no service \"other\"";
    assert_eq!(ask("other").await, (3, unknown.to_owned()));
}

#[tokio::test]
async fn a_server_of_others_is_asked_alike() {
    let (listener, address) = listen().await;
    let (reporter, service) = tonic_health::server::health_reporter();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let service = TowerToHyperService::new(service.clone());
            tokio::spawn(
                hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(stream), service),
            );
        }
    });
    let address = format!(":{}", address.port());
    let ask = async || said(&probe(&["--addr", &address]).await);
    assert_eq!(ask().await, (0, "SERVING".to_owned()));
    let not_serving = tonic_health::ServingStatus::NotServing;
    reporter.set_service_status("", not_serving).await;
    assert_eq!(ask().await, (4, "NOT_SERVING".to_owned()));
}

#[tokio::test]
async fn two_without_a_connection() {
    // Bound, but nobody listens.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let address = socket.local_addr().unwrap().to_string();
    let (code, words) = said(&probe(&["--addr", &address]).await);
    assert_eq!(code, 2);
    assert!(
        words.starts_with(&format!("no connection to {address}: ")),
        "{words}"
    );
    let (code, _) = said(&probe(&["--http", &format!("http://{address}/")]).await);
    assert_eq!(code, 2);
}

#[tokio::test]
async fn three_when_nobody_answers_in_time_or_with_anything_else() {
    // Accepted by the system, and never read.
    let (_listener, address) = listen().await;
    let address = address.to_string();
    let silent = probe(&["--addr", &address, "--timeout", "100ms"]).await;
    assert_eq!(
        said(&silent),
        (3, "the call failed: not in time".to_owned())
    );

    // A server of something else.
    let (listener, address) = listen().await;
    let health = health(&Arc::new(AtomicBool::new(true)));
    tokio::spawn(async move { health.serve_http(listener, std::future::pending()).await });
    let (code, words) = said(&probe(&["--addr", &address.to_string()]).await);
    assert_eq!(code, 3, "{words}");
}

#[tokio::test]
async fn http_is_asked_for_a_page_and_shows_why_not() {
    let (listener, address) = listen().await;
    let passes = Arc::new(AtomicBool::new(true));
    let health = health(&passes);
    tokio::spawn(async move { health.serve_http(listener, std::future::pending()).await });
    let ask = async |path| said(&probe(&["--http", &format!("http://{address}{path}")]).await);

    assert_eq!(ask("/readyz").await, (0, "200 OK".to_owned()));
    passes.store(false, SeqCst);
    let (code, words) = ask("/readyz").await;
    assert_eq!(code, 4);
    assert!(words.starts_with("503 Service Unavailable: {"), "{words}");
    assert!(words.contains("the check answered no"), "{words}");
    assert_eq!(ask("/healthz").await.0, 0);
    assert_eq!(ask("/nowhere").await.0, 4);
}

#[tokio::test]
async fn one_for_a_wrong_command_line_and_zero_for_help() {
    for wrong in [
        &[][..],
        &["--addr"],
        &["--addr", "localhost"],
        &["--addr", "a:1", "--http", "http://a/"],
        &["--addr", "a:1", "--timeout", "soon"],
        &["--addr", "a:1", "--timeout", "0s"],
        &["--http", "ftp://a/"],
        &["--http", "http://a/", "--service", "x"],
    ] {
        let (code, words) = said(&probe(wrong).await);
        assert_eq!(code, 1, "{wrong:?}: {words}");
        assert!(!words.is_empty());
    }
    let (code, help) = said(&probe(&["--help"]).await);
    assert_eq!(code, 0);
    for taught in ["--addr", "--http", "Exit codes", "readinessProbe"] {
        assert!(help.contains(taught), "{taught} is not in the help");
    }
}
