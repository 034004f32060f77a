//! Health over gRPC: `grpc.health.v1.Health`, as Kubernetes and load balancers ask it.

use std::{convert::Infallible, sync::Arc};

use futures_util::{
    StreamExt as _,
    future::BoxFuture,
    stream::{BoxStream, unfold},
};
use tokio::{
    net::TcpListener,
    sync::{OwnedSemaphorePermit, Semaphore, watch},
};
use tonic::{Request, Response, Status};
use tonic_health::pb::{
    HealthCheckRequest, HealthCheckResponse,
    health_check_response::ServingStatus,
    health_server::{Health as Protocol, HealthServer},
};

use super::{Health, Report};
use crate::serve::serve_grpc;

/// Most streams of `Watch` at once; the next are refused with `RESOURCE_EXHAUSTED`.
pub const MAX_WATCHES: usize = 256;

/// The protocol over a [`Health`], for servers that wrap it on their own; mostly
/// [`Health::grpc_service`] is what is wanted. Clones share the bound of streams.
#[derive(Debug, Clone)]
pub struct GrpcHealth {
    health: Health,
    watches: Arc<Semaphore>,
}

impl GrpcHealth {
    /// Answers from `health`.
    #[must_use]
    pub fn new(health: &Health) -> Self {
        Self {
            health: health.clone(),
            watches: Arc::new(Semaphore::new(MAX_WATCHES)),
        }
    }
}

impl Health {
    /// The service `grpc.health.v1.Health`, to add to a server of tonic.
    ///
    /// The empty name and `readiness` ask all checks, `liveness` those for liveness, and any other
    /// name what [`HealthBuilder::service`](super::HealthBuilder::service) said. `Check` of a name
    /// that is not known is answered `NOT_FOUND`; `Watch` tells `SERVICE_UNKNOWN` and stays open, as
    /// the standard says. Degraded is `SERVING`. A stream of `Watch` has the checks asked at every
    /// interval for as long as it is open, and ends after [`Health::stop_serving`], so that it holds
    /// up no graceful shutdown.
    ///
    /// ```no_run
    /// # use std::sync::Arc;
    /// # use polling_ops::health::Health;
    /// # async fn serve(
    /// #     health: Health, greeter: tonic::service::Routes, address: std::net::SocketAddr,
    /// # ) -> Result<(), tonic::transport::Error> {
    /// tonic::transport::Server::builder()
    ///     .add_routes(greeter)
    ///     .add_service(health.grpc_service()) // the line to add
    ///     .serve(address)
    ///     .await
    /// # }
    /// ```
    #[must_use]
    pub fn grpc_service(&self) -> HealthServer<GrpcHealth> {
        HealthServer::new(GrpcHealth::new(self))
    }

    /// Answers at a port of its own until `stop` resolves, then says [`Health::stop_serving`].
    /// [`MAX_CONNECTIONS`](super::MAX_CONNECTIONS) bounds the connections.
    pub async fn serve_grpc(&self, listener: TcpListener, stop: impl Future<Output = ()>) {
        let stop = async {
            stop.await;
            self.stop_serving();
        };
        serve_grpc(listener, stop, self.grpc_service()).await;
    }
}

#[tonic::async_trait]
impl Protocol for GrpcHealth {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        let name = request.into_inner().service;
        let report = self.health.service(&name).await;
        let report = report.ok_or_else(|| Status::not_found("no service of this name"))?;
        Ok(Response::new(message(status(&report))))
    }

    type WatchStream = BoxStream<'static, Result<HealthCheckResponse, Status>>;

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let permit = Arc::clone(&self.watches).try_acquire_owned();
        let permit = permit.map_err(|_| {
            Status::resource_exhausted(format!("{MAX_WATCHES} streams are open already"))
        })?;
        let name = request.into_inner().service;
        // Before it is asked, so that no change is missed.
        let view = self.health.watch();
        let _ = self.health.service(&name).await;
        let watching = Watching::new(self.health.clone(), name, view, permit);
        Ok(Response::new(unfold(watching, Watching::next).boxed()))
    }
}

/// One stream of `Watch`.
struct Watching {
    health: Health,
    service: String,
    view: watch::Receiver<Report>,
    refresh: BoxFuture<'static, Infallible>,
    told: Option<ServingStatus>,
    _permit: OwnedSemaphorePermit,
}

impl Watching {
    fn new(
        health: Health,
        service: String,
        view: watch::Receiver<Report>,
        permit: OwnedSemaphorePermit,
    ) -> Self {
        let (asking, name) = (health.clone(), service.clone());
        Self {
            health,
            service,
            view,
            refresh: Box::pin(async move { asking.keep_fresh(&name).await }),
            told: None,
            _permit: permit,
        }
    }

    async fn next(mut self) -> Option<(Result<HealthCheckResponse, Status>, Self)> {
        loop {
            let stopping = self.view.borrow_and_update().stopping;
            let report = self.health.last_of_service(&self.service);
            let now = report.map_or(ServingStatus::ServiceUnknown, |report| status(&report));
            if self.told != Some(now) {
                self.told = Some(now);
                return Some((Ok(message(now)), self));
            }
            if stopping {
                return None;
            }
            tokio::select! {
                biased;
                // The sender lives as long as `self.health`.
                _ = self.view.changed() => {}
                never = &mut self.refresh => match never {},
            }
        }
    }
}

fn status(report: &Report) -> ServingStatus {
    if report.serves() {
        ServingStatus::Serving
    } else {
        ServingStatus::NotServing
    }
}

fn message(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse {
        status: status.into(),
    }
}
