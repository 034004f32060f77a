//! Health alone, to try probes on: it is ready while there is no file called `not-ready` in the
//! current folder.
//!
//! ```console
//! $ cargo run -p polling-ops --features health-http,health-grpc --example health_server &
//! $ health-probe --addr localhost:7072; touch not-ready; health-probe --addr localhost:7072; rm not-ready
//! SERVING
//! NOT_SERVING
//! $ curl localhost:7070/readyz
//! ```

use std::{future::pending, path::Path, sync::Arc, time::Duration};

use polling_model::SystemClock;
use polling_ops::health::{Check, Health, Verdict};
use tokio::net::TcpListener;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let switch = || {
        if Path::new("not-ready").exists() {
            Verdict::failing("there is a file called not-ready")
        } else {
            Verdict::passing()
        }
    };
    let health = Health::builder(Arc::new(SystemClock))
        .live("process", || true)
        .check(Check::new("switch", switch).cache(Duration::ZERO))
        .build()?;
    let http = TcpListener::bind(("127.0.0.1", 7070)).await?;
    let grpc = TcpListener::bind(("127.0.0.1", 7072)).await?;
    tokio::join!(
        health.serve_http(http, pending()),
        health.serve_grpc(grpc, pending()),
    );
    Ok(())
}
