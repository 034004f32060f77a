//! What was changed of late, and by whom.

use maud::{Markup, html};

use super::{frame::Frame, words::moment};

/// `GET /console/changes`: newest first.
pub(super) async fn show(frame: Frame) -> Markup {
    let now_ms = frame.now_ms();
    let changes = frame.web.0.audit.last();
    let body = html! {
        h1 { "Changes" }
        p.meta { "What this process was asked to change since it started, the newest first. The log has all of them, as lines of the target " code { "audit" } "." }
        @if changes.is_empty() { p.empty { "Nothing was changed yet." } }
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
