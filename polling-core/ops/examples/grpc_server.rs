//! A plain server of tonic that gains health and metrics: the lines of `serve`.
//!
//! ```console
//! $ cargo run -p polling-ops --features health-grpc,prometheus,tower --example grpc_server &
//! $ health-probe --addr localhost:7072 --service demo.Greeter
//! SERVING
//! $ curl localhost:7070/metrics
//! rpc_server_call_duration_seconds_count{rpc_method="grpc.health.v1.Health/Check",…} 1
//! ```

// As generated code would be.
#[path = "../tests/health_grpc/greeter.rs"]
mod greeter;

use std::{error::Error, sync::Arc};

use polling_model::SystemClock;
use polling_ops::{
    health::{Check, Health},
    layer::CallLayer,
    metrics::Metrics,
    prometheus,
};
use tokio::net::TcpListener;
use tonic::transport::{Server, server::TcpIncoming};

use crate::greeter::Greeter;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let grpc = TcpListener::bind(("127.0.0.1", 7072)).await?;
    let admin = TcpListener::bind(("127.0.0.1", 7070)).await?;
    serve(grpc, admin).await
}

async fn serve(grpc: TcpListener, admin: TcpListener) -> Result<(), Box<dyn Error>> {
    let metrics = Metrics::new();
    let health = Health::builder(Arc::new(SystemClock))
        .check(Check::new("database", || true))
        .service("demo.Greeter", ["database"])
        .build()?;
    let server = Server::builder()
        .layer(CallLayer::server(metrics.observer())) // each call, by method
        .add_service(health.grpc_service()) // grpc.health.v1.Health
        .add_service(Greeter)
        .serve_with_incoming(TcpIncoming::from(grpc));
    let scrapes = axum::serve(admin, prometheus::router::<()>(metrics));
    tokio::select! {
        biased;
        ended = server => Ok(ended?),
        ended = scrapes => Ok(ended?),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use http::uri::PathAndQuery;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tonic::{Request, client, transport::Channel};
    use tonic_health::pb::{
        HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
    };
    use tonic_prost::ProstCodec;

    use super::*;

    #[tokio::test]
    async fn a_plain_server_gains_health_and_metrics() {
        let grpc = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let admin = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", grpc.local_addr().unwrap());
        let scraped = admin.local_addr().unwrap();
        let served = tokio::spawn(async { serve(grpc, admin).await.unwrap() });

        let channel = Channel::from_shared(address).unwrap().connect_lazy();
        let mut greeter = client::Grpc::new(channel.clone());
        greeter.ready().await.unwrap();
        let path = PathAndQuery::from_static("/demo.Greeter/Greet");
        let codec = ProstCodec::<(), ()>::default();
        greeter.unary(Request::new(()), path, codec).await.unwrap();
        let service = "demo.Greeter".to_owned();
        let asked = HealthCheckRequest { service };
        let answer = HealthClient::new(channel).check(asked).await.unwrap();
        assert_eq!(answer.into_inner().status(), ServingStatus::Serving);

        let mut stream = tokio::net::TcpStream::connect(scraped).await.unwrap();
        let request = "GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        for method in ["demo.Greeter/Greet", "grpc.health.v1.Health/Check"] {
            let series = format!(
                "rpc_server_call_duration_seconds_count{{rpc_method=\"{method}\",rpc_response_status_code=\"OK\",error_type=\"\",rpc_system_name=\"grpc\"}} 1\n"
            );
            assert!(text.contains(&series), "{text}");
        }
        served.abort();
    }
}
