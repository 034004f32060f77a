//! The same done to all jobs that a search means.

use std::time::Duration;

use axum::{
    Extension,
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use serde::Deserialize;
use tokio::time::Instant;

use super::{Search, Sorry};
use crate::{
    access::{Form, Note},
    api::{
        bulk::{Edit, edit_page},
        error::ApiError,
        select::Which,
    },
    console::frame::{self, Frame},
};

/// How long one request goes on with it; whoever asked is told where it stands.
const LONGEST: Duration = Duration::from_secs(5);

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Deed {
    Pause,
    Resume,
    Run,
}

impl Deed {
    const ALL: [Self; 3] = [Self::Pause, Self::Resume, Self::Run];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Run => "run",
        }
    }

    /// As a button says it.
    const fn words(self) -> &'static str {
        match self {
            Self::Pause => "Pause them",
            Self::Resume => "Resume those that are held",
            Self::Run => "Poll them now",
        }
    }

    /// Of how many comes before.
    pub(super) const fn done(self) -> &'static str {
        match self {
            Self::Pause => "jobs were paused",
            Self::Resume => "jobs were resumed, spread over their intervals",
            Self::Run => "jobs are polled now",
        }
    }

    const fn edit(self) -> Edit {
        match self {
            Self::Pause => Edit::Pause,
            Self::Resume => Edit::Resume,
            Self::Run => Edit::RunNow,
        }
    }
}

/// What the form sends.
#[derive(Deserialize)]
pub(in crate::console) struct Asked {
    #[serde(rename = "do")]
    deed: Deed,
    #[serde(flatten)]
    search: Search,
}

/// `POST /console/channels/{channel}/jobs`: page after page, for some seconds; then back to the search.
pub(in crate::console) async fn edit(frame: Frame, form: Form<Asked>) -> Result<Response, Sorry> {
    let (channel, registry) = frame.registry()?;
    let Asked { deed, search } = form.fields;
    let mut which = meant(&search, deed)?;
    let begun = Instant::now();
    let (mut changed, mut seen) = (0, 0);
    loop {
        let page = edit_page(registry, &which, deed.edit()).await?;
        changed += page.changed;
        seen += page.seen;
        which.after = page.next;
        if which.after.is_none() || begun.elapsed() >= LONGEST {
            break;
        }
    }
    let more = which.after.map_or_else(String::new, |after| after.0);
    let did = deed.as_str();
    let told = [
        ("did", did),
        ("changed", &changed.to_string()),
        ("seen", &seen.to_string()),
        ("more", &more),
    ];
    let told = serde_urlencoded::to_string(told).unwrap_or_default();
    let here = frame::path(channel, "jobs");
    let to = Redirect::to(&format!("{here}?{}&{told}", search.query("")));
    let note = Note(format!("{did} {}: {changed} of {seen}", search.query("")));
    Ok((Extension(note), to).into_response())
}

/// The jobs of a search, from where it was left. Without anything that narrows it, all are meant: the form says so.
fn meant(search: &Search, deed: Deed) -> Result<Which, ApiError> {
    let which = Which::of_fields(&search.fields(&search.more))?;
    let which = match which.is_narrow() {
        true => which,
        false => which.all(),
    };
    match deed {
        Deed::Resume => which.held(),
        Deed::Pause | Deed::Run => Ok(which),
    }
}

/// Lets an operator do it, or go on with it.
pub(super) fn form(frame: &Frame, search: &Search, here: &str) -> Result<Markup, Sorry> {
    let which = search.which()?;
    let narrow = which.is_narrow() || which.place.is_some();
    let meant = if narrow {
        "every job of this search, on whatever page"
    } else {
        "EVERY job of the channel"
    };
    let fields = search.fields(&search.more);
    Ok(html! {
        details.card #bulk open[!search.more.is_empty()] {
            summary { @if narrow { "All jobs of this search" } @else { "All jobs of the channel" } }
            form method="post" action=(here) {
                (frame.seal())
                @for (name, value) in &fields[..4] { @if !value.is_empty() { input type="hidden" name=(name) value=(value); } }
                input type="hidden" name="more" value=(search.more);
                div.row {
                    @match search.did.filter(|_| !search.more.is_empty()) {
                        Some(deed) => button.primary #{ "go-on" } name="do" value=(deed.as_str()) { "Go on: " (deed.words()) },
                        None => @for deed in Deed::ALL {
                            button #{ "all-" (deed.as_str()) } name="do" value=(deed.as_str()) data-confirm={ (deed.words()) "? This means " (meant) "." } { (deed.words()) }
                        },
                    }
                }
            }
        }
    })
}
