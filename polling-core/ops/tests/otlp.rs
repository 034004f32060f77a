//! Metrics at a receiver of OTLP, over loopback.
#![allow(clippy::unwrap_used)]

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use opentelemetry_proto::tonic::{
    collector::metrics::v1::{
        ExportMetricsServiceRequest, ExportMetricsServiceResponse,
        metrics_service_server::{MetricsService, MetricsServiceServer},
    },
    metrics::v1::{metric::Data, number_data_point::Value},
};
use polling_model::{ManualClock, Observation, Observer as _};
use polling_ops::{
    metrics::{Metrics, samples},
    otlp::{Otlp, OtlpConfig},
};
use tokio::{net::TcpListener, sync::mpsc, sync::oneshot, time::timeout};
use tonic::{Request, Response, Status, transport::server::TcpIncoming};

struct Receiver(mpsc::UnboundedSender<ExportMetricsServiceRequest>);

#[tonic::async_trait]
impl MetricsService for Receiver {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        self.0.send(request.into_inner()).unwrap();
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}

fn serve(listener: TcpListener) -> mpsc::UnboundedReceiver<ExportMetricsServiceRequest> {
    let (received, requests) = mpsc::unbounded_channel();
    let server = tonic::transport::Server::builder()
        .add_service(MetricsServiceServer::new(Receiver(received)))
        .serve_with_incoming(TcpIncoming::from(listener));
    tokio::spawn(server);
    requests
}

fn otlp(metrics: &Metrics, endpoint: &str) -> Otlp {
    let config = OtlpConfig::new(endpoint, "scheduler")
        .instance("a")
        .every(Duration::from_millis(20));
    let clock = Arc::new(ManualClock::at(1_000));
    Otlp::new(metrics.clone(), config, clock).unwrap()
}

/// Counters and the counts of histograms, by name; all series together.
fn counts(request: &ExportMetricsServiceRequest) -> BTreeMap<String, f64> {
    let mut counts = BTreeMap::new();
    for metric in &request.resource_metrics[0].scope_metrics[0].metrics {
        let sum: f64 = match metric.data.as_ref().unwrap() {
            Data::Sum(sum) => sum
                .data_points
                .iter()
                .map(|point| match point.value {
                    Some(Value::AsDouble(value)) => value,
                    _ => panic!("{point:?}"),
                })
                .sum(),
            Data::Histogram(histogram) => {
                let points = histogram.data_points.iter();
                points.map(|point| point.count as f64).sum()
            }
            _ => continue,
        };
        counts.insert(metric.name.clone(), sum);
    }
    counts
}

#[tokio::test]
async fn a_receiver_gets_what_a_scrape_tells() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let mut requests = serve(listener);
    let metrics = Metrics::new();
    let otlp = otlp(&metrics, &endpoint);
    for _ in 0..3 {
        metrics.observe(Observation::AckFailed);
    }
    metrics.observe(Observation::PublishThrottled {
        waited: Duration::from_millis(70),
    });
    let text = metrics.scrape().await.unwrap();
    otlp.run(async {}).await;
    let request = requests.recv().await.unwrap();

    let resource = format!("{:?}", request.resource_metrics[0].resource);
    assert!(resource.contains("service.instance.id"), "{resource}");
    let told = counts(&request);
    assert_eq!(told["polling_ack_failures"], 3.0);
    let mut compared = 0;
    for sample in samples(&text).filter(|sample| sample.labels.is_empty()) {
        let name = sample.name.strip_suffix("_total");
        if let Some(name) = name.or(sample.name.strip_suffix("_count")) {
            assert_eq!(told.get(name), Some(&sample.value), "{name}");
            compared += 1;
        }
    }
    assert!(compared >= 2, "{text}");
}

#[tokio::test]
async fn while_the_receiver_is_away_nothing_is_kept_and_later_all_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let metrics = Metrics::new();
    let otlp = otlp(&metrics, &format!("http://{address}"));
    let (stop, stopping) = oneshot::channel::<()>();
    let running = tokio::spawn(otlp.run(async {
        let _ = stopping.await;
    }));
    let failures = async {
        loop {
            metrics.observe(Observation::AckFailed);
            let text = metrics.scrape().await.unwrap();
            let failed = samples(&text).find(|it| it.name == "polling_otlp_failures_total");
            if failed.unwrap().value >= 3.0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(20), failures).await.unwrap();
    let mut requests = serve(TcpListener::bind(address).await.unwrap());
    let request = timeout(Duration::from_secs(20), requests.recv()).await;
    let told = counts(&request.unwrap().unwrap());
    let text = metrics.scrape().await.unwrap();
    let counted = samples(&text).find(|it| it.name == "polling_ack_failures_total");
    assert_eq!(told["polling_ack_failures"], counted.unwrap().value);
    stop.send(()).unwrap();
    running.await.unwrap();
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_at_once() {
    for bad in ["", "collector:4317", "ftp://collector:4317", "http://a b"] {
        let config = OtlpConfig::new(bad, "scheduler");
        let refused = Otlp::new(Metrics::new(), config, Arc::new(ManualClock::at(0)));
        let error = refused.map(drop).unwrap_err().to_string();
        assert!(error.contains("metrics cannot be exported to"), "{error}");
    }
}
