//! A job: all that is known of it, why it is where it is, and what can be done.

use axum::extract::{Path, Query};
use maud::{Markup, html};
use polling_model::JobId;
use scheduler_lib::{
    explain::Explanation,
    policy::Override,
    store::{Hold, JobRecord, JobState, Place},
};
use serde::Deserialize;

use super::{
    act::{Deed, Did},
    badge, context, levels, path_of, story,
};
use crate::console::{
    Sorry,
    accounts::pace,
    frame::{self, Frame},
    words::{encoded, moment, number, of_ms, short},
};

#[derive(Deserialize)]
pub(in crate::console) struct Asked {
    did: Option<Did>,
}

/// `GET /console/channels/{channel}/jobs/{id}`
pub(in crate::console) async fn show(
    frame: Frame,
    Path((_, id)): Path<(String, JobId)>,
    Query(asked): Query<Asked>,
) -> Result<Markup, Sorry> {
    page(&frame, &id, asked.did, &pace::Filled::default()).await
}

/// The page, with the form of its pace as it was filled in.
pub(super) async fn page(
    frame: &Frame,
    id: &JobId,
    did: Option<Did>,
    filled: &pace::Filled,
) -> Result<Markup, Sorry> {
    let (channel, registry) = frame.registry()?;
    let record = registry.get(id).await?;
    let explanation = registry.explain(id).await?;
    let jobs = frame::path(channel, "jobs");
    let here = path_of(&jobs, id);
    let now_ms = frame.now_ms();
    let body = html! {
        p { a #back href=(jobs) { "← Jobs" } }
        h1 { span.code { (id) } " " (badge(record.state.place)) }
        @if let Some(did) = did { p.done #told role="status" { (did.words()) } }
        @if frame.may_change() { (actions(frame, &here, record.state.place)) }
        @if !explanation.advice.is_empty() {
            section.card #advice { h2 { "What you can do" } ul { @for advice in &explanation.advice { li { (advice) } } } }
        }
        div.cards {
            (story::card(&record.state, &explanation))
            (facts(&record, &explanation, &jobs, now_ms))
        }
        (story::limits(&explanation))
        @if frame.may_change() {
            (level(frame, &here, &record.state))
            (pace::form(frame, &here, record.state.pace, filled))
        }
        (context::card(&record.context))
    };
    Ok(frame.page(&format!("Job {id}"), body))
}

/// What is done with one press.
fn actions(frame: &Frame, here: &str, place: Place) -> Markup {
    let button = |deed: Deed, words: &str| html! { button #{ "do-" (deed.as_str()) } name="do" value=(deed.as_str()) { (words) } };
    html! {
        form #actions method="post" action=(here) {
            (frame.seal())
            div.row {
                @if let Place::Held(_) = place { (button(Deed::Resume, "Resume")) }
                @else { (button(Deed::Pause, "Pause")) }
                (button(Deed::Run, "Poll now"))
                @if place != Place::Held(Hold::Parked) { (button(Deed::Park, "Park")) }
            }
        }
        br;
    }
}

fn facts(record: &JobRecord, explanation: &Explanation, jobs: &str, now_ms: i64) -> Markup {
    let state = &record.state;
    html! {
        section.card #facts {
            h2 { "What is known" }
            dl.facts {
                dt { "Account" } dd { a.code href={ (jobs) "?account=" (encoded(state.account.as_str())) } { (state.account) } }
                dt { "Type" } dd { a href={ (jobs) "?job_type=" (encoded(state.job_type.as_str())) } { (state.job_type) } }
                dt { "Level" } dd { a href={ (jobs) "?level=" (encoded(state.level.as_str())) } { (state.level) } }
                dt { "Polled every" } dd { (frequency(explanation)) }
                @if let Some(pace) = state.pace { dt { "By hand" } dd { (by_hand(pace, now_ms)) } }
                dt { "Last poll ended" } dd { @if let Some(polled_ms) = explanation.polled_ms { (moment(polled_ms, now_ms)) } @else { "none has yet" } }
                dt { "Failed in a row" } dd { (state.attempts) }
                dt { "Dead letters in a row" } dd { (state.strikes) }
                dt { "Times sent" } dd { (number(state.generation)) }
                @if let Some(cushion) = state.cushion { dt { "Its own cushion" } dd { (cushion) } }
                @if state.run_now { dt { "Asked for" } dd { "once more, as soon as it is back" } }
                @if !state.scopes.is_empty() { dt { "Bound to" } dd { @for scope in &state.scopes { span.code { (scope) } " " } } }
            }
        }
    }
}

fn frequency(explanation: &Explanation) -> Markup {
    let Some(rules) = &explanation.rules else {
        return html! { "unknown: the channel has no such job type" };
    };
    html! {
        (short(of_ms(rules.interval_ms)))
        @if rules.adaptive { " at most, when a poll saves the most delay" }
        @if let Some(max_age_ms) = rules.max_age_ms { ", at least every " (short(of_ms(max_age_ms))) }
    }
}

fn by_hand(pace: Override, now_ms: i64) -> Markup {
    html! {
        @match pace {
            Override::Pin { interval } => { "pinned to every " (short(interval)) },
            Override::Boost { factor, until_ms } => { "its weight counts " (factor) " times; it ends " (moment(until_ms, now_ms)) },
            _ => "yes",
        }
    }
}

fn level(frame: &Frame, here: &str, state: &JobState) -> Markup {
    let (_, registry) = match frame.registry() {
        Ok(found) => found,
        Err(_) => return html! {},
    };
    html! {
        details.card #change-level {
            summary { "Change its level" }
            form method="post" action=(here) {
                (frame.seal())
                div.row {
                    label { "Level" input #level name="level" value=(state.level) list="levels" required autocapitalize="none"; }
                    datalist #levels { @for level in levels(registry) { option value=(level) {} } }
                    button #do-level name="do" value="level" { "Change" }
                }
            }
        }
    }
}
