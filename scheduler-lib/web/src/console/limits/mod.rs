//! Rate limits: how they stand, and how long they last.

mod forecast;
mod found;

use axum::extract::Query;
use maud::{Markup, html};
use scheduler_lib::{
    ScopeState,
    ledger::{Cushion, WindowStanding},
    store::ListCursor,
};
use serde::Deserialize;

use self::forecast::{Forecast, forecast};
use super::{
    Sorry,
    frame::{self, Frame},
    words::{encoded, moment, number, of_ms, short, time_of_day},
};

/// Most scopes that all accounts share: those of rules are few.
const MAX_SHARED: usize = 50;

#[derive(Deserialize)]
pub(super) struct Asked {
    /// A part of a scope's name.
    scope: Option<String>,
    after: Option<ListCursor>,
}

/// `GET /console/channels/{channel}/limits?scope=&after=`
pub(super) async fn show(frame: Frame, Query(asked): Query<Asked>) -> Result<Markup, Sorry> {
    let (channel, registry) = frame.registry()?;
    let wanted = asked.scope.as_deref().map(str::trim).unwrap_or_default();
    let mut shared = registry.shared_scopes().await?;
    shared.retain(|state| state.scope.as_str().contains(wanted));
    shared.truncate(MAX_SHARED);
    let found = found::find(registry, wanted, asked.after.as_ref()).await?;
    let mut of_jobs = found.scopes;
    of_jobs.retain(|state| shared.iter().all(|known| known.scope != state.scope));
    let here = frame::path(channel, "limits");
    let body = html! {
        h1 { "Limits" }
        p.meta { "What the channel lets each scope call, what of it is used, and how long it lasts at this pace. Times are UTC." }
        form.card role="search" method="get" action=(here) {
            div.row {
                label { "Scope " small { "or a part of its name, such as an account" } input name="scope" type="search" value=(wanted) data-search; }
                button { "Search" }
                @if !wanted.is_empty() { a.button href=(here) { "All" } }
            }
        }
        @if !shared.is_empty() {
            h2 { "Shared by all accounts" }
            (table(&shared, frame.now_ms()))
        }
        h2 { "Of accounts and what workers reported" }
        @if of_jobs.is_empty() {
            p.empty {
                @if found.next.is_some() { "None of the " (number(found.seen as u64)) " jobs looked at. Look further." }
                @else if wanted.is_empty() { "No other scopes: nothing limits single accounts." }
                @else { "No scope has " strong { (wanted) } " in its name." }
            }
        } @else { (table(&of_jobs, frame.now_ms())) }
        @if let Some(next) = &found.next {
            p { a.button href={ (here) "?scope=" (encoded(wanted)) "&after=" (encoded(&next.0)) } { "Look further" } " " small { (number(found.seen as u64)) " jobs were looked at for these" } }
        }
    };
    Ok(frame.page("Limits", body))
}

fn table(scopes: &[ScopeState], now_ms: i64) -> Markup {
    html! {
        div.wide tabindex="0" {
            table {
                thead { tr {
                    th scope="col" { "Scope" } th scope="col" { "Use" } th.number scope="col" { "Left" } th.number scope="col" { "Cushion" }
                    th scope="col" { "Reset" } th scope="col" { "Forecast" } th scope="col" { "State" }
                } }
                tbody { @for state in scopes { (rows(state, now_ms)) } }
            }
        }
    }
}

/// A scope: a row for each of its windows.
fn rows(state: &ScopeState, now_ms: i64) -> Markup {
    let windows = &state.standing.windows;
    let span = windows.len().max(1);
    html! {
        @if windows.is_empty() {
            tr {
                th scope="row" { span.code { (state.scope) } }
                td colspan="5" { @if let Some(limit) = state.limit { (number(limit.calls)) " calls in " (length(limit.window_ms)) ", by the rules; no call was made yet" } @else { "The channel has not told of it yet." } }
                td { (condition(state, now_ms)) }
            }
        }
        @for (at, window) in windows.iter().enumerate() {
            tr {
                @if at == 0 { th scope="rowgroup" rowspan=(span) { span.code { (state.scope) } } }
                td { (bar(window, state.cushion)) }
                td.number { (number(window.free)) " of " (number(window.limit)) br; small { (number(window.granted)) " under way" } }
                td.number { (number(state.cushion.calls_of(window.limit))) @if let Cushion::Share(_) = state.cushion { br; small { (state.cushion) } } }
                td.brief { (time_of_day(window.ends_ms, now_ms)) " " small { "of " (length(window.length_ms)) } br; small { (moment(window.ends_ms, now_ms)) } }
                td.words { (words(window, state.cushion, now_ms)) }
                @if at == 0 { td rowspan=(span) { (condition(state, now_ms)) } }
            }
        }
    }
}

/// The bar's length, in the drawing's own unit.
const LENGTH: u64 = 160;

/// Used, under way, free, and the cushion at the end; the words beside it tell the same.
fn bar(window: &WindowStanding, cushion: Cushion) -> Markup {
    let limit = window.limit.max(1);
    let part = |calls: u64| {
        u64::try_from(u128::from(calls) * u128::from(LENGTH) / u128::from(limit))
            .unwrap_or(LENGTH)
            .min(LENGTH)
    };
    let used = window
        .limit
        .saturating_sub(window.free)
        .saturating_sub(window.granted);
    let cushion = cushion.calls_of(window.limit);
    let (to_used, to_granted) = (part(used), part(used.saturating_add(window.granted)));
    let label = format!(
        "{used} of {} used, {} under way, {} left of which {cushion} are left to others",
        window.limit, window.granted, window.free
    );
    html! {
        svg.bar viewBox={ "0 0 " (LENGTH) " 14" } width=(LENGTH) height="14" role="img" aria-label=(label) {
            title { (label) }
            rect.all width=(LENGTH) height="14" rx="3" {}
            rect.used width=(to_used) height="14" rx="3" {}
            rect.granted x=(to_used) width=(to_granted - to_used) height="14" {}
            @if cushion > 0 { line.cushion x1=(LENGTH - part(cushion)) x2=(LENGTH - part(cushion)) y1="0" y2="14" {} }
        }
    }
}

fn words(window: &WindowStanding, cushion: Cushion, now_ms: i64) -> Markup {
    let ends = time_of_day(window.ends_ms, now_ms);
    html! {
        @match forecast(window, cushion.calls_of(window.limit), now_ms) {
            Forecast::Unused => "nothing used yet",
            Forecast::TooEarly => "it has just begun",
            Forecast::UsedUp => { span.badge.bad { "used up" } " until " (ends) },
            Forecast::UsedUpBy { at_ms } => { span.badge.warn { "scarce" } " at this pace it is used up at " strong { (time_of_day(at_ms, now_ms)) } ", reset at " (ends) },
            Forecast::Lasts { calls } => { span.badge.good { "lasts" } " at this pace " (number(calls)) " are left at " (ends) },
        }
    }
}

/// Whether calls are refused, and what one has to be worth.
fn condition(state: &ScopeState, now_ms: i64) -> Markup {
    let standing = &state.standing;
    html! {
        @if let Some(until_ms) = standing.refused_until_ms { span.badge.bad { "refused" } " until " (time_of_day(until_ms, now_ms)) br; }
        @if standing.price > 0.0 {
            span.badge.warn { "scarce" } " a call has to save " (format!("{:.2}", standing.price)) " min of delay"
        } @else if standing.refused_until_ms.is_none() && !standing.windows.is_empty() { span.badge.good { "calls are made" } }
    }
}

fn length(ms: i64) -> String {
    short(of_ms(ms))
}
