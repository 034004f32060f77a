//! A plain server of tonic gains health by one line, and a foreign client sees it.
#![allow(clippy::unwrap_used)]

mod greeter;

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use http::uri::PathAndQuery;
use polling_model::SystemClock;
use polling_ops::health::{Check, GrpcHealth, Health, MAX_WATCHES};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use tonic::{
    Code, Request, Status, client,
    transport::{Channel, Server, server::TcpIncoming},
};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
    health_server::Health as _,
};
use tonic_prost::ProstCodec;

use crate::greeter::Greeter;

type Client = HealthClient<Channel>;

/// Checks that flip by hand, and are asked only when somebody asks.
struct Flipped {
    health: Health,
    store: Arc<AtomicBool>,
    pump: Arc<AtomicBool>,
}

impl Flipped {
    fn new() -> Self {
        Self::every(Duration::from_secs(3_600))
    }

    fn every(interval: Duration) -> Self {
        let (store, pump) = (
            Arc::new(AtomicBool::new(true)),
            Arc::new(AtomicBool::new(true)),
        );
        let flag = |name: &str, flag: &Arc<AtomicBool>| {
            let flag = Arc::clone(flag);
            Check::new(name, move || flag.load(SeqCst)).cache(Duration::ZERO)
        };
        let health = Health::builder(Arc::new(SystemClock))
            .check(flag("store", &store))
            .check(flag("pump", &pump).for_liveness())
            .service("demo.Greeter", ["store"])
            .interval(interval)
            .build()
            .unwrap();
        Self {
            health,
            store,
            pump,
        }
    }

    /// Sets a check, and has all asked.
    async fn set(&self, flag: &AtomicBool, passes: bool) {
        flag.store(passes, SeqCst);
        self.health.readiness().await;
    }
}

/// A server of ours with health, its address, and how to stop it.
async fn plain_server(health: &Health) -> (SocketAddr, oneshot::Sender<()>, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let server = Server::builder()
        .add_service(Greeter)
        .add_service(health.grpc_service())
        .serve_with_incoming_shutdown(TcpIncoming::from(listener), async {
            let _ = stopped.await;
        });
    let running = tokio::spawn(async move { server.await.unwrap() });
    (address, stop, running)
}

async fn client(address: SocketAddr) -> (Channel, Client) {
    let channel = Channel::from_shared(format!("http://{address}")).unwrap();
    let channel = channel.connect().await.unwrap();
    (channel.clone(), HealthClient::new(channel))
}

/// Calls the service that knows nothing of health.
async fn greet(channel: Channel) -> Result<(), Status> {
    let mut client = client::Grpc::new(channel);
    client
        .ready()
        .await
        .map_err(|error| Status::from_error(Box::new(error)))?;
    let path = PathAndQuery::from_static("/demo.Greeter/Greet");
    let answer = client.unary(Request::new(()), path, ProstCodec::<(), ()>::default());
    answer.await.map(tonic::Response::into_inner)
}

fn about(service: &str) -> HealthCheckRequest {
    HealthCheckRequest {
        service: service.to_owned(),
    }
}

async fn check(client: &mut Client, service: &str) -> Result<ServingStatus, Code> {
    let answer = client.check(about(service)).await;
    answer
        .map(|answer| answer.into_inner().status())
        .map_err(|status| status.code())
}

#[tokio::test]
async fn a_plain_server_answers_for_each_service_as_checks_flip() {
    let flipped = Flipped::new();
    let (address, _stop, _) = plain_server(&flipped.health).await;
    let (channel, mut client) = client(address).await;
    greet(channel).await.unwrap();

    for service in ["", "readiness", "liveness", "demo.Greeter"] {
        assert_eq!(
            check(&mut client, service).await,
            Ok(ServingStatus::Serving)
        );
    }
    flipped.store.store(false, SeqCst);
    for (service, status) in [
        ("", ServingStatus::NotServing),
        ("readiness", ServingStatus::NotServing),
        ("liveness", ServingStatus::Serving),
        ("demo.Greeter", ServingStatus::NotServing),
    ] {
        assert_eq!(check(&mut client, service).await, Ok(status), "{service}");
    }
    flipped.store.store(true, SeqCst);
    flipped.pump.store(false, SeqCst);
    assert_eq!(
        check(&mut client, "liveness").await,
        Ok(ServingStatus::NotServing)
    );
    assert_eq!(
        check(&mut client, "demo.Greeter").await,
        Ok(ServingStatus::Serving)
    );
    assert_eq!(check(&mut client, "other").await, Err(Code::NotFound));
}

#[tokio::test]
async fn who_watches_sees_each_change_once() {
    let flipped = Flipped::new();
    let (address, _stop, _) = plain_server(&flipped.health).await;
    let (_, mut client) = client(address).await;
    let mut stream = client
        .watch(about("demo.Greeter"))
        .await
        .unwrap()
        .into_inner();
    let mut next = async || stream.message().await.unwrap().unwrap().status();

    assert_eq!(next().await, ServingStatus::Serving);
    flipped.set(&flipped.store, false).await;
    assert_eq!(next().await, ServingStatus::NotServing);
    // Not what this service stands on, and no change.
    flipped.set(&flipped.pump, false).await;
    flipped.set(&flipped.store, false).await;
    flipped.set(&flipped.store, true).await;
    assert_eq!(next().await, ServingStatus::Serving);
}

#[tokio::test]
async fn watching_what_is_unknown_says_so_and_goes_on() {
    let flipped = Flipped::new();
    let (address, _stop, _) = plain_server(&flipped.health).await;
    let (_, mut client) = client(address).await;
    let mut stream = client.watch(about("other")).await.unwrap().into_inner();
    let first = stream.message().await.unwrap().unwrap();
    assert_eq!(first.status(), ServingStatus::ServiceUnknown);
    flipped.set(&flipped.store, false).await;
    // It ends only with the process.
    flipped.health.stop_serving();
    assert_eq!(stream.message().await.unwrap(), None);
}

#[tokio::test]
async fn a_graceful_shutdown_is_told_and_not_held_up_by_who_watches() {
    let flipped = Flipped::new();
    let (address, stop, running) = plain_server(&flipped.health).await;
    let (_, mut client) = client(address).await;
    let mut stream = client.watch(about("")).await.unwrap().into_inner();
    let first = stream.message().await.unwrap().unwrap();
    assert_eq!(first.status(), ServingStatus::Serving);

    flipped.health.stop_serving();
    let last = stream.message().await.unwrap().unwrap();
    assert_eq!(last.status(), ServingStatus::NotServing);
    assert_eq!(stream.message().await.unwrap(), None);
    assert_eq!(
        check(&mut client, "liveness").await,
        Ok(ServingStatus::Serving)
    );
    stop.send(()).unwrap();
    running.await.unwrap();
}

#[tokio::test]
async fn it_serves_alone_until_it_is_told_to_stop() {
    let flipped = Flipped::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let health = flipped.health.clone();
    let server = tokio::spawn(async move {
        let stop = async { stopped.await.unwrap() };
        health.serve_grpc(listener, stop).await;
    });
    let (_, mut client) = client(address).await;
    assert_eq!(check(&mut client, "").await, Ok(ServingStatus::Serving));
    let mut stream = client.watch(about("")).await.unwrap().into_inner();
    stream.message().await.unwrap().unwrap();
    stop.send(()).unwrap();
    let last = stream.message().await.unwrap().unwrap();
    assert_eq!(last.status(), ServingStatus::NotServing);
    server.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn who_watches_has_the_checks_asked() {
    let flipped = Flipped::every(Duration::from_secs(5));
    let service = GrpcHealth::new(&flipped.health);
    let stream = service.watch(tonic::Request::new(about(""))).await.unwrap();
    let mut stream = stream.into_inner();
    let mut next = async || {
        let answer = futures_util::StreamExt::next(&mut stream).await;
        answer.unwrap().unwrap().status()
    };
    assert_eq!(next().await, ServingStatus::Serving);
    flipped.store.store(false, SeqCst);
    assert_eq!(next().await, ServingStatus::NotServing);
}

#[tokio::test]
async fn streams_are_bounded_and_one_that_ends_makes_room() {
    let flipped = Flipped::new();
    let service = GrpcHealth::new(&flipped.health);
    let mut open = Vec::new();
    for _ in 0..MAX_WATCHES {
        let stream = service.watch(tonic::Request::new(about(""))).await;
        open.push(stream.unwrap());
    }
    let one_more = service.watch(tonic::Request::new(about(""))).await;
    assert_eq!(one_more.err().unwrap().code(), Code::ResourceExhausted);
    open.pop();
    assert!(service.watch(tonic::Request::new(about(""))).await.is_ok());
}
