//! What the cycle lives on: queues, and what is left of rate limits; and what it did since it started.

use std::sync::Arc;

use maud::{Markup, html};
use scheduler_lib::{
    ChannelStatus, QueueRole, QueueState, Registry, RegistryError, ScopeState,
    ledger::WindowStanding,
};

use crate::{
    Web,
    console::words::{moment, number, of_ms, short},
    recent::Lately,
};

/// Most limits that are shown: those with least left.
const MAX_LIMITS: usize = 12;

pub(super) async fn look(web: &Web, registry: &Registry) -> Arc<str> {
    let queues = registry.queues().await;
    let scopes = registry.shared_scopes().await;
    let recent = web.0.recent.as_ref();
    let lately = recent.map(|recent| recent.of(registry.channel()));
    let status = web.0.monitor.status().remove(registry.channel());
    let now_ms = web.0.clock.now_ms();
    let supply = html! {
        div.cards {
            (backlog(&queues))
            (limits(scopes, lately.as_ref(), now_ms))
            (since_start(status.unwrap_or_default(), web.0.started_ms, now_ms))
        }
    };
    supply.into_string().into()
}

/// What went wrong lately, by class.
pub(super) fn failures(lately: Option<&Lately>) -> Markup {
    let Some(lately) = lately else {
        return html! { h2 { "Failures" } p.meta { "Nobody remembers them here: this scheduler was embedded without it." } };
    };
    let most = lately.failures.first().map_or(1, |(_, count)| *count);
    html! {
        h2 { "Failures of ten minutes" }
        @if lately.failures.is_empty() { p.meta { "None." } }
        @else {
            table {
                thead { tr { th scope="col" { "Class" } th.number scope="col" { "Polls" } th scope="col" { span.unseen { "Share" } } } }
                tbody {
                    @for (class, count) in &lately.failures {
                        tr { th scope="row" { (class.replace('_', " ")) } td.number { (number(*count)) } td.gauge { (bar(*count, most)) } }
                    }
                }
            }
        }
        p.meta { (number(lately.postponed)) " jobs waited for a call of a limit; " (number(lately.stale)) " completions came too late to count." }
    }
}

/// A length beside the longest.
fn bar(length: u64, longest: u64) -> Markup {
    let width = (length as f64 * 100.0 / longest.max(1) as f64).ceil();
    html! { svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true" { rect.room width="100" height="8" {} rect.load width=(width) height="8" {} } }
}

fn backlog(queues: &[QueueState]) -> Markup {
    html! {
        section.card #queues {
            h2 { "Queues" }
            div.wide tabindex="0" {
                table {
                    thead { tr { th scope="col" { "Queue" } th.number scope="col" { "Waiting" } th.number scope="col" { "Taken" } th.number scope="col" { "Oldest" } } }
                    tbody {
                        @for queue in queues {
                            tr {
                                th scope="row" { (role(&queue.role)) br; small.code { (queue.name) } }
                                @match &queue.stats {
                                    Ok(stats) => {
                                        td.number { (number(stats.visible)) }
                                        td.number { (number(stats.in_flight)) }
                                        td.number { @if let Some(age_ms) = stats.oldest_age_ms { (short(of_ms(age_ms))) } @else { "–" } }
                                    }
                                    Err(error) => td colspan="3" { span.badge.bad { "no answer" } " " (error) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn role(role: &QueueRole) -> Markup {
    html! {
        @match role {
            QueueRole::Work(job_type) => { "Work: " (job_type) },
            QueueRole::Completed => "Completed",
            QueueRole::DeadLetter => "Dead letters",
        }
    }
}

fn limits(
    scopes: Result<Vec<ScopeState>, RegistryError>,
    lately: Option<&Lately>,
    now_ms: i64,
) -> Markup {
    let rules = lately.map_or(&[][..], |lately| &lately.limits);
    html! {
        section.card #limits {
            h2 { "Rate limits" }
            @match scopes {
                Err(error) => p.said { (polling_model::chain(&error)) },
                Ok(scopes) if scopes.is_empty() && rules.is_empty() => p.meta { "No rules of this channel name a limit, and no call was counted in one." },
                Ok(scopes) => {
                    @if !scopes.is_empty() { (shared(scopes, now_ms)) }
                    @if !rules.is_empty() { (of_rules(rules)) }
                }
            }
        }
    }
}

/// What all accounts share.
fn shared(mut scopes: Vec<ScopeState>, now_ms: i64) -> Markup {
    let left = |scope: &ScopeState| {
        scope
            .standing
            .windows
            .iter()
            .map(share_left)
            .reduce(f64::min)
            .unwrap_or(1.0)
    };
    scopes.sort_by(|one, other| left(one).total_cmp(&left(other)));
    html! {
        div.wide tabindex="0" {
            table {
                thead { tr { th scope="col" { "Shared by all" } th scope="col" { "Left" } } }
                tbody {
                    @for scope in scopes.iter().take(MAX_LIMITS) {
                        @if scope.standing.windows.is_empty() {
                            tr { th scope="row" { (scope.scope) } td { "Nothing was heard of it yet." } }
                        }
                        @for window in &scope.standing.windows {
                            tr {
                                th scope="row" { (scope.scope) @if scope.standing.refused_until_ms > Some(now_ms) { " " span.badge.bad { "refuses calls" } } }
                                td { (meter(window, now_ms)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn share_left(window: &WindowStanding) -> f64 {
    window.free as f64 / window.limit.max(1) as f64
}

fn meter(window: &WindowStanding, now_ms: i64) -> Markup {
    let WindowStanding { limit, free, .. } = window;
    html! {
        meter min="0" max=((*limit).max(1)) low=(limit / 5) high=(limit / 2) optimum=(limit) value=(free) aria-label="left" {}
        small { (number(*free)) " of " (number(*limit)) " per " (short(of_ms(window.length_ms))) "; full again " (moment(window.ends_ms, now_ms)) }
    }
}

/// What the limits of each rule together look like, those of single accounts too.
fn of_rules(rules: &[(Box<str>, u64, Option<f64>)]) -> Markup {
    html! {
        div.wide tabindex="0" {
            table {
                thead { tr { th scope="col" { "By rule" } th.number scope="col" { "Used a minute" } th.number scope="col" { "Least left" } } }
                tbody {
                    @for (scope, used, left) in rules {
                        tr {
                            th.code scope="row" { (scope) }
                            td.number { (number(*used)) }
                            td.number { @if let Some(left) = left { (format!("{:.0} %", left * 100.0)) } @else { "–" } }
                        }
                    }
                }
            }
        }
    }
}

fn since_start(status: ChannelStatus, started_ms: i64, now_ms: i64) -> Markup {
    let rows = [
        ("Sent to workers", status.dispatched),
        ("Completions accepted", status.accepted),
        ("Completions that changed nothing", status.stale),
        ("Placed anew for want of a call", status.postponed),
        ("Sent again", status.resent),
        ("Given up after their deadline", status.reaped),
        ("Mended by the sweep", status.repaired),
        ("Dead letters", status.dead_letters),
        ("Messages that nobody could read", status.undecodable),
    ];
    html! {
        section.card #since-start {
            h2 { "This process, since its start " (moment(started_ms, now_ms)) }
            dl.facts { @for (name, count) in rows { dt { (name) } dd { (number(count)) } } }
        }
    }
}
