//! The scheduler inside a service of your own: an axum server that registers an account with a
//! `PUT` and runs the scheduler beside its routes.
//!
//! ```console
//! $ cargo run -p examples --features demo --example embed
//! $ curl -X PUT http://127.0.0.1:8099/accounts/42
//! ```
//!
//! Here everything is in memory; with `RedisStore` and `SqsQueue` only `channel` changes.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{get, put},
};
use polling_core::{Clock, SystemClock, model::SlotRing, transport::memory::MemoryQueue};
use scheduler_lib::{
    Channel, Limits, MemoryStore, Registration, Registry, Scheduler, policy::JobTypeRules,
    store::Registered,
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::oneshot};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let scheduler = Scheduler::builder().channel(channel()?).build();
    let registry = scheduler
        .registry(&"mastodon".parse()?)
        .context("the channel was just added")?;
    let routes = Router::new()
        .route("/accounts/{account}", put(register))
        .route("/counts", get(counts))
        .with_state(registry);
    let listener = TcpListener::bind("127.0.0.1:8099").await?;

    // The scheduler is a future like any other. It outlives the server, so that no registration
    // finds it gone.
    let (stop, stopped) = oneshot::channel::<()>();
    let scheduling = tokio::spawn(scheduler.run(async {
        let _ = stopped.await;
    }));
    let interrupted = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    axum::serve(listener, routes)
        .with_graceful_shutdown(interrupted)
        .await?;
    drop(stop);
    scheduling.await?;
    Ok(())
}

fn channel() -> anyhow::Result<Channel> {
    let clock = Arc::new(SystemClock);
    let queue = |name| MemoryQueue::builder(name, clock.clone()).build();
    let store = Arc::new(MemoryStore::new(SlotRing::SECONDS, clock.now_ms()));
    let channel = Channel::builder("mastodon".parse()?, store)
        .job_type(
            "posts".parse()?,
            JobTypeRules::every(Duration::from_secs(5)),
            queue("work"),
        )
        .completed(queue("completed"))
        .dead_letter(queue("dead-letter"))
        .limits(Limits::of_seconds())
        .build()?;
    Ok(channel)
}

type Answer<T> = Result<T, (StatusCode, String)>;

fn refused(
    status: StatusCode,
) -> impl Fn(Box<dyn std::error::Error + Send + Sync>) -> (StatusCode, String) {
    move |error| (status, error.to_string())
}

async fn register(
    State(registry): State<Registry>,
    Path(account): Path<String>,
) -> Answer<(StatusCode, Json<Value>)> {
    let bad = refused(StatusCode::BAD_REQUEST);
    let account = account
        .parse()
        .map_err(|error: polling_core::model::IdError| bad(error.into()))?;
    let job_type = "posts"
        .parse()
        .map_err(|error: polling_core::model::IdError| bad(error.into()))?;
    let registered = registry
        .register(Registration::new(job_type, account))
        .await;
    let (id, registered) =
        registered.map_err(|error| refused(StatusCode::SERVICE_UNAVAILABLE)(error.into()))?;
    let status = match registered {
        Registered::Created => StatusCode::CREATED,
        Registered::Existing => StatusCode::OK,
    };
    Ok((status, Json(json!({ "id": id }))))
}

async fn counts(State(registry): State<Registry>) -> Answer<Json<Value>> {
    let counts = registry.counts().await;
    let counts = counts.map_err(|error| refused(StatusCode::SERVICE_UNAVAILABLE)(error.into()))?;
    Ok(Json(
        json!({ "registered": counts.registered, "in_flight": counts.in_flight }),
    ))
}
