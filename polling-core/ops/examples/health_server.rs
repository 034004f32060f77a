//! A plain server of tonic that tells its health, to try probes and other clients on: it is ready while
//! there is no file called `not-ready` in the current folder. Both addresses can be given; port 0
//! is one that is free.
//!
//! ```console
//! $ cargo run -p polling-ops --features health-http,health-grpc --example health_server &
//! grpc 127.0.0.1:7072, http 127.0.0.1:7070
//! $ health-probe --addr localhost:7072; touch not-ready; health-probe --addr localhost:7072; rm not-ready
//! SERVING
//! NOT_SERVING
//! $ curl localhost:7070/readyz
//! ```

#[path = "../tests/health_grpc/greeter.rs"]
mod greeter;

use std::{
    env,
    io::{self, Write as _},
    path::Path,
    sync::Arc,
    time::Duration,
};

use polling_model::SystemClock;
use polling_ops::health::{Check, Health, HealthError, Verdict};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tonic::transport::{Server, server::TcpIncoming};

use crate::greeter::Greeter;

fn health() -> Result<Health, HealthError> {
    let switch = || {
        if Path::new("not-ready").exists() {
            Verdict::failing("there is a file called not-ready")
        } else {
            Verdict::passing()
        }
    };
    Health::builder(Arc::new(SystemClock))
        .live("process", || true)
        .check(Check::new("switch", switch).cache(Duration::ZERO))
        .service("demo.Greeter", ["switch"])
        .interval(Duration::from_millis(200))
        .build()
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut addresses = env::args().skip(1);
    let mut listen = |or: &str| TcpListener::bind(addresses.next().unwrap_or_else(|| or.into()));
    let grpc = listen("127.0.0.1:7072").await?;
    let http = listen("127.0.0.1:7070").await?;
    let (at_grpc, at_http) = (grpc.local_addr()?, http.local_addr()?);
    writeln!(io::stdout(), "grpc {at_grpc}, http {at_http}")?;

    let health = health()?;
    let mut terminated = signal(SignalKind::terminate())?;
    let stop = async {
        terminated.recv().await;
        health.stop_serving();
    };
    let server = Server::builder()
        .add_service(Greeter)
        .add_service(health.grpc_service()) // the line to add
        .serve_with_incoming_shutdown(TcpIncoming::from(grpc), stop);
    tokio::select! {
        biased;
        () = health.serve_http(http, std::future::pending()) => Ok(()),
        ended = server => Ok(ended?),
    }
}
