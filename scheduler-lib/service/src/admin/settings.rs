//! Settings that change while the scheduler runs.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use polling_ops::config::{InForce, Key, Refused, SourceState};
use serde::Serialize;

use super::Api;
use crate::settings::Settings;

#[derive(Default, Serialize)]
pub(super) struct SettingsView {
    /// Every setting that may be changed, by key.
    settings: BTreeMap<String, SettingView>,
    /// What sources hold under keys that name no setting.
    unknown: BTreeMap<String, RefusedView>,
    /// Weakest first; none if the configuration names none.
    sources: Vec<SourceView>,
}

#[derive(Serialize)]
struct SettingView {
    help: &'static str,
    /// In the static configuration, or by default.
    #[serde(rename = "static", skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    /// What a source has laid over it.
    #[serde(skip_serializing_if = "Option::is_none")]
    in_force: Option<InForceView>,
    /// What cannot take effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<RefusedView>,
}

#[derive(Serialize)]
struct InForceView {
    value: String,
    source: String,
    changed_ms: i64,
}

#[derive(Serialize)]
struct RefusedView {
    /// None if the setting was to be given up.
    value: Option<String>,
    source: String,
    reason: String,
    since_ms: i64,
}

#[derive(Serialize)]
struct SourceView {
    name: String,
    /// When it last answered; null if it never did.
    heard_ms: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
}

/// `GET /v1/settings`: what may be changed, what is in force and since when, and what was refused.
pub(super) async fn list(State(api): State<Api>) -> Json<SettingsView> {
    let view = api.0.settings.as_ref().map(SettingsView::of);
    Json(view.unwrap_or_default())
}

impl SettingsView {
    fn of(settings: &Settings) -> Self {
        let current = settings.current();
        let refused = current.refused.iter();
        let mut unknown: BTreeMap<_, _> = refused
            .map(|(key, refused)| (key.clone(), RefusedView::from(refused)))
            .collect();
        let view = |(key, help, value): (Key, _, _)| {
            let view = SettingView {
                help,
                value,
                in_force: current.in_force.get(&key).map(InForceView::from),
                refused: unknown.remove(key.as_str()),
            };
            (key.to_string(), view)
        };
        let views = settings.all().into_iter().map(view).collect();
        Self {
            settings: views,
            unknown,
            sources: current.sources.iter().map(SourceView::from).collect(),
        }
    }
}

impl From<&InForce> for InForceView {
    fn from(value: &InForce) -> Self {
        Self {
            value: value.text.clone(),
            source: value.source.to_string(),
            changed_ms: value.changed_ms,
        }
    }
}

impl From<&Refused> for RefusedView {
    fn from(refused: &Refused) -> Self {
        Self {
            value: refused.text.clone(),
            source: refused.source.to_string(),
            reason: refused.reason.clone(),
            since_ms: refused.since_ms,
        }
    }
}

impl From<&SourceState> for SourceView {
    fn from(source: &SourceState) -> Self {
        Self {
            name: source.name.to_string(),
            heard_ms: source.heard_ms,
            failure: source.failure.clone(),
        }
    }
}
