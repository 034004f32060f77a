//! Settings that change while the scheduler runs, as whoever keeps them shows them.

use std::{collections::BTreeMap, fmt};

use futures_util::future::{BoxFuture, ready};
use schemars::JsonSchema;
use serde::Serialize;

/// Longest reason of a change, bytes.
pub const MAX_REASON_LEN: usize = 1000;

/// Who keeps the settings of a scheduler.
pub trait Steering: fmt::Debug + Send + Sync {
    /// How they are at present.
    fn overview(&self) -> SettingsView;

    /// Whether a value, or with `None` giving up the one in force, would take effect.
    ///
    /// # Errors
    ///
    /// Why it would be refused.
    fn check(&self, key: &str, value: Option<&str>) -> Result<(), String>;

    /// Changes a setting where it is kept. It takes effect once the source tells of it, within a second.
    fn change(&self, change: Change) -> BoxFuture<'_, Result<(), ChangeError>> {
        let _ = change;
        Box::pin(ready(Err(ChangeError::ReadOnly)))
    }

    /// The same, only if what is written there is as it was when it had this index; 0 for nothing.
    fn change_if(
        &self,
        change: Change,
        modify_index: u64,
    ) -> BoxFuture<'_, Result<(), ChangeError>> {
        let _ = (change, modify_index);
        Box::pin(ready(Err(ChangeError::ReadOnly)))
    }

    /// What is written of a setting where [`change`](Self::change) would write, right or wrong; `None` if nothing.
    fn written<'a>(
        &'a self,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Option<WrittenView>, ChangeError>> {
        let _ = key;
        Box::pin(ready(Err(ChangeError::ReadOnly)))
    }

    /// The changes of a setting that were made by [`change`](Self::change), newest first.
    fn history<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Vec<PastView>, ChangeError>> {
        let _ = key;
        Box::pin(ready(Err(ChangeError::ReadOnly)))
    }
}

/// A change that somebody asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Of which setting.
    pub key: String,
    /// To what; `None` gives up what the source lays over.
    pub value: Option<String>,
    /// Who asks.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// Why a setting was not changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeError {
    /// No source of settings can be written.
    #[error(
        "no source of settings can be written here; name Consul under [settings], or change the file that the scheduler reads"
    )]
    ReadOnly,
    /// There is no such setting, or the value is not right.
    #[error("{0}")]
    Refused(String),
    /// Somebody else changed it at the same time.
    #[error("somebody else changed it at the same time; look at it again")]
    Conflict,
    /// The source did not answer.
    #[error("{0}; whether it took effect is unknown")]
    Unavailable(String),
}

/// All settings.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct SettingsView {
    /// Every setting that may be changed, by key.
    pub settings: BTreeMap<String, SettingView>,
    /// What sources hold under keys that name no setting.
    pub unknown: BTreeMap<String, RefusedView>,
    /// Weakest first; none if the configuration names none.
    pub sources: Vec<SourceView>,
    /// Why what they say is not kept for the next start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unkept: Option<String>,
}

/// A setting.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct SettingView {
    /// What it is.
    pub help: &'static str,
    /// In the static configuration, or by default.
    #[serde(rename = "static", skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// What a source has laid over it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_force: Option<InForceView>,
    /// What cannot take effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<RefusedView>,
}

/// A value that a source has laid over a static one.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct InForceView {
    /// As it is written there.
    pub value: String,
    /// The source's name.
    pub source: String,
    /// Since when it is in force, UTC milliseconds.
    pub changed_ms: i64,
}

/// A value that cannot take effect.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RefusedView {
    /// As it is written; none if the setting was to be given up.
    pub value: Option<String>,
    /// The source's name.
    pub source: String,
    /// Why, and what would be right.
    pub reason: String,
    /// Since when, UTC milliseconds.
    pub since_ms: i64,
}

/// How a source is.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct SourceView {
    /// Its name.
    pub name: String,
    /// When it last answered, UTC milliseconds; null if it never did.
    pub heard_ms: Option<i64>,
    /// When an earlier run heard what holds of it, UTC milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recalled_ms: Option<i64>,
    /// Why what it said last is in force instead of what it holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// What is written of a setting, whether it is in force or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WrittenView {
    /// As it is written.
    pub value: String,
    /// Changes with each write.
    pub modify_index: u64,
}

/// A change that was made.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PastView {
    /// When, UTC milliseconds.
    pub at_ms: i64,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
    /// What was there before; null if nothing.
    pub from: Option<String>,
    /// What is there since; null if nothing.
    pub to: Option<String>,
}
