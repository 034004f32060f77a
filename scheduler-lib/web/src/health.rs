//! Whether the service is alive, and whether it can do its work.

use std::{collections::BTreeMap, time::Duration};

use axum::{Json, extract::State, http::StatusCode};
use polling_model::{ChannelId, SharedClock, chain};
use polling_ops::health::{Check, Health, Report, Verdict, checks};
use scheduler_lib::{Monitor, Registry, duration};
use serde::Serialize;
use tokio::time::timeout;

use crate::Web;

/// The check of settings that change, as it is called.
const SETTINGS: &str = "settings";

/// Longest wait for a store's answer.
const STORE_DEADLINE: Duration = Duration::from_secs(3);

/// The checks of all channels: the loops for liveness, stores and slots for readiness. Each channel
/// is a service as well, `channels/NAME`.
pub(crate) fn health(
    registries: &BTreeMap<ChannelId, Registry>,
    monitor: &Monitor,
    clock: &SharedClock,
    max_tick_age: Duration,
    more: Vec<Check>,
) -> Health {
    let last_ms = {
        let (monitor, clock) = (monitor.clone(), SharedClock::clone(clock));
        move || monitor.tick_age_ms().map(|age_ms| clock.now_ms() - age_ms)
    };
    let loops = checks::age("loops", SharedClock::clone(clock), max_tick_age, last_ms);
    let mut builder = Health::builder(SharedClock::clone(clock))
        .check(loops.for_liveness())
        .checks(more);
    for (id, registry) in registries {
        builder = builder
            .check(check_of_store(id, registry.clone()))
            .check(check_of_slots(id, monitor.clone(), clock, max_tick_age))
            .service(format!("channels/{id}"), [store(id), slots(id)]);
    }
    builder.build().expect("names of channels are distinct")
}

fn store(id: &ChannelId) -> String {
    format!("store of {id}")
}

fn slots(id: &ChannelId) -> String {
    format!("slots of {id}")
}

fn check_of_store(id: &ChannelId, registry: Registry) -> Check {
    let look = move || {
        let registry = registry.clone();
        async move {
            match timeout(STORE_DEADLINE, registry.check()).await {
                Ok(answer) => answer.map_err(|error| chain(&error)),
                Err(_) => Err(format!(
                    "its store did not answer within {}",
                    duration::text(STORE_DEADLINE)
                )),
            }
        }
    };
    // The deadline within tells more.
    Check::new(store(id), look).timeout(2 * STORE_DEADLINE)
}

fn check_of_slots(
    id: &ChannelId,
    monitor: Monitor,
    clock: &SharedClock,
    max_tick_age: Duration,
) -> Check {
    let (channel, clock) = (id.clone(), SharedClock::clone(clock));
    let look = move || match monitor.status().get(&channel) {
        None => Verdict::passing(),
        Some(status) if status.last_tick_ms == 0 => {
            Verdict::failing("its slots have not been looked at yet")
        }
        Some(status) => {
            let age_ms = clock.now_ms() - status.last_tick_ms;
            let age = Duration::from_millis(u64::try_from(age_ms).unwrap_or(0));
            if age > max_tick_age {
                let age = duration::text(age);
                Verdict::failing(format!("its slots were last looked at {age} ago"))
            } else {
                Verdict::passing()
            }
        }
    };
    Check::new(slots(id), look).cache(Duration::ZERO)
}

#[derive(Serialize)]
pub(crate) struct Alive {
    alive: bool,
    /// Since the last look at the slots of the channel that waits longest, or since the start.
    tick_age_ms: i64,
    max_tick_age_ms: u64,
}

/// `GET /healthz`: 503 when the loops stand still for too long.
pub(crate) async fn alive(State(web): State<Web>) -> (StatusCode, Json<Alive>) {
    let since_start_ms = web.0.clock.now_ms() - web.0.started_ms;
    let alive = web.0.health.liveness().await.serves();
    let body = Alive {
        alive,
        tick_age_ms: web.0.monitor.tick_age_ms().unwrap_or(since_start_ms),
        max_tick_age_ms: web.0.options.max_tick_age.as_millis() as u64,
    };
    (status(alive), Json(body))
}

#[derive(Serialize)]
pub(crate) struct Ready {
    ready: bool,
    channels: BTreeMap<ChannelId, ChannelReady>,
    /// Why a setting, or a source of settings, is not in force; the last good values are.
    #[serde(skip_serializing_if = "Option::is_none")]
    settings: Option<String>,
}

#[derive(Serialize)]
struct ChannelReady {
    ready: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// `GET /readyz`: 503 when a channel's store does not answer or
/// takes no writes, or its slots are not looked at.
pub(crate) async fn ready(State(web): State<Web>) -> (StatusCode, Json<Ready>) {
    let report = web.0.health.readiness().await;
    let ids = web.0.registries.keys();
    let body = Ready {
        ready: report.serves(),
        channels: ids
            .map(|id| (id.clone(), of_channel(&report, id)))
            .collect(),
        settings: report
            .checks
            .get(SETTINGS)
            .and_then(|check| check.reason.clone()),
    };
    (status(body.ready), Json(body))
}

fn of_channel(report: &Report, id: &ChannelId) -> ChannelReady {
    // A store that is away stops the loops, so it is the better reason.
    let parts = [store(id), slots(id)].map(|name| report.checks.get(&name));
    let failing = parts
        .into_iter()
        .flatten()
        .find(|check| !check.state.serves());
    ChannelReady {
        ready: failing.is_none(),
        reason: failing.and_then(|check| check.reason.clone()),
    }
}

const fn status(healthy: bool) -> StatusCode {
    if healthy {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    }
}
