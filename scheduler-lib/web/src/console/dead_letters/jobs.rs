//! Jobs that are held because nobody could finish them.

use axum::response::Response;
use maud::{Markup, html};
use polling_model::JobId;
use scheduler_lib::{
    Registry, RegistryError,
    store::{Hold, JobRecord, ListCursor, Place},
};
use serde::Deserialize;

use super::{
    PAGE,
    selected::{Done, Fields, Selected},
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

/// Jobs of one page.
const MAX_SHOWN: usize = 50;

/// Most held jobs looked at for it: paused ones may be many.
const MAX_SEEN: usize = 5_000;

/// Which of the held jobs.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Which {
    /// Those that wait for somebody to decide.
    #[default]
    Waiting,
    /// Those that were decided on.
    Parked,
}

impl Which {
    fn means(self, place: Place) -> bool {
        match self {
            Self::Waiting => matches!(place, Place::Held(Hold::Quarantined | Hold::Refused)),
            Self::Parked => matches!(place, Place::Held(Hold::Parked)),
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Parked => "parked",
        }
    }
}

/// Some of them.
pub(super) struct Found {
    jobs: Vec<JobRecord>,
    next: Option<ListCursor>,
}

pub(super) async fn find(
    registry: &Registry,
    which: Which,
    after: Option<&ListCursor>,
) -> Result<Found, Sorry> {
    let (mut jobs, mut seen, mut next) = (Vec::new(), 0, after.cloned());
    loop {
        let page = registry.held(next.as_ref(), MAX_SHOWN).await?;
        seen += page.records.len();
        let meant = page.records.into_iter();
        jobs.extend(meant.filter(|record| which.means(record.state.place)));
        next = page.next;
        if next.is_none() || jobs.len() >= MAX_SHOWN || seen >= MAX_SEEN {
            break;
        }
    }
    Ok(Found { jobs, next })
}

pub(super) fn table(frame: &Frame, here: &str, which: Which, found: &Found) -> Markup {
    html! {
        nav.row aria-label="Jobs shown" {
            @for (choice, words) in [(Which::Waiting, "Waiting for a decision"), (Which::Parked, "Parked")] {
                a.button href={ (here) "?show=" (choice.as_str()) } aria-current=[(choice == which).then_some("true")] { (words) }
            }
        }
        @if found.jobs.is_empty() {
            p.empty { @if which == Which::Waiting { "No job waits for somebody." } @else { "No job is parked." } }
        } @else {
            form method="post" action={ (here) "/jobs" } {
                (frame.seal())
                div.wide { table {
                    thead { tr {
                        @if frame.may_change() { th scope="col" { (tick_all("jobs")) } }
                        th scope="col" { "Job" } th scope="col" { "Account" } th scope="col" { "Held as" } th.number scope="col" { "Dead letters" } th scope="col" { "Since" } th scope="col" { "Why" }
                    } }
                    tbody { @for job in &found.jobs { (row(frame, job)) } }
                } }
                @if frame.may_change() {
                    div.row {
                        button name="do" value="resume" { "Poll again" }
                        @if which == Which::Waiting { button name="do" value="park" { "Park" } }
                        button.danger name="do" value="unregister" data-confirm="Unregister the ticked jobs? They are polled no more, and their contexts are gone for good." { "Unregister" }
                    }
                }
            }
        }
        @if let Some(next) = &found.next {
            p { a.button href={ (here) "?show=" (which.as_str()) "&after=" (encoded(&next.0)) } { "More" } }
        }
    }
}

fn row(frame: &Frame, JobRecord { id, state, .. }: &JobRecord) -> Markup {
    let jobs = frame
        .registry()
        .map(|(channel, _)| frame::path(channel, "jobs"));
    let since_ms = state.reasons.first().and_then(|reason| reason.at_ms);
    html! {
        tr {
            @if frame.may_change() { td { input type="checkbox" name="id" value=(id) aria-label={ "Job " (id) }; } }
            th scope="row" { a.code href={ (jobs.unwrap_or_default()) "/" (encoded(id.as_str())) } { (id) } }
            td { (state.account) }
            td { span.badge.bad { (state.place.as_str()) } }
            td.number { (number(u64::from(state.strikes))) }
            td { @if let Some(since_ms) = since_ms { (moment(since_ms, frame.now_ms())) } @else { "unknown" } }
            td.words { (state.reason()) }
        }
    }
}

/// `POST /console/channels/{channel}/dead-letters/jobs`
pub(crate) async fn change(frame: Frame, form: Form<Fields>) -> Result<Response, Sorry> {
    let (channel, registry) = frame.registry()?;
    let selected = Selected::read(&form.fields)?;
    let mut count = 0;
    for id in &selected.ids {
        let id: JobId = id
            .parse()
            .map_err(|error| Sorry::bad_request(format!("{id:?} is no job: {error}")))?;
        match apply(registry, &id, selected.done, selected.ids.len() > 1).await {
            Ok(changed) => count += usize::from(changed),
            // Somebody else removed it meanwhile.
            Err(Failed::Registry(RegistryError::Unknown { .. })) => {}
            Err(Failed::Registry(error)) => return Err(error.into()),
            Err(Failed::Other(sorry)) => return Err(sorry),
        }
    }
    Ok(selected.answer(&frame::path(channel, PAGE), count))
}

enum Failed {
    Registry(RegistryError),
    Other(Sorry),
}

impl From<RegistryError> for Failed {
    fn from(error: RegistryError) -> Self {
        Self::Registry(error)
    }
}

/// Whether it changed anything. Many that are resumed together stay spread over their intervals.
async fn apply(registry: &Registry, id: &JobId, done: Done, many: bool) -> Result<bool, Failed> {
    Ok(match done {
        Done::Resume if many => registry.resume_spread(id).await?,
        Done::Resume => registry.resume(id).await?,
        Done::Park => registry.park(id).await?,
        Done::Unregister => registry.remove(id).await.map(|()| true)?,
        Done::Send | Done::Forget => {
            let error = "jobs are resumed, parked or unregistered";
            return Err(Failed::Other(Sorry::bad_request(error)));
        }
    })
}
