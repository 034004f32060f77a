//! What was changed of late, and by whom.

use axum::extract::Query;
use maud::{Markup, html};
use serde::Deserialize;

use super::{frame::Frame, words::moment};
use crate::access::Entry;

#[derive(Deserialize)]
pub(super) struct Asked {
    /// A part of who, of what, or of why.
    search: Option<String>,
}

fn has(change: &Entry, wanted: &str) -> bool {
    let texts = [
        change.by.as_deref(),
        Some(&change.path),
        change.note.as_deref(),
    ];
    let mut texts = texts.into_iter().flatten();
    texts.any(|text| text.to_lowercase().contains(wanted))
}

/// `GET /console/changes?search=`: newest first.
pub(super) async fn show(frame: Frame, Query(asked): Query<Asked>) -> Markup {
    let now_ms = frame.now_ms();
    let mut changes = frame.web.0.audit.last();
    let wanted = asked.search.as_deref().map(str::trim).unwrap_or_default();
    let nothing_yet = changes.is_empty();
    changes.retain(|change| has(change, &wanted.to_lowercase()));
    let body = html! {
        h1 { "Changes" }
        p.meta { "What this process was asked to change since it started, the newest first. The log has all of them, as lines of the target " code { "audit" } "." }
        form.card role="search" method="get" action="/console/changes" {
            div.row {
                label { "Search " small { "who, what or why" } input name="search" type="search" value=(wanted) data-search; }
                button { "Search" }
            }
        }
        @if nothing_yet { p.empty { "Nothing was changed yet." } }
        @else if changes.is_empty() { p.empty { "No change has " strong { (wanted) } " in it." } }
        @else {
            div.wide tabindex="0" {
                table {
                    thead { tr { th scope="col" { "When" } th scope="col" { "Who" } th scope="col" { "What" } th scope="col" { "Came of it" } th scope="col" { "Note" } } }
                    tbody {
                        @for change in &changes {
                            tr {
                                td { (moment(change.at_ms, now_ms)) }
                                td { (change.by.as_deref().unwrap_or("nobody")) @if let Some(from) = &change.from { " " small { (from) } } }
                                td.code { (change.method.as_str()) " " (change.path) }
                                td { @if change.status < 400 { span.badge.good { "done" } } @else { span.badge.bad { "refused: " (change.status) } } }
                                td { (change.note.as_deref().unwrap_or_default()) }
                            }
                        }
                    }
                }
            }
        }
    };
    frame.page("Changes", body)
}
