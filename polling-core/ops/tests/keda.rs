//! A gRPC client asks the external scaler, over loopback.
#![allow(clippy::unwrap_used)]

use std::{sync::Arc, time::Duration};

use polling_model::ManualClock;
use polling_ops::{
    keda::{
        Board, Target,
        proto::{
            GetMetricsRequest, IsActiveResponse, ScaledObjectRef,
            external_scaler_client::ExternalScalerClient,
        },
        serve,
    },
    scaling::Decision,
};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use tonic::{
    Code,
    transport::{Channel, Endpoint},
};

/// A board with its server, and a client.
struct Served {
    board: Option<Board>,
    clock: ManualClock,
    client: ExternalScalerClient<Channel>,
    stop: oneshot::Sender<()>,
    server: JoinHandle<()>,
}

async fn served() -> Served {
    let clock = ManualClock::at(1_700_000_000_000);
    let board = Board::new(Arc::new(clock.clone()), Duration::from_secs(60));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (stop, stopping) = oneshot::channel::<()>();
    let serving = serve(listener, board.scaler(), async move {
        // Dropped or told: both end it.
        let _ = stopping.await;
    });
    let server = tokio::spawn(serving);
    let channel = Endpoint::from_shared(address)
        .unwrap()
        .connect()
        .await
        .unwrap();
    Served {
        board: Some(board),
        clock,
        client: ExternalScalerClient::new(channel),
        stop,
        server,
    }
}

impl Served {
    fn post(&self, workers: u32) {
        let target = Target {
            channel: "mastodon".parse().unwrap(),
            job_type: "posts".parse().unwrap(),
        };
        let decision = Decision {
            workers,
            ready: workers,
            needed: f64::from(workers),
            cause: "coming",
            limit: "none",
            reason: "a test".to_owned(),
        };
        self.board.as_ref().unwrap().post(target, &decision);
    }
}

fn trigger(metadata: &[(&str, &str)]) -> ScaledObjectRef {
    let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    ScaledObjectRef {
        name: "worker".to_owned(),
        namespace: "polling".to_owned(),
        scaler_metadata: metadata.iter().map(own).collect(),
    }
}

fn posts() -> ScaledObjectRef {
    trigger(&[
        ("channel", "mastodon"),
        ("jobType", "posts"),
        ("scalerAddress", "here"),
    ])
}

fn workers_of(scaled_object: ScaledObjectRef) -> GetMetricsRequest {
    GetMetricsRequest {
        scaled_object_ref: Some(scaled_object),
        metric_name: "workers".to_owned(),
    }
}

#[tokio::test]
async fn the_metric_is_the_number_of_workers_with_a_target_of_one() {
    let mut served = served().await;
    served.post(7);
    let spec = served
        .client
        .get_metric_spec(posts())
        .await
        .unwrap()
        .into_inner();
    let spec = &spec.metric_specs[..];
    assert_eq!(spec.len(), 1);
    assert_eq!(
        (spec[0].metric_name.as_str(), spec[0].target_size),
        ("workers", 1)
    );
    assert_eq!(spec[0].target_size_float, 1.0);
    for workers in [7, 0, 12] {
        served.post(workers);
        let metrics = served
            .client
            .get_metrics(workers_of(posts()))
            .await
            .unwrap()
            .into_inner();
        let values = &metrics.metric_values[..];
        assert_eq!(values.len(), 1);
        assert_eq!(values[0].metric_name, "workers");
        assert_eq!(values[0].metric_value, i64::from(workers));
        assert_eq!(values[0].metric_value_float, f64::from(workers));
    }
}

#[tokio::test]
async fn it_is_active_while_there_should_be_a_worker() {
    let mut served = served().await;
    for workers in [0, 3, 0] {
        served.post(workers);
        let active = served.client.is_active(posts()).await.unwrap().into_inner();
        assert_eq!(active.result, workers > 0);
    }
}

#[tokio::test]
async fn the_stream_tells_at_once_and_then_what_changes() {
    let mut served = served().await;
    served.post(2);
    let mut stream = served
        .client
        .stream_is_active(posts())
        .await
        .unwrap()
        .into_inner();
    let told = |result| Some(IsActiveResponse { result });
    assert_eq!(stream.message().await.unwrap(), told(true));
    // 3 is as active as 2, so the next message is that of 0.
    served.post(3);
    served.post(0);
    assert_eq!(stream.message().await.unwrap(), told(false));
    served.post(1);
    assert_eq!(stream.message().await.unwrap(), told(true));
    served.board = None;
    assert_eq!(stream.message().await.unwrap(), None);
}

#[tokio::test]
async fn the_stream_of_what_is_not_decided_yet_waits_for_the_decision() {
    let mut served = served().await;
    let mut stream = served
        .client
        .stream_is_active(posts())
        .await
        .unwrap()
        .into_inner();
    served.post(0);
    assert_eq!(
        stream.message().await.unwrap(),
        Some(IsActiveResponse { result: false })
    );
}

#[tokio::test]
async fn what_is_not_known_or_too_old_is_unavailable_so_that_keda_changes_nothing() {
    let mut served = served().await;
    let error = served.client.is_active(posts()).await.unwrap_err();
    assert_eq!(error.code(), Code::Unavailable);
    assert!(error.message().contains("mastodon/posts"), "{error}");
    served.post(4);
    served.clock.advance(Duration::from_secs(60));
    assert!(served.client.is_active(posts()).await.is_ok());
    served.clock.advance(Duration::from_secs(1));
    let error = served
        .client
        .get_metrics(workers_of(posts()))
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::Unavailable);
    assert!(error.message().contains("61 s old"), "{error}");
}

#[tokio::test]
async fn a_wrong_trigger_is_told_what_to_mend() {
    let mut served = served().await;
    served.post(4);
    let lacking = trigger(&[("channel", "mastodon")]);
    let error = served.client.get_metric_spec(lacking).await.unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
    assert!(error.message().contains("jobType"), "{error}");
    let bad = trigger(&[("channel", "no such name!"), ("jobType", "posts")]);
    let error = served.client.is_active(bad).await.unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
    let mut other = workers_of(posts());
    other.metric_name = "queue".to_owned();
    let error = served.client.get_metrics(other).await.unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
    assert!(error.message().contains("workers"), "{error}");
}

#[tokio::test]
async fn told_to_stop_the_server_ends_though_a_stream_is_open() {
    let mut served = served().await;
    served.post(1);
    let mut stream = served
        .client
        .stream_is_active(posts())
        .await
        .unwrap()
        .into_inner();
    assert!(stream.message().await.unwrap().is_some());
    served.stop.send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(10), served.server)
        .await
        .unwrap()
        .unwrap();
}
