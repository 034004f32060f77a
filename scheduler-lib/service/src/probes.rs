//! Health for probes that speak gRPC, at a port of its own.

use anyhow::Context;
use polling_ops::health::Health;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::config;

/// Takes the address for probes, if one is configured.
///
/// # Errors
///
/// That the address is taken or not this machine's.
pub async fn listen(settings: &config::Health) -> anyhow::Result<Option<TcpListener>> {
    let Some(address) = settings.grpc_listen else {
        return Ok(None);
    };
    let listener = TcpListener::bind(address).await;
    let listener =
        listener.with_context(|| format!("health.grpc_listen {address} cannot be listened on"))?;
    Ok(Some(listener))
}

/// Answers them until `stop` is cancelled. The task ends soon after that.
#[must_use]
pub fn serve(listener: TcpListener, health: Health, stop: CancellationToken) -> JoinHandle<()> {
    tokio::spawn(async move { health.serve_grpc(listener, stop.cancelled()).await })
}
