//! A Tower layer that tells each call of a server or a client, over HTTP or gRPC.
//!
//! ```
//! use axum::{Router, routing::get};
//! use polling_ops::{layer::CallLayer, metrics::Metrics};
//!
//! let metrics = Metrics::new();
//! let routes: Router = Router::new()
//!     .route("/accounts/{id}", get(async || "hello"))
//!     .layer(CallLayer::server(metrics.observer()));
//! ```
//!
//! A server of tonic takes it by `Server::builder().layer(CallLayer::server(…))`, a client by
//! `GreeterClient::new(CallLayer::client(…).layer(channel))`.
//!
//! What is told is an [`Observation::Answered`](polling_model::Observation::Answered), from which the metrics of
//! OpenTelemetry's conventions are made: `http_server_request_duration_seconds`, `rpc_server_call_duration_seconds`, and
//! those of clients. A call over HTTP is told when its head is answered; one of gRPC when its status is known, which
//! stands in the trailers, after the last message of a stream.
//!
//! Routes are few. Over HTTP it is the template of axum's router, `/accounts/{id}`, and empty without one. Over gRPC it is
//! service and method, `demo.Greeter/Greet`; `other` for those that a server does not have, and beyond [`MAX_METHODS`].

mod body;
mod call;
mod future;
mod grpc;

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use polling_model::SharedObserver;
use tower::{Layer, Service};

use self::call::{Call, Calls, Side};
pub use self::{body::ResponseBody, future::ResponseFuture, grpc::MAX_METHODS};

/// Tells each call of what it is around, and changes nothing. Clones share what they know.
#[derive(Clone)]
pub struct CallLayer(Arc<Calls>);

impl CallLayer {
    /// For a server: its calls are told to `observer`, which must be fast.
    #[must_use]
    pub fn server(observer: SharedObserver) -> Self {
        Self(Arc::new(Calls::new(Side::Server, observer)))
    }

    /// For a client: its calls are told to `observer`, which must be fast.
    #[must_use]
    pub fn client(observer: SharedObserver) -> Self {
        Self(Arc::new(Calls::new(Side::Client, observer)))
    }
}

impl<S> Layer<S> for CallLayer {
    type Service = CallService<S>;

    fn layer(&self, inner: S) -> CallService<S> {
        CallService {
            inner,
            calls: Arc::clone(&self.0),
        }
    }
}

/// The service of a [`CallLayer`].
#[derive(Clone)]
pub struct CallService<S> {
    inner: S,
    calls: Arc<Calls>,
}

impl<S> CallService<S> {
    /// What is inside.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// What is inside.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// What is inside, no longer told.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S, A, B> Service<Request<A>> for CallService<S>
where
    S: Service<Request<A>, Response = Response<B>>,
{
    type Response = Response<ResponseBody<B>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        let call = Call::start(&self.calls, &request);
        ResponseFuture::new(self.inner.call(request), call)
    }
}

impl fmt::Debug for CallLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallLayer").finish_non_exhaustive()
    }
}

impl<S> fmt::Debug for CallService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallService").finish_non_exhaustive()
    }
}
