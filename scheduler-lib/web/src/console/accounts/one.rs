//! The bursts of one job.

use axum::extract::{Path, Query};
use maud::{Markup, html};
use polling_model::JobId;
use scheduler_lib::Bursting;
use serde::Deserialize;

use super::{HOUR_MS, MAX_SHOWN, Span, chart, frequency, length, next, pace};
use crate::console::{
    Sorry,
    frame::{self, Frame},
    words::{encoded, moment, number},
};

#[derive(Deserialize)]
pub(crate) struct Asked {
    done: Option<String>,
}

/// `GET /console/channels/{channel}/accounts/{id}`
pub(crate) async fn show(
    frame: Frame,
    Path((_, id)): Path<(String, JobId)>,
    Query(asked): Query<Asked>,
) -> Result<Markup, Sorry> {
    page(&frame, &id, &pace::Filled::default(), asked.done.is_some()).await
}

/// The page, with the form as it was filled in.
pub(super) async fn page(
    frame: &Frame,
    id: &JobId,
    filled: &pace::Filled,
    done: bool,
) -> Result<Markup, Sorry> {
    let (channel, registry) = frame.registry()?;
    let job = registry.bursts_of(id).await?;
    let job = job.ok_or_else(|| Sorry::not_found(format!("no burst of {id} is kept")))?;
    let now_ms = frame.now_ms();
    // All that is kept, but a day at least.
    let oldest_ms = job
        .bursts
        .iter()
        .map(|burst| burst.at_ms)
        .min()
        .unwrap_or(now_ms);
    let span = Span {
        from_ms: oldest_ms.min(now_ms - 24 * HOUR_MS),
        until_ms: now_ms,
    };
    let (here, jobs) = (
        frame::path(channel, "accounts"),
        frame::path(channel, "jobs"),
    );
    let body = html! {
        p { a href=(here) { "← Accounts that burst" } }
        h1 { "Bursts of " (job.account) }
        @if done { p.done role="status" { "Done: it counts from now on." } }
        section.card {
            dl.facts {
                dt { "Job" } dd { a.code href={ (jobs) "/" (encoded(id.as_str())) } { (id) } }
                dt { "Bursts kept" } dd { (number(job.bursts.len() as u64)) ", the first " (moment(oldest_ms, now_ms)) }
                dt { "Since then" } dd { (chart::bursts(&job.bursts, span, chart::highest(&job.bursts, span))) }
                dt { "Polled every" } dd { (frequency(&job, now_ms)) }
                dt { "Next poll" } dd { (next(&job, now_ms)) }
            }
        }
        @if frame.may_change() && job.registered { (pace::form(frame, &super::path(&here, id), job.pace, filled)) }
        h2 { "What the system made of them" }
        (history(&job, now_ms))
    };
    Ok(frame.page(&format!("Bursts of {}", job.account), body))
}

/// Each burst, and how long it was to the polls before and after it.
fn history(job: &Bursting, now_ms: i64) -> Markup {
    html! {
        div.wide tabindex="0" {
            table {
                @if job.bursts.len() > MAX_SHOWN { caption { "The last " (MAX_SHOWN) } }
                thead { tr { th scope="col" { "When" } th.number scope="col" { "Events" } th.number scope="col" { "After the poll before" } th.number scope="col" { "Next poll after it" } } }
                tbody {
                    @for burst in job.bursts.iter().take(MAX_SHOWN) {
                        tr {
                            td { (moment(burst.at_ms, now_ms)) }
                            td.number { (number(burst.events)) }
                            td.number { (burst.waited_ms.map_or_else(|| "unknown".to_owned(), length)) }
                            td.number { (burst.next_ms.map_or_else(|| "unknown".to_owned(), |next_ms| length(next_ms - burst.at_ms))) }
                        }
                    }
                }
            }
        }
    }
}
