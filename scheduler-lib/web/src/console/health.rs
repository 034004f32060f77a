//! How the scheduler is.

use maud::{Markup, html};
use polling_ops::health::State;

use super::{frame::Frame, words::moment};

/// `GET /console/health`: every check with its reason.
pub(super) async fn show(frame: Frame) -> Markup {
    let report = frame.web.0.health.readiness().await;
    let now_ms = frame.now_ms();
    let alive = frame.web.0.health.liveness().await.serves();
    let body = html! {
        h1 { "Health" }
        section.tiles {
            div.tile { span { "Process" } strong { @if alive { "alive" } @else { "stands still" } } small { "since " (moment(frame.web.0.started_ms, now_ms)) } }
            div.tile { span { "Service" } strong { @if report.serves() { "ready" } @else { "not ready" } } small { (report.checks.len()) " checks" } }
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
                            td { (check.reason.as_deref().unwrap_or_default()) }
                        }
                    }
                }
            }
        }
    };
    frame.page("Health", body)
}

fn badge(state: State) -> Markup {
    let kind = match state {
        State::Passing => "good",
        State::Degraded => "warn",
        _ => "bad",
    };
    html! { span.badge.(kind) { (state.as_str()) } }
}
