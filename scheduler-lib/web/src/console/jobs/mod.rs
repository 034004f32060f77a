//! Jobs: found by what they have in common, looked at one by one, and changed.

mod act;
mod bulk;
mod context;
mod one;
mod pace;
mod search;
mod story;

use std::collections::BTreeSet;

use axum::{
    extract::Query,
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use polling_model::{ChannelId, JobId, JobType, ServiceLevel};
use scheduler_lib::{
    Registry, RegistryError,
    store::{JobRecord, Place},
};

use self::search::{Found, Search};
pub(super) use self::{act::change, bulk::edit, one::show, pace::change as change_pace};
use super::{
    Sorry,
    frame::{self, Frame},
    words::{encoded, moment, number, plain},
};

/// Where a job may be: as the search calls it, and in words.
const PLACES: [(&str, &str); 8] = [
    ("slot", "in a slot"),
    ("in_flight", "in flight"),
    ("later", "later"),
    ("held", "held, however"),
    ("paused", "paused"),
    ("parked", "parked"),
    ("quarantined", "in quarantine"),
    ("refused", "refused"),
];

/// `GET /console/channels/{channel}/jobs?id=&account=&job_type=&level=&place=&after=`
pub(super) async fn list(frame: Frame, Query(search): Query<Search>) -> Result<Response, Sorry> {
    let (channel, registry) = frame.registry()?;
    let here = frame::path(channel, "jobs");
    if !search.id.trim().is_empty() {
        return go_to(&here, registry, search.id.trim()).await;
    }
    let which = search.which()?;
    which.check(registry)?;
    let all = registry.counts().await?.registered;
    let found = search.find(registry, which).await?;
    let body = html! {
        h1 { "Jobs " small.meta { (number(all)) " registered" } }
        (search.told())
        (form(&search, registry, &here))
        (table(&found, channel, frame.now_ms()))
        (pager(&search, &found, &here))
        @if frame.may_change() { (bulk::form(&frame, &search, &here)?) }
    };
    Ok(frame.page("Jobs", body).into_response())
}

/// The page of a job, if there is such a one.
async fn go_to(here: &str, registry: &Registry, id: &str) -> Result<Response, Sorry> {
    let id: JobId = id
        .parse()
        .map_err(|error| Sorry::bad_request(format!("{id:?} is no job: {error}")))?;
    let found = registry.get(&id).await;
    match found {
        Ok(_) => Ok(Redirect::to(&path_of(here, &id)).into_response()),
        Err(error @ RegistryError::Unknown { .. }) => Err(Sorry::not_found(error.to_string())),
        Err(error) => Err(error.into()),
    }
}

/// The address of a job's page, below that of all.
fn path_of(here: &str, id: &JobId) -> String {
    format!("{here}/{}", encoded(id.as_str()))
}

/// The levels that the rules name.
fn levels(registry: &Registry) -> BTreeSet<ServiceLevel> {
    let job_types: Vec<_> = registry.job_types().collect();
    let rules = job_types.into_iter().filter_map(|one| registry.rules(one));
    rules.flat_map(|rules| rules.levels.into_keys()).collect()
}

fn form(search: &Search, registry: &Registry, here: &str) -> Markup {
    let chosen = |value: &str, chosen: &str| value == chosen;
    html! {
        search.card {
            form #search method="get" action=(here) {
                div.row {
                    label { "Account" input #search-account name="account" value=(search.account) autocapitalize="none" spellcheck="false" data-search; }
                    label { "Job type"
                        select #search-type name="job_type" {
                            option value="" { "any" }
                            @for job_type in registry.job_types().map(JobType::as_str) { option value=(job_type) selected[chosen(job_type, &search.job_type)] { (job_type) } }
                        }
                    }
                    label { "Level" input #search-level name="level" value=(search.level) list="levels" autocapitalize="none"; }
                    datalist #levels { @for level in levels(registry) { option value=(level) {} } }
                    label { "Place"
                        select #search-place name="place" {
                            option value="" { "anywhere" }
                            @for (place, words) in PLACES { option value=(place) selected[chosen(place, &search.place)] { (words) } }
                        }
                    }
                    button.primary { "Search" }
                    a.button href=(here) { "All" }
                }
            }
            form #go-to method="get" action=(here) {
                div.row {
                    label { "Job id " small { "leads to its page" } input #search-id name="id" required autocapitalize="none" spellcheck="false"; }
                    button { "Go" }
                }
            }
        }
    }
}

fn table(found: &Found, channel: &ChannelId, now_ms: i64) -> Markup {
    let here = frame::path(channel, "jobs");
    html! {
        @if found.jobs.is_empty() {
            p.empty #no-jobs { @if found.next.is_some() { "None among the " (number(found.seen)) " jobs looked at; there are more." } @else { "No job is like that." } }
        } @else {
            div.wide {
                table #jobs {
                    thead { tr { th scope="col" { "Job" } th scope="col" { "Account" } th scope="col" { "Type" } th scope="col" { "Level" } th scope="col" { "Place" } th scope="col" { "Due" } th scope="col" { "Why" } } }
                    tbody {
                        @for JobRecord { id, state, .. } in &found.jobs {
                            tr {
                                th scope="row" { a.code href=(path_of(&here, id)) { (id) } }
                                td.code { (state.account) }
                                td { (state.job_type) }
                                td { (state.level) }
                                td { (badge(state.place)) }
                                td { @if !matches!(state.place, Place::Held(_)) { (moment(state.due_ms, now_ms)) } }
                                td { bdi { (plain(state.reason())) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Where a job is.
fn badge(place: Place) -> Markup {
    let kind = match place {
        Place::Slot | Place::Later => "",
        Place::InFlight { .. } => "good",
        Place::Held(_) => "warn",
    };
    let words = place.as_str().replace('_', " ");
    html! { span.badge.(kind) { (words) } }
}

fn pager(search: &Search, found: &Found, here: &str) -> Markup {
    html! {
        nav.row aria-label="Further jobs" {
            @if !search.after.is_empty() { a.button #first href={ (here) "?" (search.query("")) } { "From the first" } }
            @if let Some(next) = &found.next {
                a.button #next href={ (here) "?" (search.query(&next.0)) } rel="next" { "Further jobs" }
            } @else { span.meta { "These are the last." } }
        }
    }
}
