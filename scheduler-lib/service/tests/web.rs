//! What the service adds to the server of a scheduler: checks of its configuration, probes over gRPC.
#![allow(clippy::unwrap_used)]

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode},
};
use polling_model::{ManualClock, SharedClock, SlotRing};
use polling_transport::{SharedQueue, memory::MemoryQueue};
use scheduler::{
    check,
    config::{self, Config},
    probes,
};
use scheduler_lib::{Channel, MemoryStore, Scheduler, policy::JobTypeRules};
use scheduler_web::{Options, Web};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tonic::Code;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tower::ServiceExt as _;

/// A scheduler that does not run, and its clock.
fn idle() -> (Scheduler, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(1_800_000_000_000));
    let shared: SharedClock = clock.clone();
    let queue = |name: &str| -> SharedQueue { MemoryQueue::builder(name, shared.clone()).build() };
    let store = MemoryStore::new(SlotRing::MINUTES, 1_800_000_000_000);
    let rules = JobTypeRules::every(Duration::from_secs(300));
    let channel = Channel::builder("mastodon".parse().unwrap(), Arc::new(store))
        .job_type("posts".parse().unwrap(), rules, queue("posts"))
        .completed(queue("completed"))
        .dead_letter(queue("dead-letter"))
        .build()
        .unwrap();
    let scheduler = Scheduler::builder().clock(shared).channel(channel).build();
    (scheduler, clock)
}

async fn get(router: Router, path: &str) -> (StatusCode, Value) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = router.oneshot(request).await.unwrap();
    let status = response.status();
    let body = to_bytes(response.into_body(), 1024 * 1024).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap())
}

#[tokio::test]
async fn probes_over_grpc_are_told_the_same() {
    let (scheduler, clock) = idle();
    let health = Web::new(&scheduler, clock.clone(), Options::default())
        .health()
        .clone();
    let mut settings = config::Health::default();
    assert!(probes::listen(&settings).await.unwrap().is_none());
    settings.grpc_listen = Some(([127, 0, 0, 1], 0).into());
    let listener = probes::listen(&settings).await.unwrap().unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let stop = CancellationToken::new();
    let serving = probes::serve(listener, health, stop.clone());
    let channel = tonic::transport::Channel::from_shared(address).unwrap();
    let mut client = HealthClient::new(channel.connect().await.unwrap());
    let mut ask = async |service: &str| {
        let service = service.to_owned();
        let answer = client.check(HealthCheckRequest { service }).await;
        answer
            .map(|answer| answer.into_inner().status())
            .map_err(|status| status.code())
    };

    // Its slots have not been looked at yet.
    assert_eq!(ask("liveness").await, Ok(ServingStatus::Serving));
    for service in ["", "readiness", "channels/mastodon"] {
        assert_eq!(ask(service).await, Ok(ServingStatus::NotServing));
    }
    assert_eq!(ask("channels/other").await, Err(Code::NotFound));
    clock.advance(Duration::from_secs(61));
    assert_eq!(ask("liveness").await, Ok(ServingStatus::NotServing));
    stop.cancel();
    serving.await.unwrap();
}

#[tokio::test]
async fn a_configuration_is_checked_with_a_mend_for_each_problem() {
    let (scheduler, clock) = idle();
    let clock: SharedClock = clock;
    let without = Web::new(&scheduler, Arc::clone(&clock), Options::default());
    let (status, said) = get(without.router(), "/v1/check").await;
    let error = "this scheduler was embedded without a configuration that could be checked";
    assert_eq!(
        (status, said),
        (StatusCode::NOT_FOUND, json!({"error": error}))
    );

    // Port 1 takes no connections.
    let text = "[channels.mastodon]\nstore = \"memory\"\n\
                [channels.mastodon.queues]\ntransport = \"redis\"\nredis = \"redis://:hunter2hunter2@127.0.0.1:1/\"\n\
                [channels.mastodon.job_types.posts]\ninterval = \"5m\"\n";
    let config = Config::parse("s.toml", text, []).unwrap();
    let web = Web::builder(&scheduler, Arc::clone(&clock))
        .check(check::of(config, clock))
        .build();
    let answer = get(web.router(), "/v1/check").await;
    assert_eq!((answer.0, &answer.1["ok"]), (StatusCode::OK, &json!(false)));
    let problems = answer.1["channels"][0]["problems"].as_array().unwrap();
    assert_eq!(problems.len(), 3);
    for problem in problems {
        let mend = problem["mend"].as_str().unwrap();
        assert!(mend.contains("start the queues' server"), "{problem}");
    }
    assert!(!answer.1.to_string().contains("hunter2"));
}
