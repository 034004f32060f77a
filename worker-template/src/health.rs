//! The two probes of an orchestrator: `/livez` says that the process answers, `/readyz` that it
//! works.

use std::{net::SocketAddr, time::Duration};

use anyhow::Context as _;
use axum::{Router, extract::State, http::StatusCode, routing::get};
use polling_core::{Worker, model::chain, worker::NotReady};
use tokio::{net::TcpListener, sync::watch, time::sleep};

/// Pause between two looks at what is missing.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// What the worker lacks, if it does not work.
#[derive(Debug)]
pub(crate) struct Health(watch::Sender<Option<String>>);

impl Health {
    /// Answers the probes at `address`, and `routes` beside them, for as long as the process lives.
    pub(crate) async fn serve(address: SocketAddr, routes: Router) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(address);
        let listener = listener
            .await
            .with_context(|| format!("cannot listen at {address}"))?;
        tracing::info!(address = %listener.local_addr()?, "answering probes");
        let health = Self::new();
        let router = health.router().merge(routes);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(health)
    }

    fn new() -> Self {
        let (health, _) = watch::channel(Some("the worker is starting".to_owned()));
        Self(health)
    }

    fn router(&self) -> Router {
        Router::new()
            .route("/livez", get(|| async { "alive\n" }))
            .route("/readyz", get(readyz))
            .with_state(self.0.subscribe())
    }

    /// Waits until queues and bus answer.
    pub(crate) async fn await_ready(&self, worker: &Worker) {
        let check = async || worker.check().await.map_err(|lacking| told(&lacking));
        self.until(check).await;
        self.0.send_replace(None);
    }

    /// Tries until it succeeds, and says meanwhile what is lacking.
    pub(crate) async fn until<T>(&self, attempt: impl AsyncFn() -> Result<T, String>) -> T {
        loop {
            match attempt().await {
                Ok(found) => return found,
                Err(lacking) => {
                    tracing::warn!(lacking, "waiting");
                    self.not_ready(lacking);
                    sleep(LOOK_AGAIN).await;
                }
            }
        }
    }

    pub(crate) fn not_ready(&self, why: impl Into<String>) {
        self.0.send_replace(Some(why.into()));
    }
}

/// Each problem, with what caused it.
fn told(lacking: &NotReady) -> String {
    let problems = lacking.problems.iter().map(|problem| chain(problem));
    problems.collect::<Vec<_>>().join("; ")
}

async fn readyz(State(health): State<watch::Receiver<Option<String>>>) -> (StatusCode, String) {
    match &*health.borrow() {
        None => (StatusCode::OK, "ready\n".to_owned()),
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpStream,
    };

    use super::*;

    async fn get(address: SocketAddr, path: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn a_worker_is_alive_before_it_is_ready() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let health = Health::new();
        let router = health.router();
        tokio::spawn(async move { axum::serve(listener, router).await });
        assert!(get(address, "/livez").await.starts_with("HTTP/1.1 200"));
        let starting = get(address, "/readyz").await;
        assert!(starting.starts_with("HTTP/1.1 503"), "{starting}");
        health.0.send_replace(None);
        assert!(get(address, "/readyz").await.starts_with("HTTP/1.1 200"));
        health.not_ready("the worker is shutting down");
        assert!(get(address, "/readyz").await.ends_with("shutting down\n"));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_lacking_is_told_until_it_is_there() {
        let health = Health::new();
        let attempts = Cell::new(0);
        let attempt = async || {
            attempts.set(attempts.get() + 1);
            match attempts.get() {
                3 => Ok("the queue"),
                n => Err(format!("no queue at attempt {n}")),
            }
        };
        let told = health.0.subscribe();
        assert_eq!(health.until(attempt).await, "the queue");
        assert_eq!(told.borrow().as_deref(), Some("no queue at attempt 2"));
    }
}
