//! The server.

use std::{future::Future, time::Duration};

use tokio::net::TcpListener;
use tonic::transport::{Server, server::TcpIncoming};

use super::{proto::external_scaler_server::ExternalScalerServer, scaler::Scaler};

/// Most calls at once on a connection, streams included.
const MAX_STREAMS: u32 = 256;

/// Largest request, bytes: a trigger's metadata.
const MAX_REQUEST_SIZE_BYTES: usize = 64 * 1024;

/// Longest time until a call is answered; streams go on.
const TIMEOUT: Duration = Duration::from_secs(5);

/// A peer that is silent for so long is asked whether it lives, and has as long to answer.
const KEEPALIVE: Duration = Duration::from_secs(20);

/// Longest time for calls under way once the server is to stop. Streams never end by themselves.
const GRACE: Duration = Duration::from_secs(2);

/// The server has failed.
#[derive(Debug, thiserror::Error)]
#[error("the server for KEDA has failed")]
pub struct ServeError(#[from] tonic::transport::Error);

/// Serves `scaler` on `listener` until `stop` resolves, then ends the calls under way, for at most 2 s.
///
/// In plain text, without a token: KEDA has none to give. Whoever reaches it learns how many workers there should be,
/// and nothing else.
///
/// # Errors
///
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    scaler: Scaler,
    stop: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let service =
        ExternalScalerServer::new(scaler).max_decoding_message_size(MAX_REQUEST_SIZE_BYTES);
    let (told, mut stopping) = tokio::sync::watch::channel(false);
    let server = Server::builder()
        .timeout(TIMEOUT)
        .max_concurrent_streams(MAX_STREAMS)
        .http2_keepalive_interval(Some(KEEPALIVE))
        .http2_keepalive_timeout(Some(KEEPALIVE))
        .add_service(service)
        .serve_with_incoming_shutdown(TcpIncoming::from(listener), async move {
            // An error is a server that is gone.
            let _ = stopping.wait_for(|stop| *stop).await;
        });
    tokio::pin!(server, stop);
    tokio::select! {
        biased;
        () = &mut stop => {}
        ended = &mut server => return Ok(ended?),
    }
    told.send_replace(true);
    match tokio::time::timeout(GRACE, server).await {
        Ok(ended) => Ok(ended?),
        Err(_) => Ok(()),
    }
}
