//! Calls that do nothing, bare and wrapped: what it costs that they are told.

use std::{convert::Infallible, hint::black_box, sync::Arc};

use futures_util::{FutureExt as _, future::LocalBoxFuture};
use http::{HeaderMap, HeaderValue, Request, Response};
use polling_model::{Observation, SharedObserver};
use polling_ops::{clients::Monitored, layer::CallLayer, metrics::Metrics};
use polling_transport::{Metered, Queue as _};
use tower::{Layer as _, Service, service_fn};

use crate::idle::IdleQueue;

/// Names that the metrics know beside those of the calls, as in a large deployment.
const NEIGHBOURS: usize = 50;

/// Makes so many calls, one after the other.
type Calls = Box<dyn Fn(usize) -> LocalBoxFuture<'static, ()>>;

/// The same calls twice.
pub struct Pair {
    /// What is wrapped.
    pub name: &'static str,
    /// The calls as they are.
    pub bare: Calls,
    /// The calls, each of them told.
    pub wrapped: Calls,
}

/// Of each kind of wrapper one. All tell the same metrics.
#[must_use]
pub fn pairs() -> Vec<Pair> {
    let observer = Metrics::new().observer();
    for n in 0..NEIGHBOURS {
        observer.observe(Observation::Called {
            port: "queue",
            name: &format!("neighbour-{n}"),
            operation: "stats",
            error: None,
            elapsed: std::time::Duration::ZERO,
        });
    }
    vec![
        port(&observer),
        any(&observer),
        #[cfg(feature = "redis")]
        redis::connection(&observer),
        layer("http", &observer),
        layer("grpc", &observer),
    ]
}

fn port(observer: &SharedObserver) -> Pair {
    let bare = Arc::new(IdleQueue);
    let wrapped = Metered::new(Arc::clone(&bare), "jobs", Arc::clone(observer));
    let wrapped = Arc::new(wrapped);
    macro_rules! calls {
        ($queue:ident) => {
            Box::new(move |calls| {
                let queue = Arc::clone(&$queue);
                let all = async move {
                    for _ in 0..calls {
                        black_box(queue.stats().await.is_ok());
                    }
                };
                all.boxed_local()
            })
        };
    }
    Pair {
        name: "port",
        bare: calls!(bare),
        wrapped: calls!(wrapped),
    }
}

/// A client whose method returns at once.
#[derive(Debug)]
struct Idle;

impl Idle {
    async fn find(&self) -> Result<u64, Infallible> {
        Ok(black_box(42))
    }
}

fn any(observer: &SharedObserver) -> Pair {
    let wrapped = Arc::new(Monitored::new(Idle, "documents", Arc::clone(observer)));
    Pair {
        name: "any client",
        bare: Box::new(|calls| {
            let all = async move {
                for _ in 0..calls {
                    let _ = black_box(Idle.find().await);
                }
            };
            all.boxed_local()
        }),
        wrapped: Box::new(move |calls| {
            let client = Arc::clone(&wrapped);
            let all = async move {
                for _ in 0..calls {
                    let _ = black_box(client.call("find", client.find()).await);
                }
            };
            all.boxed_local()
        }),
    }
}

/// A server that answers at once; over gRPC with a status alone.
fn layer(system: &'static str, observer: &SharedObserver) -> Pair {
    let (name, kind) = match system {
        "grpc" => ("layer, gRPC", "application/grpc"),
        _ => ("layer, HTTP", "text/plain"),
    };
    let kind = HeaderValue::from_static(kind);
    let mut headers = HeaderMap::new();
    headers.insert("grpc-status", HeaderValue::from_static("0"));
    let server = service_fn(move |request: Request<()>| {
        let mut response = Response::new(());
        if request.headers().contains_key("content-type") {
            response.headers_mut().clone_from(&headers);
        }
        std::future::ready(Ok::<_, Infallible>(response))
    });
    let wrapped = CallLayer::server(Arc::clone(observer)).layer(server.clone());
    Pair {
        name,
        bare: answers(server, kind.clone()),
        wrapped: answers(wrapped, kind),
    }
}

fn answers<S>(server: S, kind: HeaderValue) -> Calls
where
    S: Service<Request<()>, Error = Infallible> + Clone + 'static,
{
    Box::new(move |calls| {
        let (mut server, kind) = (server.clone(), kind.clone());
        let all = async move {
            for _ in 0..calls {
                let mut request = Request::new(());
                *request.uri_mut() = http::Uri::from_static("/demo.Greeter/Greet");
                request.headers_mut().insert("content-type", kind.clone());
                black_box(server.call(request).await.is_ok());
            }
        };
        all.boxed_local()
    })
}

#[cfg(feature = "redis")]
mod redis {
    use futures_util::FutureExt as _;
    use polling_ops::clients::redis::MonitoredConnection;
    use redis::{Cmd, Pipeline, RedisFuture, Value, aio::ConnectionLike};

    use super::{Arc, Calls, Pair, SharedObserver, black_box};

    /// A connection that answers at once.
    #[derive(Debug, Clone)]
    struct Idle;

    impl ConnectionLike for Idle {
        fn req_packed_command<'a>(&'a mut self, _: &'a Cmd) -> RedisFuture<'a, Value> {
            Box::pin(std::future::ready(Ok(Value::Okay)))
        }

        fn req_packed_commands<'a>(
            &'a mut self,
            _: &'a Pipeline,
            _: usize,
            count: usize,
        ) -> RedisFuture<'a, Vec<Value>> {
            Box::pin(std::future::ready(Ok(vec![Value::Okay; count])))
        }

        fn get_db(&self) -> i64 {
            0
        }
    }

    pub(super) fn connection(observer: &SharedObserver) -> Pair {
        Pair {
            name: "redis",
            bare: commands(Idle),
            wrapped: commands(MonitoredConnection::new(
                Idle,
                "sessions",
                Arc::clone(observer),
            )),
        }
    }

    fn commands(connection: impl ConnectionLike + Clone + 'static) -> Calls {
        let command = Arc::new(redis::cmd("SET").arg("key").arg("value").clone());
        Box::new(move |calls| {
            let (mut connection, command) = (connection.clone(), Arc::clone(&command));
            let all = async move {
                for _ in 0..calls {
                    black_box(connection.req_packed_command(&command).await.is_ok());
                }
            };
            all.boxed_local()
        })
    }
}
