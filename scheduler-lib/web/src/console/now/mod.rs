//! The present of a channel: its ring of slots, how fast it turns, what waits, what fails.

mod figures;
mod holds;
mod hour;
mod live;
mod look;
mod ring;
mod supply;

use axum::extract::Query;
use maud::{Markup, PreEscaped, html};
use serde::Deserialize;

pub(super) use self::live::stream;
pub(crate) use self::look::Looks;
use super::{Sorry, frame, frame::Frame};

/// Which part of the ring is looked at closely.
#[derive(Deserialize)]
pub(super) struct Near {
    /// Of the 24 parts; the next sixty slots unless told.
    part: Option<usize>,
}

/// `GET /console/channels/{channel}/now?part=`
pub(super) async fn show(frame: Frame, Query(near): Query<Near>) -> Result<Markup, Sorry> {
    let near = near.checked()?;
    let (channel, registry) = frame.registry()?;
    let parts = frame.web.0.looks.at(&frame.web, registry, near).await;
    let live = match near {
        Some(part) => format!("now/live?part={part}"),
        None => "now/live".to_owned(),
    };
    let part = |name: &str| {
        let part = parts.iter().find(|(found, _)| *found == name);
        html! { div #{ "part-" (name) } data-part=(name) { (PreEscaped(part.map_or("", |(_, text)| text))) } }
    };
    let body = html! {
        h1 { "Now " small.meta { (channel) } }
        div #now data-live=(frame::path(channel, &live)) {
            (part("figures"))
            div.now {
                section.card aria-label="The ring of slots" { (part("ring")) }
                div {
                    section.card aria-label="Some slots closely" {
                        (part("hour"))
                        @if near.is_some() { p { a #next-slots href=(frame::path(channel, "now")) { "Back to the next slots" } } }
                        details #as-numbers { summary { "The ring as numbers" } (part("numbers")) }
                    }
                    section.card #failures aria-label="Failures" { (part("failures")) }
                }
            }
            (part("supply"))
        }
    };
    Ok(frame.page("Now", body))
}

impl Near {
    fn checked(self) -> Result<Option<usize>, Sorry> {
        match self.part {
            Some(part) if part >= ring::PARTS => {
                let said = format!(
                    "part is {part}: the ring has parts 0 to {}",
                    ring::PARTS - 1
                );
                Err(Sorry::bad_request(said))
            }
            part => Ok(part),
        }
    }
}
