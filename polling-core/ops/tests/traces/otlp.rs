//! Over the wire to a receiver of OTLP.

use std::{sync::Arc, time::Duration};

use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
    trace_service_server::{TraceService, TraceServiceServer},
};
use polling_model::trace::{Ending, names};
use polling_ops::traces::{Traces, TracesConfig};
use tokio::{net::TcpListener, sync::mpsc, time::timeout};
use tonic::{Request, Response, Status, transport::server::TcpIncoming};
use tracing_subscriber::layer::SubscriberExt as _;

use crate::support::{delivery, trace};

struct Receiver(mpsc::UnboundedSender<ExportTraceServiceRequest>);

#[tonic::async_trait]
impl TraceService for Receiver {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.0.send(request.into_inner()).unwrap();
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[tokio::test]
async fn a_receiver_of_otlp_gets_the_spans_of_a_job_and_who_tells_them() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (received, mut requests) = mpsc::unbounded_channel();
    let server = tonic::transport::Server::builder()
        .add_service(TraceServiceServer::new(Receiver(received)))
        .serve_with_incoming(TcpIncoming::from(listener));
    tokio::spawn(server);

    let config = TracesConfig::new("mastodon-worker").ratio(polling_model::TraceRatio::NONE);
    let (layer, traces) = Traces::otlp(&endpoint, config).unwrap();
    let subscriber = tracing_subscriber::registry().with(layer);
    let counts = Arc::new(traces.counts());
    tracing::subscriber::with_default(subscriber, || {
        delivery(1, Ending::Succeeded, 0);
        delivery(2, Ending::Failed, 0);
    });
    traces.run(async {}).await;
    let request = timeout(Duration::from_secs(10), requests.recv()).await;
    let request = request.unwrap().unwrap();
    assert_eq!(counts().exported, 2);
    let [resource] = &request.resource_spans[..] else {
        panic!("{request:?}");
    };
    let attributes = format!("{:?}", resource.resource);
    assert!(attributes.contains("service.name") && attributes.contains("mastodon-worker"));
    let spans: Vec<_> = resource
        .scope_spans
        .iter()
        .flat_map(|scope| &scope.spans)
        .collect();
    let told: Vec<_> = spans.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(told, [names::POLL, names::JOB]);
    for span in spans {
        assert_eq!(span.trace_id, trace(2).trace_id().to_bytes());
    }
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_at_once() {
    for bad in ["", "collector:4317", "ftp://collector:4317", "http://a b"] {
        let refused = Traces::otlp(bad, TracesConfig::new("test"));
        let error = refused.map(drop).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("traces cannot be exported to {bad}: ")),
            "{error}"
        );
    }
}
