//! Whether the service is alive, and whether it can do its work.

use std::{collections::BTreeMap, time::Duration};

use axum::{Json, extract::State, http::StatusCode};
use futures_util::future::join_all;
use polling_model::ChannelId;
use scheduler_lib::{Registry, duration};
use serde::Serialize;
use tokio::time::timeout;

use super::Api;
use polling_model::chain;

/// Longest wait for a store's answer.
const STORE_DEADLINE: Duration = Duration::from_secs(3);

#[derive(Serialize)]
pub(super) struct Alive {
    alive: bool,
    /// Since the last look at the slots of the channel that waits longest, or since the start.
    tick_age_ms: i64,
    max_tick_age_ms: u64,
}

/// `GET /healthz`: 503 when the loops stand still for too long.
pub(super) async fn alive(State(api): State<Api>) -> (StatusCode, Json<Alive>) {
    let since_start_ms = api.0.clock.now_ms() - api.0.started_ms;
    let tick_age_ms = api.0.monitor.tick_age_ms().unwrap_or(since_start_ms);
    let max = api.0.settings.max_tick_age;
    let alive = !older(tick_age_ms, max);
    let status = if alive {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (
        status,
        Json(Alive {
            alive,
            tick_age_ms,
            max_tick_age_ms: max.as_millis() as u64,
        }),
    )
}

#[derive(Serialize)]
pub(super) struct Ready {
    ready: bool,
    channels: BTreeMap<ChannelId, ChannelReady>,
}

#[derive(Serialize)]
struct ChannelReady {
    ready: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// `GET /readyz`: 503 when a channel's store does not answer or
/// takes no writes, or its slots are not looked at.
pub(super) async fn ready(State(api): State<Api>) -> (StatusCode, Json<Ready>) {
    let checks = api.0.registries.iter().map(|(id, registry)| {
        let api = &api;
        async move {
            // A store that is away stops the loops, so it is the better reason.
            let reason = match reason_of_store(registry).await {
                Some(reason) => Some(reason),
                None => reason_of_loops(api, id),
            };
            (
                id.clone(),
                ChannelReady {
                    ready: reason.is_none(),
                    reason,
                },
            )
        }
    });
    let channels: BTreeMap<_, _> = join_all(checks).await.into_iter().collect();
    let ready = channels.values().all(|channel| channel.ready);
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(Ready { ready, channels }))
}

fn reason_of_loops(api: &Api, id: &ChannelId) -> Option<String> {
    let last_tick_ms = api.0.monitor.status().get(id)?.last_tick_ms;
    if last_tick_ms == 0 {
        return Some("its slots have not been looked at yet".to_owned());
    }
    let age_ms = api.0.clock.now_ms() - last_tick_ms;
    older(age_ms, api.0.settings.max_tick_age).then(|| {
        let age = Duration::from_millis(age_ms.unsigned_abs());
        format!("its slots were last looked at {} ago", duration::text(age))
    })
}

async fn reason_of_store(registry: &Registry) -> Option<String> {
    match timeout(STORE_DEADLINE, registry.check()).await {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(chain(&error)),
        Err(_) => Some(format!(
            "its store did not answer within {}",
            duration::text(STORE_DEADLINE)
        )),
    }
}

fn older(age_ms: i64, bound: Duration) -> bool {
    u128::try_from(age_ms).is_ok_and(|age_ms| age_ms > bound.as_millis())
}
