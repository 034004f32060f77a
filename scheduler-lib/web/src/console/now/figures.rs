//! How fast the ring turns, how late, and what is where.

use std::{sync::Arc, time::Duration};

use maud::{Markup, html};
use polling_model::chain;
use scheduler_lib::{Registry, store::Counts};

use super::holds::Holds;
use crate::{
    Web,
    console::{
        frame,
        words::{number, short},
    },
    recent::{Lately, Lateness},
};

/// The figures as they are now.
pub(super) async fn look(web: &Web, registry: &Registry, holds: Option<Holds>) -> Arc<str> {
    let counts = registry.counts().await;
    let stopped = registry.stopped().await.ok().flatten();
    let recent = web.0.recent.as_ref();
    let lately = recent.map(|recent| recent.of(registry.channel()));
    let now_ms = web.0.clock.now_ms();
    let figures = html! {
        @if let Some(reason) = stopped {
            p.said #stopped role="status" { strong { "The channel is stopped: " } (reason) ". Nothing is sent until it is started again." }
        }
        @match &counts {
            Ok(counts) => section.tiles aria-label="Figures" {
                @if let Some(lately) = &lately { (speed(lately)) }
                (places(counts, registry, holds, now_ms))
                @if let Some(lately) = &lately { (failed(lately)) }
            },
            Err(error) => (sorry(&chain(error))),
        }
    };
    figures.into_string().into()
}

/// In the place of what the store does not tell.
pub(super) fn sorry(said: &str) -> Markup {
    html! { p.said role="status" { (said) } }
}

fn tile(id: &str, name: &str, figure: Markup, more: Markup) -> Markup {
    html! { div.tile #(id) { span { (name) } strong { (figure) } small { (more) } } }
}

fn speed(lately: &Lately) -> Markup {
    let rate = format!("{:.1}", lately.cycles_per_s);
    let (half, most) = match lately.lateness_ms {
        Some([half, most]) => (late(half), late(most)),
        None => ("–".to_owned(), "–".to_owned()),
    };
    html! {
        (tile("cycles", "Cycles a second", html! { (rate) }, spark(&lately.cycles)))
        (tile("lateness", "Lateness", html! { (half) }, html! { "half of the jobs; 99 of 100: " (most) }))
    }
}

fn late(lateness: Lateness) -> String {
    let text = |ms: i64| short(Duration::from_millis(ms.unsigned_abs()));
    match lateness {
        Lateness::Within(ms) => format!("≤ {}", text(ms)),
        Lateness::Beyond(ms) => format!("> {}", text(ms)),
    }
}

/// Ten minutes as a line.
fn spark(cycles: &[u32]) -> Markup {
    let most = cycles.iter().copied().max().unwrap_or_default().max(1);
    let points: String = (0..)
        .zip(cycles)
        .map(|(at, cycles)| {
            format!(
                "{},{} ",
                at * 2,
                22 - u64::from(*cycles) * 20 / u64::from(most)
            )
        })
        .collect();
    html! {
        svg.line viewBox="0 0 118 24" preserveAspectRatio="none" aria-hidden="true" { polyline points=(points.trim_end()) {} }
        "in ten minutes, of this process"
    }
}

fn places(counts: &Counts, registry: &Registry, holds: Option<Holds>, now_ms: i64) -> Markup {
    let now = registry.ring().current(now_ms).0;
    let behind = now.saturating_sub(counts.cursor).max(0);
    let jobs = frame::path(registry.channel(), "jobs");
    html! {
        (tile("in-flight", "In flight", html! { (number(counts.in_flight)) }, html! { "of " (number(counts.registered)) " registered" }))
        (tile("waiting", "In slots", html! { (number(counts.slots)) }, html! { "and " (number(counts.later)) " later" }))
        (tile("held", "Held", html! { (number(counts.held)) }, Holds::links(holds, &jobs)))
        (tile("behind", "Behind", html! {
            @match behind {
                0 => "on time",
                1 => "1 slot",
                many => { (number(many.unsigned_abs())) " slots" }
            }
        }, html! { (number(counts.open_notes)) " chunks being sent" }))
    }
}

fn failed(lately: &Lately) -> Markup {
    let failed: u64 = lately.failures.iter().map(|(_, count)| count).sum();
    let share = match lately.settled {
        0 => 0.0,
        settled => failed as f64 * 100.0 / settled as f64,
    };
    tile(
        "failed",
        "Failed",
        html! { (format!("{share:.1}")) " %" },
        html! { (number(failed)) " of " (number(lately.settled)) " in ten minutes" },
    )
}
