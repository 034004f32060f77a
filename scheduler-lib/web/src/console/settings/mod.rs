//! Settings: what holds, where it comes from, what was refused.

mod change;
mod one;

use std::collections::BTreeMap;

use axum::extract::Query;
use maud::{Markup, html};
use serde::Deserialize;

pub(super) use self::{change::change, one::show};
use super::{
    frame::Frame,
    words::{encoded, moment, number},
};
use crate::settings::{RefusedView, SettingView, SettingsView, SourceView};

/// Settings of one page; whoever has more searches.
const MAX_SHOWN: usize = 500;

#[derive(Deserialize)]
pub(super) struct Asked {
    /// A part of a key, of its help or of a value.
    search: Option<String>,
    /// Only what differs from its static value, or was refused.
    #[serde(default)]
    changed: bool,
}

/// `GET /console/settings?search=&changed=`
pub(super) async fn list(frame: Frame, Query(asked): Query<Asked>) -> Markup {
    let Some(steering) = &frame.web.0.settings else {
        return frame.page("Configuration", unsteered());
    };
    let now_ms = frame.now_ms();
    let view = steering.overview();
    let wanted = asked.search.as_deref().map(str::trim).unwrap_or_default();
    let meant: Vec<_> = view
        .settings
        .iter()
        .filter(|(key, setting)| has(key, setting, wanted))
        .filter(|(_, setting)| !asked.changed || differs(setting) || setting.refused.is_some())
        .collect();
    let shown = &meant[..meant.len().min(MAX_SHOWN)];
    let body = html! {
        h1 { "Configuration" }
        p.meta { "What may change while the scheduler runs: the static configuration's values, and what sources lay over them." }
        (refused(&view, now_ms))
        (sources(&view.sources, now_ms))
        @if let Some(why) = &view.unkept { p.said role="status" { "What sources say is not kept for the next start: " (why) } }
        form.card role="search" method="get" action="/console/settings" {
            div.row {
                label { "Search " small { "in keys, values and words" } input name="search" type="search" value=(wanted) data-search; }
                label { input type="checkbox" name="changed" value="true" checked[asked.changed]; "Only what differs from the static value" }
                button { "Search" }
            }
        }
        @if meant.is_empty() { p.empty { "No setting is so." } }
        @if meant.len() > shown.len() { p.meta { "The first " (shown.len()) " of " (number(meant.len() as u64)) ": search for the others." } }
        @for (group, settings) in grouped(shown) {
            h2 { (group) }
            (table(&settings, now_ms))
        }
    };
    frame.page("Configuration", body)
}

/// What to do where nothing can change.
fn unsteered() -> Markup {
    html! {
        h1 { "Configuration" }
        section.card {
            p { "This scheduler follows no source of settings: its static configuration holds until it is started again." }
            p { "To change cushions, intervals and throttles while it runs, name a source in its configuration:" }
            pre { "[settings]\nconsul = { address = \"http://127.0.0.1:8500\", prefix = \"polling\" }" }
            p.meta { "A file or Redis can be followed as well; what is in Consul can be changed here." }
        }
    }
}

fn has(key: &str, setting: &SettingView, wanted: &str) -> bool {
    let in_force = setting.in_force.as_ref().map(|found| found.value.as_str());
    let texts = [
        Some(key),
        Some(setting.help),
        setting.value.as_deref(),
        in_force,
    ];
    let wanted = wanted.to_lowercase();
    let mut texts = texts.into_iter().flatten();
    texts.any(|text| text.to_lowercase().contains(&wanted))
}

/// Whether another value than the static one holds.
fn differs(setting: &SettingView) -> bool {
    let in_force = setting.in_force.as_ref();
    in_force.is_some_and(|found| setting.value.as_deref() != Some(&found.value))
}

/// A key, and its setting.
type Known<'a> = (&'a String, &'a SettingView);

/// By channel and job type, as keys begin with them.
fn grouped<'a>(settings: &[Known<'a>]) -> BTreeMap<String, Vec<Known<'a>>> {
    let mut groups: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for &(key, setting) in settings {
        let parts: Vec<_> = key.split('/').collect();
        let group = match parts[..] {
            [channel, job_type, _, ..] => format!("{channel} / {job_type}"),
            [channel, _] => channel.to_owned(),
            _ => "All".to_owned(),
        };
        groups.entry(group).or_default().push((key, setting));
    }
    groups
}

fn table(settings: &[Known<'_>], now_ms: i64) -> Markup {
    html! {
        div.wide {
            table.fixed {
                thead { tr { th scope="col" { "Setting" } th scope="col" { "Static" } th scope="col" { "In force" } th scope="col" { "From" } th scope="col" { "Since" } } }
                tbody {
                    @for (key, setting) in settings {
                        tr.differs[differs(setting)] {
                            th scope="row" { a.code href=(path(key)) { (key) } br; small { (setting.help) } }
                            td.code { (value(setting.value.as_deref())) }
                            td.code {
                                @match &setting.in_force {
                                    Some(found) => { strong { (found.value) } @if differs(setting) { " " span.badge.warn { "differs" } } }
                                    None => (value(setting.value.as_deref())),
                                }
                                @if setting.refused.is_some() { " " span.badge.bad { "refused" } }
                            }
                            td { @match &setting.in_force { Some(found) => (found.source), None => small { "static" } } }
                            td { @if let Some(found) = &setting.in_force { (moment(found.changed_ms, now_ms)) } }
                        }
                    }
                }
            }
        }
    }
}

fn value(value: Option<&str>) -> Markup {
    html! { @match value { Some(value) => (value), None => small { "not set" } } }
}

/// What sources hold that cannot take effect, by name.
fn refused(view: &SettingsView, now_ms: i64) -> Markup {
    let settings = view.settings.iter();
    let of_settings = settings.filter_map(|(key, one)| Some((key, one.refused.as_ref()?)));
    let all: Vec<_> = of_settings.chain(&view.unknown).collect();
    html! {
        @if !all.is_empty() {
            section.card aria-labelledby="refused" {
                h2 #refused { "Refused: not in force" }
                ul { @for (key, refused) in all.iter().take(MAX_SHOWN) { li { (told(key, refused, now_ms)) } } }
            }
        }
    }
}

fn told(key: &str, refused: &RefusedView, now_ms: i64) -> Markup {
    html! {
        span.code { (key) } @if let Some(value) = &refused.value { " = " span.code { (value) } }
        " of " (refused.source) ", " (moment(refused.since_ms, now_ms)) ": " strong { (refused.reason) }
    }
}

fn sources(sources: &[SourceView], now_ms: i64) -> Markup {
    html! {
        section.tiles aria-label="Sources, the weakest first" {
            @for source in sources {
                div.tile {
                    span { (source.name) }
                    @match &source.failure {
                        Some(failure) => {
                            strong { span.badge.bad { "away" } }
                            small { (last_word(source, now_ms)) " " (failure) }
                        }
                        None => {
                            strong { span.badge.good { "answers" } }
                            small { @if let Some(heard_ms) = source.heard_ms { "heard " (moment(heard_ms, now_ms)) } @else { "not heard yet" } }
                        }
                    }
                }
            }
        }
    }
}

/// What holds of a source that is away.
fn last_word(source: &SourceView, now_ms: i64) -> Markup {
    html! {
        @match (source.heard_ms, source.recalled_ms) {
            (Some(heard_ms), _) => { "since " (moment(heard_ms, now_ms)) ": what it said last holds." },
            (None, Some(recalled_ms)) => { "since the start: what was heard " (moment(recalled_ms, now_ms)) " holds." },
            (None, None) => "never heard: static values hold.",
        }
    }
}

/// The address of a setting.
fn path(key: &str) -> String {
    let parts: Vec<_> = key.split('/').map(encoded).collect();
    format!("/console/settings/{}", parts.join("/"))
}
