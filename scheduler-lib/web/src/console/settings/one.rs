//! One setting: its values, its past, and the form that changes it.

use axum::extract::{Path, Query};
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    change::{Field, Filled},
    path, value,
};
use crate::{
    console::{Sorry, frame::Frame, words::moment},
    settings::{ChangeError, PastView, SettingView},
    suggest,
};

/// Changes of the page.
const MAX_SHOWN: usize = 100;

#[derive(Deserialize)]
pub(crate) struct Asked {
    done: Option<String>,
}

/// `GET /console/settings/{*key}`
pub(crate) async fn show(
    frame: Frame,
    Path(key): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Markup, Sorry> {
    page(&frame, &key, &Filled::default(), asked.done.is_some()).await
}

/// The page, with the form as it was filled in.
pub(super) async fn page(
    frame: &Frame,
    key: &str,
    filled: &Filled,
    done: bool,
) -> Result<Markup, Sorry> {
    let steering = frame.web.0.settings.as_ref();
    let steering = steering.ok_or_else(|| Sorry::not_found("no source of settings is followed"))?;
    let mut view = steering.overview();
    let Some(setting) = view.settings.remove(key) else {
        let known: Vec<_> = view.settings.keys().map(String::as_str).collect();
        let nearest = suggest::nearest(key, known);
        let hint = nearest.map_or_else(String::new, |key| format!(": did you mean {key}?"));
        return Err(Sorry::not_found(format!("there is no setting {key}{hint}")));
    };
    let past = steering.history(key).await;
    let now_ms = frame.now_ms();
    let body = html! {
        p { a href="/console/settings" { "← Configuration" } }
        h1.code { (key) }
        p { (setting.help) "." }
        @if done { p.done role="status" { "It is written. Every replica takes it up within a second or so." } }
        (values(&setting, now_ms))
        @match (&past, frame.may_change()) {
            (_, false) => {}
            (Err(error @ ChangeError::ReadOnly), true) => p.card { (error.to_string()) "." },
            _ => (form(frame, key, &setting, filled)),
        }
        @match &past {
            Ok(past) => (history(past, now_ms)),
            Err(ChangeError::ReadOnly) => {}
            Err(error) => p.said role="alert" { "Its past cannot be read: " (error.to_string()) },
        }
    };
    Ok(frame.page(key, body))
}

fn values(setting: &SettingView, now_ms: i64) -> Markup {
    html! {
        section.card {
            dl.facts {
                dt { "In force" }
                dd.code {
                    @match &setting.in_force {
                        Some(found) => strong { (found.value) },
                        None => (value(setting.value.as_deref())),
                    }
                }
                dt { "From" }
                dd { @match &setting.in_force { Some(found) => { (found.source) ", since " (moment(found.changed_ms, now_ms)) }, None => "the static configuration" } }
                dt { "Static value" } dd.code { (value(setting.value.as_deref())) }
                @if let Some(refused) = &setting.refused {
                    dt { span.badge.bad { "Refused" } }
                    dd { @if let Some(value) = &refused.value { span.code { (value) } } @else { "giving it up" } " of " (refused.source) ", " (moment(refused.since_ms, now_ms)) ": " strong { (refused.reason) } }
                }
            }
        }
    }
}

fn form(frame: &Frame, key: &str, setting: &SettingView, filled: &Filled) -> Markup {
    let in_force = setting.in_force.as_ref().map(|found| found.value.as_str());
    let current = in_force.or(setting.value.as_deref()).unwrap_or_default();
    let wrong = |field: Field| filled.wrong.as_ref().filter(|(of, _)| *of == field);
    let error = |field: Field, id: &str| html! { @if let Some((_, wrong)) = wrong(field) { p.said role="alert" id=(id) { (wrong) } } };
    html! {
        form.card method="post" action=(path(key)) {
            h2 { "Change it" }
            (frame.seal())
            label { "New value " small { "as in the configuration file" }
                input.code name="value" value=(filled.value.as_deref().unwrap_or(current)) autocomplete="off" spellcheck="false"
                    aria-invalid=[wrong(Field::Value).map(|_| "true")] aria-describedby=[wrong(Field::Value).map(|_| "value-wrong")]; }
            (error(Field::Value, "value-wrong"))
            label { "Reason " small { "for whoever asks why; it is kept with the change" }
                input name="reason" value=(filled.reason) maxlength="240" required
                    aria-invalid=[wrong(Field::Reason).map(|_| "true")] aria-describedby=[wrong(Field::Reason).map(|_| "reason-wrong")]; }
            (error(Field::Reason, "reason-wrong"))
            div.row {
                button.primary name="do" value="set" { "Change" }
                @if setting.in_force.is_some() || setting.refused.is_some() {
                    button name="do" value="back" data-confirm="Give up what is laid over the static value?" { "Back to the static value" }
                }
            }
        }
    }
}

fn history(past: &[PastView], now_ms: i64) -> Markup {
    html! {
        h2 { "Its past" }
        @if past.is_empty() { p.empty { "Nobody changed it here yet." } }
        @else {
            div.wide tabindex="0" { table {
                @if past.len() > MAX_SHOWN { caption { "The last " (MAX_SHOWN) " changes" } }
                thead { tr { th scope="col" { "When" } th scope="col" { "Who" } th scope="col" { "From" } th scope="col" { "To" } th scope="col" { "Why" } } }
                tbody {
                    @for change in past.iter().take(MAX_SHOWN) {
                        tr {
                            td { (moment(change.at_ms, now_ms)) }
                            td { (change.by) }
                            td.code { (value(change.from.as_deref())) }
                            td.code { (value(change.to.as_deref())) }
                            td { (change.reason) }
                        }
                    }
                }
            } }
        }
    }
}
