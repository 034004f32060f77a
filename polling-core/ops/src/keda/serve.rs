//! The server.

use tokio::net::TcpListener;

use super::{proto::external_scaler_server::ExternalScalerServer, scaler::Scaler};
use crate::serve::serve_grpc;

/// Largest request, bytes: a trigger's metadata.
const MAX_REQUEST_SIZE_BYTES: usize = 64 * 1024;

/// Serves `scaler` on `listener` until `stop` resolves, then lets the calls under way end, for
/// [`SHUTDOWN_GRACE`](super::SHUTDOWN_GRACE) at most; streams are cut off. [`MAX_CONNECTIONS`](super::MAX_CONNECTIONS)
/// bounds the connections.
///
/// In plain text, without a token: KEDA has none to give. Whoever reaches it learns how many workers there should be,
/// and nothing else.
pub async fn serve(listener: TcpListener, scaler: Scaler, stop: impl Future<Output = ()>) {
    let service =
        ExternalScalerServer::new(scaler).max_decoding_message_size(MAX_REQUEST_SIZE_BYTES);
    serve_grpc(listener, stop, service).await;
}
