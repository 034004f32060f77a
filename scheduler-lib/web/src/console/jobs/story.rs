//! Why a job is where it is, and what its calls count in.

use maud::{Markup, html};
use scheduler_lib::{
    explain::{Explanation, LimitNow, Whereabouts, WindowNow},
    store::JobState,
};

use crate::console::words::{moment, number, of_ms, plain, short};

/// What comes next, and why it came to that; the newest first.
pub(super) fn card(state: &JobState, explanation: &Explanation) -> Markup {
    let now_ms = explanation.now_ms;
    html! {
        section.card #story {
            h2 { "Where it is, and why" }
            ol.story {
                li.next { (next(explanation)) }
                @for reason in &explanation.reasons {
                    li {
                        @if let Some(at_ms) = reason.at_ms { (moment(at_ms, now_ms)) } @else { span.meta { "by hand" } }
                        ": " bdi { (plain(&reason.text)) }
                    }
                }
            }
            @if state.reasons.is_empty() { p.meta { "Nobody said why." } }
            @if let Some(rules) = &explanation.rules {
                p.meta {
                    @match (rules.worth_minutes, rules.price_minutes) {
                        (Some(worth), Some(price)) if price > 0.0 => { "A poll now is worth " (minutes(worth)) " of saved delay; a call costs " (minutes(price)) "." },
                        (Some(worth), _) => { "A poll now is worth " (minutes(worth)) " of saved delay; there are calls enough." },
                        (None, _) => "Its next poll goes before others, whatever it is worth.",
                    }
                }
            }
        }
    }
}

fn minutes(minutes: f64) -> String {
    match minutes {
        ..10.0 => format!("{minutes:.2} min"),
        _ => format!("{minutes:.0} min"),
    }
}

fn next(explanation: &Explanation) -> Markup {
    let now_ms = explanation.now_ms;
    html! {
        @match explanation.place {
            Whereabouts::Waits { due_ms } if due_ms <= now_ms => { "Its turn has come: it is due since " (moment(due_ms, now_ms)) "." },
            Whereabouts::Waits { due_ms } => { "It waits; its next poll is due " (moment(due_ms, now_ms)) "." },
            Whereabouts::InFlight { due_ms, until_ms } => { "It is being polled: it was due " (moment(due_ms, now_ms)) ", and gets another turn " (moment(until_ms, now_ms)) " unless it is answered." },
            Whereabouts::Held { hold, poll_under_way } => {
                "It is held (" (hold) "): nobody polls it until somebody resumes it."
                @if poll_under_way { " A poll was under way by then: what it brings is kept." }
            },
            _ => "It is somewhere that this page does not know.",
        }
        @if explanation.again_at_once { " Somebody asked for a poll meanwhile: it comes again at once." }
    }
}

/// How the limits stand in which its calls count.
pub(super) fn limits(explanation: &Explanation) -> Markup {
    html! {
        @if let Some(why) = &explanation.limits_unknown { p.said { "Its limits are not known: " (why) } }
        @if !explanation.limits.is_empty() {
            section.card #job-limits {
                h2 { "Limits in which its calls count" }
                div.wide tabindex="0" {
                    table {
                        thead { tr { th scope="col" { "Scope" } th.number scope="col" { "Left" } th.number scope="col" { "Of" } th.number scope="col" { "Left to others" } th scope="col" { "Full again" } } }
                        tbody { @for limit in &explanation.limits { (rows(limit, explanation.now_ms)) } }
                    }
                }
            }
        }
    }
}

fn rows(limit: &LimitNow, now_ms: i64) -> Markup {
    let told = limit.configured.map(|told| {
        let window = short(of_ms(told.window_ms));
        format!(
            "{} per {window} by the rules; nothing was used of late",
            number(told.calls)
        )
    });
    html! {
        @if limit.windows.is_empty() {
            tr { th.code scope="row" { (limit.scope) } td colspan="4" { (told.as_deref().unwrap_or("nothing was heard of it yet")) } }
        }
        @for WindowNow { limit: calls, left, cushion, ends_ms, length_ms } in &limit.windows {
            tr {
                th.code scope="row" { (limit.scope) @if limit.refused_until_ms > Some(now_ms) { " " span.badge.bad { "refuses calls" } } }
                td.number { (number(*left)) }
                td.number { (number(*calls)) " per " (short(of_ms(*length_ms))) }
                td.number { (number(*cushion)) }
                td { (moment(*ends_ms, now_ms)) }
            }
        }
    }
}
