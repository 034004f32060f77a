//! What nobody could finish or read: jobs that are held for it, and messages.

mod jobs;
mod messages;
mod selected;

use axum::extract::Query;
use maud::{Markup, html};
use scheduler_lib::store::ListCursor;
use serde::Deserialize;

pub(super) use self::{
    jobs::change as change_jobs,
    messages::{change as change_messages, show as show_message},
};
use super::{
    Sorry,
    frame::{self, Frame},
    words::number,
};

/// The page, in addresses.
const PAGE: &str = "dead-letters";

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    show: jobs::Which,
    after: Option<ListCursor>,
    done: Option<selected::Done>,
    count: Option<u64>,
}

/// `GET /console/channels/{channel}/dead-letters?show=&after=`
pub(super) async fn show(frame: Frame, Query(asked): Query<Asked>) -> Result<Markup, Sorry> {
    let (channel, registry) = frame.registry()?;
    let here = frame::path(channel, PAGE);
    let found = jobs::find(registry, asked.show, asked.after.as_ref()).await?;
    let messages = messages::find(registry).await?;
    let body = html! {
        h1 { "Dead letters" }
        @if let Some(done) = asked.done { p.done role="status" { (number(asked.count.unwrap_or(0))) " " (done.words()) } }
        section aria-labelledby="jobs" {
            h2 #jobs { "Jobs" }
            p.meta { "A job is put in quarantine after too many messages in a row that no worker finished, and refused if its queue never takes its message. It is not polled until somebody decides." }
            (jobs::table(&frame, &here, asked.show, &found))
        }
        section aria-labelledby="messages" {
            h2 #messages { "Messages that nobody can read" }
            p.meta { "They are kept as they came. Somebody may be able to read them by now: then send them again." }
            (messages::table(&frame, registry, &here, &messages))
        }
    };
    Ok(frame.page("Dead letters", body))
}

/// What ticks every box of a table; it does nothing without the script, and is not shown then.
fn tick_all(what: &str) -> Markup {
    html! { input type="checkbox" data-all="id" hidden aria-label={ "All " (what) " of this page" }; }
}
