//! One call under way, from its request's head to what it was answered.

use std::sync::Arc;

use axum::extract::MatchedPath;
use http::{HeaderMap, Method, Request, Response, uri::PathAndQuery};
use polling_model::{Observation, SharedObserver};
use tokio::time::Instant;

use super::grpc::{self, Methods};

/// Who tells the calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Server,
    Client,
}

/// What the calls of one layer share.
pub(super) struct Calls {
    side: Side,
    observer: SharedObserver,
    methods: Methods,
}

impl Calls {
    pub(super) fn new(side: Side, observer: SharedObserver) -> Self {
        Self {
            side,
            observer,
            methods: Methods::default(),
        }
    }
}

/// Where a call goes; taken from the request, which is gone once it is answered.
enum Target {
    Grpc(Option<PathAndQuery>),
    Http(&'static str, Option<MatchedPath>),
}

/// A call under way. It is told once: when it is answered, or as cancelled when it is dropped before.
pub(super) struct Call {
    calls: Arc<Calls>,
    target: Target,
    started: Instant,
    told: bool,
}

impl Call {
    pub(super) fn start<B>(calls: &Arc<Calls>, request: &Request<B>) -> Self {
        let target = if grpc::is_of(request.headers()) {
            Target::Grpc(request.uri().path_and_query().cloned())
        } else {
            let route = request.extensions().get::<MatchedPath>();
            Target::Http(known(request.method()), route.cloned())
        };
        Self {
            calls: Arc::clone(calls),
            target,
            started: Instant::now(),
            told: false,
        }
    }

    /// The head of the answer: all that is to be known of HTTP, and of gRPC when there is nothing but a status. What
    /// is left to tell is told at the end.
    pub(super) fn answered<B>(mut self, response: &Response<B>) -> Option<Self> {
        match &self.target {
            Target::Http(..) => {
                let status = response.status();
                let failed = match self.calls.side {
                    Side::Server => status.is_server_error(),
                    Side::Client => status.is_server_error() || status.is_client_error(),
                };
                let status = status.as_str();
                self.tell(status, failed.then_some(status));
            }
            Target::Grpc(_) => {
                if let Some(status) = grpc::status_in(response.headers()) {
                    self.ended_with(status);
                }
            }
        }
        (!self.told).then_some(self)
    }

    /// The end of the answer, with its trailers if it had any; without a status the call broke off.
    pub(super) fn ended(&mut self, trailers: Option<&HeaderMap>) {
        if matches!(self.target, Target::Grpc(_)) {
            let status = trailers.and_then(grpc::status_in);
            self.ended_with(status.unwrap_or(grpc::UNKNOWN));
        }
    }

    fn ended_with(&mut self, status: &'static str) {
        let failed = self.calls.side == Side::Client || grpc::is_of_server(status);
        self.tell(status, (failed && status != grpc::OK).then_some(status));
    }

    /// There was no answer.
    pub(super) fn failed(&mut self) {
        self.tell("", Some("failed"));
    }

    fn tell(&mut self, status: &str, error: Option<&str>) {
        if std::mem::replace(&mut self.told, true) {
            return;
        }
        let calls = &*self.calls;
        let elapsed = self.started.elapsed();
        let tell = |system, method, route: &str| {
            calls.observer.observe(Observation::Answered {
                side: match calls.side {
                    Side::Server => "server",
                    Side::Client => "client",
                },
                system,
                method,
                route,
                status,
                error,
                elapsed,
            });
        };
        match &self.target {
            Target::Http(method, route) => {
                tell(
                    "http",
                    method,
                    route.as_ref().map_or("", MatchedPath::as_str),
                );
            }
            Target::Grpc(path) => {
                let path = path.as_ref().map_or("", PathAndQuery::path);
                let theirs = calls.side == Side::Server && status == grpc::UNIMPLEMENTED;
                let route = path.trim_start_matches('/');
                tell(
                    "grpc",
                    "",
                    if theirs {
                        grpc::OTHER
                    } else {
                        calls.methods.known(route)
                    },
                );
            }
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let status = match self.target {
            Target::Grpc(_) => grpc::CANCELLED,
            Target::Http(..) => "",
        };
        self.tell(status, Some("cancelled"));
    }
}

/// A client may ask with any word.
fn known(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "POST" => "POST",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        "HEAD" => "HEAD",
        "OPTIONS" => "OPTIONS",
        "CONNECT" => "CONNECT",
        "PATCH" => "PATCH",
        "TRACE" => "TRACE",
        _ => "_OTHER",
    }
}
