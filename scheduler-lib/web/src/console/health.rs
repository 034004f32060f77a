//! How the scheduler is.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Extension,
    http::StatusCode,
    response::{
        IntoResponse, Response,
        sse::{Event, Sse},
    },
};
use futures_util::stream::{self, StreamExt};
use maud::{Markup, html};
use polling_ops::health::State;
use tokio::time::{interval, sleep};
use tokio_util::sync::CancellationToken;

use super::{Sorry, frame::Frame, words::moment};
use crate::serve::Connection;

/// Time between two looks; what is dear to look at is kept by the checks themselves.
const EVERY: Duration = Duration::from_secs(2);

/// A stream ends after so long; the browser asks again, and with it whether its session still lasts.
const LIFE: Duration = Duration::from_secs(600);

/// The part of the page that changes.
const CHECKS: &str = "checks";

/// `GET /console/health`: every check with its reason.
pub(super) async fn show(frame: Frame) -> Markup {
    let body = html! {
        h1 { "Health" }
        div data-live="/console/health/live" { div data-part=(CHECKS) aria-live="off" { (checks(&frame).await) } }
    };
    frame.page("Health", body)
}

/// `GET /console/health/live`: the checks again, as they are told then.
pub(super) async fn stream(
    frame: Frame,
    connection: Option<Extension<Connection>>,
) -> Result<Response, Sorry> {
    let permit = Arc::clone(&frame.web.0.looks.streams).try_acquire_owned();
    let permit = permit.map_err(|_| {
        let said = "as many pages as allowed are kept up to date";
        Sorry::new(StatusCode::SERVICE_UNAVAILABLE, said)
    })?;
    let stop = connection.map_or_else(CancellationToken::new, |Extension(about)| about.stop);
    let over = async move {
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            () = sleep(LIFE) => {}
        }
    };
    let watched = (frame, interval(EVERY), permit);
    let looks = stream::unfold(watched, |(frame, mut ticks, permit)| async move {
        ticks.tick().await;
        let checks = checks(&frame).await.into_string();
        Some((checks, (frame, ticks, permit)))
    });
    let mut sent = String::new();
    let events = looks.filter_map(move |checks| {
        let is_new = checks != sent;
        sent.clone_from(&checks);
        let event = Event::default().event(CHECKS).data(checks);
        std::future::ready(is_new.then_some(Ok::<_, Infallible>(event)))
    });
    Ok(Sse::new(events.take_until(Box::pin(over))).into_response())
}

async fn checks(frame: &Frame) -> Markup {
    let report = frame.web.0.health.readiness().await;
    let alive = frame.web.0.health.liveness().await.serves();
    let now_ms = frame.now_ms();
    html! {
        section.tiles {
            div.tile { span { "Process" } strong { @if alive { span.badge.good { "alive" } } @else { span.badge.bad { "stands still" } } } small { "since " (moment(frame.web.0.started_ms, now_ms)) } }
            div.tile { span { "Service" } strong { @if report.serves() { span.badge.good { "ready" } } @else { span.badge.bad { "not ready" } } } small { (report.checks.len()) " checks" } }
        }
        div.wide tabindex="0" {
            table {
                thead { tr { th scope="col" { "Check" } th scope="col" { "State" } th scope="col" { "Since" } th scope="col" { "Reason" } } }
                tbody {
                    @for (name, check) in &report.checks {
                        tr {
                            th scope="row" { (name) }
                            td { (badge(check.state)) }
                            td { @if let Some(since_ms) = check.since_ms { (moment(since_ms, now_ms)) } }
                            td.words { (check.reason.as_deref().unwrap_or_default()) }
                        }
                    }
                }
            }
        }
    }
}

fn badge(state: State) -> Markup {
    let kind = match state {
        State::Passing => "good",
        State::Degraded => "warn",
        _ => "bad",
    };
    html! { span.badge.(kind) { (state.as_str()) } }
}
