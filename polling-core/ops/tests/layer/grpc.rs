//! Over gRPC, with tonic.

use std::{sync::Arc, time::Duration};

use http::uri::PathAndQuery;
use polling_model::SystemClock;
use polling_ops::{
    health::{Check, Health},
    layer::{CallLayer, CallService},
    metrics::Metrics,
};
use tokio::{net::TcpListener, time::timeout};
use tonic::{
    Code, Request, client,
    transport::{Channel, Server, server::TcpIncoming},
};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tonic_prost::ProstCodec;
use tower::Layer as _;

use crate::{calls, expected};

const SERVER: &str = "rpc_server_call_duration_seconds";
const CLIENT: &str = "rpc_client_call_duration_seconds";

/// A server with the layer, and a client with another.
async fn connected(metrics: &Metrics) -> CallService<Channel> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let health = Health::builder(Arc::new(SystemClock))
        .check(Check::new("store", || true))
        .build()
        .unwrap();
    let server = Server::builder()
        .layer(CallLayer::server(metrics.observer()))
        .add_service(health.grpc_service())
        .serve_with_incoming(TcpIncoming::from(listener));
    tokio::spawn(server);
    let channel = Channel::from_shared(address).unwrap().connect_lazy();
    CallLayer::client(metrics.observer()).layer(channel)
}

fn asking(service: &str) -> HealthCheckRequest {
    HealthCheckRequest {
        service: service.to_owned(),
    }
}

#[tokio::test]
async fn calls_are_told_with_the_status_of_their_trailers() {
    let metrics = Metrics::new();
    let client = connected(&metrics).await;
    let mut health = HealthClient::new(client.clone());
    health.check(asking("")).await.unwrap();
    health.check(asking("")).await.unwrap();
    let unknown = health.check(asking("nobody")).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);

    let mut raw = client::Grpc::new(client);
    for method in ["/demo.Nobody/A", "/demo.Nobody/B"] {
        raw.ready().await.unwrap();
        let path = PathAndQuery::from_static(method);
        let codec = ProstCodec::<(), ()>::default();
        let missing = raw.unary(Request::new(()), path, codec).await.unwrap_err();
        assert_eq!(missing.code(), Code::Unimplemented);
    }

    let check = "grpc.health.v1.Health/Check";
    let told = calls(&metrics, CLIENT).await;
    assert_eq!(told[&format!("{check} OK - grpc")], 2, "{told:?}");
    assert_eq!(told[&format!("{check} NOT_FOUND NOT_FOUND grpc")], 1);
    assert_eq!(told["demo.Nobody/A UNIMPLEMENTED UNIMPLEMENTED grpc"], 1);
    // To a server it is no failure that a client asks for what is not there; and its methods are those that it has.
    let served = expected([
        ("grpc.health.v1.Health/Check NOT_FOUND - grpc", 1),
        ("grpc.health.v1.Health/Check OK - grpc", 2),
        ("other UNIMPLEMENTED UNIMPLEMENTED grpc", 2),
    ]);
    assert_eq!(calls(&metrics, SERVER).await, served);
}

#[tokio::test]
async fn a_stream_is_told_when_it_is_over() {
    let metrics = Metrics::new();
    let mut health = HealthClient::new(connected(&metrics).await);
    let mut stream = health.watch(asking("")).await.unwrap().into_inner();
    stream.message().await.unwrap().unwrap();
    assert!(calls(&metrics, CLIENT).await.is_empty(), "it is under way");
    drop(stream);
    let watch = "grpc.health.v1.Health/Watch CANCELLED cancelled grpc";
    let told = calls(&metrics, CLIENT).await;
    assert_eq!(told, expected([(watch, 1)]));
    // The server hears of it a moment later.
    let heard = async {
        while calls(&metrics, SERVER).await.is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(10), heard).await.unwrap();
    assert_eq!(calls(&metrics, SERVER).await, told);
}
