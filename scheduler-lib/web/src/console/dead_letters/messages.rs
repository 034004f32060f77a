//! Messages that nobody could decode.

use axum::{extract::Path, response::Response};
use maud::{Markup, html};
use polling_model::JobType;
use scheduler_lib::{QueueRole, Registry, RegistryError, store::Undecodable};

use super::{
    PAGE,
    selected::{Done, Fields, Selected, field},
    tick_all,
};
use crate::{
    access::Form,
    console::{
        Sorry,
        frame::{self, Frame},
        words::{encoded, moment, number},
    },
};

/// Messages of the page; the store keeps a thousand.
const MAX_SHOWN: usize = 50;

/// Most of an error, or of a body, in the table: characters.
const MAX_EXCERPT: usize = 120;

/// Most of a body that is shown: 64 KiB.
const MAX_BODY_SIZE_BYTES: usize = 64 * 1024;

/// The newest of them.
pub(super) async fn find(registry: &Registry) -> Result<Vec<Undecodable>, Sorry> {
    Ok(registry.undecodable(MAX_SHOWN).await?)
}

pub(super) fn table(
    frame: &Frame,
    registry: &Registry,
    here: &str,
    messages: &[Undecodable],
) -> Markup {
    html! {
        @if messages.is_empty() { p.empty { "Every message could be read." } }
        @else {
            form method="post" action={ (here) "/messages" } {
                (frame.seal())
                div.wide { table {
                    @if messages.len() == MAX_SHOWN { caption { "The newest " (MAX_SHOWN) } }
                    thead { tr {
                        @if frame.may_change() { th scope="col" { (tick_all("messages")) } }
                        th scope="col" { "Message" } th scope="col" { "Kept" } th scope="col" { "Why it cannot be read" } th scope="col" { "Begins" } th.number scope="col" { "Bytes" }
                    } }
                    tbody { @for message in messages { (row(frame, here, message)) } }
                } }
                @if frame.may_change() { (choices(registry)) }
            }
        }
    }
}

fn row(frame: &Frame, here: &str, message: &Undecodable) -> Markup {
    let id = &message.message_id;
    html! {
        tr {
            @if frame.may_change() { td { input type="checkbox" name="id" value=(id) aria-label={ "Message " (id) }; } }
            th scope="row" { a.code href={ (here) "/messages/" (encoded(id)) } { (id) } }
            td { (moment(message.kept_ms, frame.now_ms())) }
            td.words { (excerpt(&message.error)) }
            td.code { (excerpt(&message.body)) }
            td.number { (number(message.body.len() as u64)) }
        }
    }
}

/// Where they may go again, or nowhere.
fn choices(registry: &Registry) -> Markup {
    html! {
        div.row {
            label { "Send to"
                select name="to" {
                    @for job_type in registry.job_types() { option value={ "work/" (job_type) } { "work queue of " (job_type) } }
                    option value="completed" { "completed queue" }
                }
            }
            button name="do" value="send" { "Send again" }
            button.danger name="do" value="forget" data-confirm="Remove this for good? Nobody can bring it back." { "Remove" }
        }
    }
}

/// The beginning of a text.
fn excerpt(text: &str) -> String {
    let mut characters = text.chars();
    let mut excerpt: String = characters.by_ref().take(MAX_EXCERPT).collect();
    if characters.next().is_some() {
        excerpt.push('…');
    }
    excerpt
}

/// `GET /console/channels/{channel}/dead-letters/messages/{id}`: the message as text.
pub(crate) async fn show(
    frame: Frame,
    Path((_, id)): Path<(String, String)>,
) -> Result<Markup, Sorry> {
    let (channel, registry) = frame.registry()?;
    let message = registry.undecodable_message(&id).await?;
    let here = frame::path(channel, PAGE);
    let size = message.body.len();
    let shown = &message.body[..message.body.floor_char_boundary(MAX_BODY_SIZE_BYTES)];
    let body = html! {
        p { a href=(here) { "← Dead letters" } }
        h1 { "Message " span.code { (message.message_id) } }
        section.card {
            dl.facts {
                dt { "Kept" } dd { (moment(message.kept_ms, frame.now_ms())) }
                dt { "Why it cannot be read" } dd { (message.error) }
                dt { "Size" } dd { (number(size as u64)) " bytes" }
            }
        }
        h2 { "Body" }
        @if shown.len() < size { p.meta { "The first " (number(shown.len() as u64)) " bytes; the API tells all." } }
        pre.card tabindex="0" { (shown) }
        @if frame.may_change() {
            form.card method="post" action={ (here) "/messages" } {
                (frame.seal())
                input type="hidden" name="id" value=(message.message_id);
                (choices(registry))
            }
        }
    };
    Ok(frame.page("Message", body))
}

/// `POST /console/channels/{channel}/dead-letters/messages`
pub(crate) async fn change(frame: Frame, form: Form<Fields>) -> Result<Response, Sorry> {
    let (channel, registry) = frame.registry()?;
    let selected = Selected::read(&form.fields)?;
    let mut count = 0;
    for id in &selected.ids {
        let changed = match selected.done {
            Done::Send => registry.redrive_undecodable(id, &to(&form.fields)?).await,
            Done::Forget => registry.forget_undecodable(id).await,
            _ => return Err(Sorry::bad_request("messages are sent again, or removed")),
        };
        match changed {
            Ok(()) => count += 1,
            // Somebody else was faster.
            Err(RegistryError::UnknownMessage { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(selected.answer(&frame::path(channel, PAGE), count))
}

/// The queue that was chosen.
fn to(fields: &Fields) -> Result<QueueRole, Sorry> {
    let chosen = field(fields, "to").unwrap_or_default();
    if chosen == "completed" {
        return Ok(QueueRole::Completed);
    }
    let job_type = chosen.strip_prefix("work/").map(str::parse::<JobType>);
    match job_type {
        Some(Ok(job_type)) => Ok(QueueRole::Work(job_type)),
        _ => Err(Sorry::bad_request("say to which queue")),
    }
}
