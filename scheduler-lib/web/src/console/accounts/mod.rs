//! Accounts whose polls find more than they can fetch, and how often the system polls them for that.

mod chart;
mod one;
pub(super) mod pace;

use axum::extract::Query;
use maud::{Markup, html};
use polling_model::JobId;
use scheduler_lib::{Bursting, policy::Override, store::Burst};
use serde::Deserialize;

pub(super) use self::{one::show, pace::change};
use super::{
    Sorry,
    frame::{self, Frame},
    words::{encoded, moment, number, of_ms, short},
};

/// Jobs of the page.
const MAX_SHOWN: usize = 100;

const HOUR_MS: i64 = 3_600_000;

/// How far back one may look.
const SPANS: [(i64, &str); 3] = [(6, "6 hours"), (24, "24 hours"), (7 * 24, "7 days")];

#[derive(Deserialize)]
pub(super) struct Asked {
    hours: Option<i64>,
}

/// The time that a chart shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    from_ms: i64,
    until_ms: i64,
}

impl Span {
    const fn of(hours: i64, now_ms: i64) -> Self {
        Self {
            from_ms: now_ms - hours * HOUR_MS,
            until_ms: now_ms,
        }
    }

    fn has(self, burst: &Burst) -> bool {
        (self.from_ms..=self.until_ms).contains(&burst.at_ms)
    }
}

/// `GET /console/channels/{channel}/accounts?hours=`: those that burst most often first.
pub(super) async fn list(frame: Frame, Query(asked): Query<Asked>) -> Result<Markup, Sorry> {
    let (channel, registry) = frame.registry()?;
    let asked = asked.hours.unwrap_or(24);
    let known = SPANS.iter().find(|(hours, _)| *hours == asked);
    let &(hours, words) = known.unwrap_or(&SPANS[1]);
    let span = Span::of(hours, frame.now_ms());
    let bursting = registry.bursts(MAX_SHOWN).await?;
    let highest = bursting.iter().map(|job| chart::highest(&job.bursts, span));
    let highest = highest.max().unwrap_or_default();
    let here = frame::path(channel, "accounts");
    let body = html! {
        h1 { "Accounts that burst" }
        p.meta { "Their polls found more than one poll could fetch. Such a job is polled again at once, and by its activity more often from then on." }
        nav.row aria-label="Time shown" {
            @for (choice, words) in SPANS {
                a.button href={ (here) "?hours=" (choice) } aria-current=[(choice == hours).then_some("true")] { (words) }
            }
        }
        @if bursting.is_empty() { p.empty { "No poll found more than it could fetch. Nothing is lost for want of polls." } }
        @else {
            div.wide tabindex="0" {
                table {
                    caption { "The " (number(bursting.len() as u64)) " jobs with most bursts that are kept, and their bursts of the last " (words) }
                    thead { tr {
                        th scope="col" { "Account" } th.number scope="col" { "Bursts" } th scope="col" { "Last " (words) }
                        th scope="col" { "Last burst" } th scope="col" { "Polled every" } th scope="col" { "Next poll" }
                    } }
                    tbody { @for job in &bursting { (row(&frame, &here, job, span, highest)) } }
                }
            }
        }
    };
    Ok(frame.page("Accounts that burst", body))
}

fn row(frame: &Frame, here: &str, job: &Bursting, span: Span, highest: usize) -> Markup {
    let now_ms = frame.now_ms();
    let last = job.bursts.first();
    html! {
        tr {
            th scope="row" { a href=(path(here, &job.id)) { (job.account) } br; small.code { (job.id) } }
            td.number { (number(job.bursts.len() as u64)) }
            td { (chart::bursts(&job.bursts, span, highest)) }
            td { @if let Some(last) = last { (moment(last.at_ms, now_ms)) br; small { (number(last.events)) " events" } } }
            td.brief { (frequency(job, now_ms)) }
            td.words { (next(job, now_ms)) }
        }
    }
}

/// How often a job is polled: by its rules or by hand, and what the system made of it.
fn frequency(job: &Bursting, now_ms: i64) -> Markup {
    html! {
        @if let Some(interval_ms) = job.interval_ms { (length(interval_ms)) }
        @if let Some(pace) = job.pace.filter(|pace| pace.is_on(now_ms)) { " " (badge(pace, now_ms)) }
        @if let Some(burst) = job.bursts.first() { @if let Some(waited_ms) = burst.waited_ms {
            br; small { "last burst after " (length(waited_ms)) @if let Some(next_ms) = burst.next_ms { ", then in " (length(next_ms - burst.at_ms)) } }
        } }
    }
}

fn badge(pace: Override, now_ms: i64) -> Markup {
    html! {
        @match pace {
            Override::Pin { .. } => span.badge.warn { "pinned" },
            Override::Boost { factor, until_ms } => span.badge.warn { "boosted × " (factor) ", ends " (moment(until_ms, now_ms)) },
            _ => span.badge { "by hand" },
        }
    }
}

fn next(job: &Bursting, now_ms: i64) -> Markup {
    html! {
        @match (job.registered, job.due_ms) {
            (false, _) => span.badge { "no longer registered" },
            (true, None) => span.badge.bad { "held" },
            (true, Some(due_ms)) => (moment(due_ms, now_ms)),
        }
        @if !job.reason.is_empty() { br; small { (job.reason) } }
    }
}

/// The address of one of them.
fn path(here: &str, id: &JobId) -> String {
    format!("{here}/{}", encoded(id.as_str()))
}

fn length(ms: i64) -> String {
    short(of_ms(ms))
}
