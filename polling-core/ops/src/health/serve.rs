//! Health on a port of its own: bounded in connections, and in how long their end may take.

use std::{fmt::Display, pin::pin, sync::Arc, time::Duration};

use hyper_util::server::graceful::{GracefulConnection, GracefulShutdown};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout},
};

/// Most connections at once to a port that only tells health; the next wait to be accepted.
pub const MAX_CONNECTIONS: usize = 256;

/// How long requests under way may take once such a port is closed.
pub const SHUTDOWN_GRACE: Duration = Duration::from_secs(2);

/// Pause after a connection that could not be accepted, such as for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves what `connect` makes of each connection until `stop` resolves, then ends the requests
/// under way.
pub(super) async fn serve<C>(
    listener: TcpListener,
    stop: impl Future<Output = ()>,
    connect: impl Fn(TcpStream) -> C,
) where
    C: GracefulConnection + Send + 'static,
    C::Error: Display,
{
    let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let graceful = GracefulShutdown::new();
    let mut stop = pin!(stop);
    loop {
        let (stream, permit) = tokio::select! {
            biased;
            () = &mut stop => break,
            accepted = accept(&listener, &permits) => accepted,
        };
        let connection = graceful.watch(connect(stream));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection to health broke off");
            }
            drop(permit);
        });
    }
    if timeout(SHUTDOWN_GRACE, graceful.shutdown()).await.is_err() {
        tracing::debug!("connections to health did not end in time");
    }
}

/// The next connection, once there is room for it.
async fn accept(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
) -> (TcpStream, OwnedSemaphorePermit) {
    let permit = Arc::clone(permits).acquire_owned().await;
    let permit = permit.expect("nobody closes the semaphore");
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (stream, permit),
            Err(error) => {
                tracing::warn!(%error, "a connection to health cannot be accepted");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
