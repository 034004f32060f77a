//! Connections: bounded in number, and in how long they may take to say what they want.

use std::{net::IpAddr, sync::Arc, time::Duration};

use axum::{Router, http::Request};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// Most connections at once; the next wait to be accepted.
const MAX_CONNECTIONS: usize = 1_024;

/// Longest time from a connection's opening, or from its last answer, to the end of a request's
/// headers.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);

/// Pause after a connection that could not be accepted, such as for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What a request knows of the connection that it came over.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    /// Whose it is.
    pub(crate) peer: Option<IpAddr>,
    /// Answers that would go on for ever end once it is cancelled.
    pub(crate) stop: CancellationToken,
}

/// Serves until `stop` is cancelled, then ends the requests under way.
pub async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            accepted = accept(&listener, &permits) => accepted,
        };
        let Some((stream, permit)) = accepted else {
            return;
        };
        let about = Connection {
            peer: stream.peer_addr().ok().map(|address| address.ip()),
            stop: stop.clone(),
        };
        let service = router.clone().map_request(move |mut request: Request<_>| {
            request.extensions_mut().insert(about.clone());
            request
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIMEOUT)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection broke off");
            }
            drop(permit);
        });
    }
    graceful.shutdown().await;
}

/// The next connection, once there is room for it.
async fn accept(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let permit = Arc::clone(permits).acquire_owned().await.ok()?;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return Some((stream, permit)),
            Err(error) => {
                tracing::warn!(%error, "a connection cannot be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
