//! A port of its own: bounded in connections, and in how long their end may take.

use std::{fmt::Display, pin::pin, sync::Arc, time::Duration};

use hyper_util::server::graceful::{GracefulConnection, GracefulShutdown};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
    time::{sleep, timeout},
};

/// Most connections at once to a port of its own; the next wait to be accepted.
pub const MAX_CONNECTIONS: usize = 256;

/// How long requests under way may take once such a port is closed.
pub const SHUTDOWN_GRACE: Duration = Duration::from_secs(2);

/// Pause after a connection that could not be accepted, such as for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves what `connect` makes of each connection until `stop` resolves, then lets the requests under way end. What has
/// not ended in time is cut off.
pub(crate) async fn serve<C>(
    listener: TcpListener,
    stop: impl Future<Output = ()>,
    connect: impl Fn(TcpStream) -> C,
) where
    C: GracefulConnection + Send + 'static,
    C::Error: Display,
{
    let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        let (stream, permit) = tokio::select! {
            biased;
            () = &mut stop => break,
            Some(_) = connections.join_next() => continue,
            accepted = accept(&listener, &permits) => accepted,
        };
        let connection = graceful.watch(connect(stream));
        connections.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection broke off");
            }
            drop(permit);
        });
    }
    drop(listener);
    if timeout(SHUTDOWN_GRACE, graceful.shutdown()).await.is_err() {
        tracing::debug!("connections did not end in time");
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
                tracing::warn!(%error, "a connection cannot be accepted");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

#[cfg(any(feature = "health-grpc", feature = "keda"))]
mod grpc {
    use std::{convert::Infallible, time::Duration};

    use hyper::{body::Incoming, server::conn::http2};
    use hyper_util::{
        rt::{TokioExecutor, TokioIo, TokioTimer},
        service::TowerToHyperService,
    };
    use tokio::net::TcpListener;
    use tonic::{
        body::Body,
        codegen::{Service, http},
    };

    /// Most calls at once on a connection, streams included.
    const MAX_STREAMS: u32 = 64;

    /// A client that says nothing for so long is asked whether it is there.
    const KEEP_ALIVE: Duration = Duration::from_secs(30);

    /// Serves a service of gRPC as [`serve`](super::serve) does.
    pub(crate) async fn serve_grpc<S>(
        listener: TcpListener,
        stop: impl Future<Output = ()>,
        service: S,
    ) where
        S: Service<http::Request<Incoming>, Response = http::Response<Body>, Error = Infallible>,
        S: Clone + Send + 'static,
        S::Future: Send + 'static,
    {
        let service = TowerToHyperService::new(service);
        let connect = |stream| {
            http2::Builder::new(TokioExecutor::new())
                .timer(TokioTimer::new())
                .keep_alive_interval(KEEP_ALIVE)
                .max_concurrent_streams(MAX_STREAMS)
                .serve_connection(TokioIo::new(stream), service.clone())
        };
        super::serve(listener, stop, connect).await;
    }
}

#[cfg(any(feature = "health-grpc", feature = "keda"))]
pub(crate) use self::grpc::serve_grpc;
