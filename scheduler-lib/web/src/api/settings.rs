//! Settings that change while the scheduler runs.

use std::{fmt::Display, sync::Arc};

use axum::{
    Extension, Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    body::{Asked, At, Body},
    error::{ApiError, Problem},
};
use crate::{
    Web,
    access::{Caller, Note},
    settings::{
        Change, ChangeError, MAX_REASON_LEN, PastView, RefusedView, SettingView, SettingsView,
        Steering, WrittenView,
    },
    suggest,
};

/// `GET /v1/settings`: what may be changed, what is in force and since when, and what was refused.
pub(super) async fn list(State(web): State<Web>) -> Json<SettingsView> {
    let view = web.0.settings.as_ref().map(|settings| settings.overview());
    Json(view.unwrap_or_default())
}

/// One setting, or what stands under a key that is none.
#[derive(Serialize, JsonSchema)]
pub(super) struct OneView {
    key: String,
    #[serde(flatten)]
    setting: Option<SettingView>,
    /// Why a key that is no setting is not taken up.
    #[serde(skip_serializing_if = "Option::is_none")]
    unknown: Option<RefusedView>,
    /// What is written where settings can be changed; null if nothing is, left out if none can.
    #[serde(skip_serializing_if = "Option::is_none")]
    written: Option<Option<WrittenView>>,
}

/// `GET /v1/settings/{key}`.
pub(super) async fn show(
    State(web): State<Web>,
    At(key): At<String>,
) -> Result<Json<OneView>, ApiError> {
    let steering = steering(&web)?;
    let mut view = steering.overview();
    let (setting, unknown) = (view.settings.remove(&key), view.unknown.remove(&key));
    if setting.is_none() && unknown.is_none() {
        return Err(no_such(&key, &view));
    }
    let written = match steering.written(&key).await {
        Ok(written) => Some(written),
        Err(ChangeError::ReadOnly) => None,
        Err(error) => return Err(error.into()),
    };
    Ok(Json(OneView {
        key,
        setting,
        unknown,
        written,
    }))
}

/// What is asked for.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    value: String,
    /// Asked for below, with why it is needed.
    #[serde(default)]
    reason: String,
    modify_index: Option<u64>,
}

/// `PUT /v1/settings/{key}`: changes it where it is kept, for all replicas.
pub(super) async fn set(
    State(web): State<Web>,
    At(key): At<String>,
    caller: Caller,
    Body(wanted): Body<Wanted>,
) -> Result<Response, Response> {
    let value = Some(wanted.value);
    change(&web, key, caller, value, wanted.reason, wanted.modify_index).await
}

/// Why it is given up.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Unwanted {
    #[serde(default)]
    reason: String,
    modify_index: Option<u64>,
}

/// `DELETE /v1/settings/{key}?reason=…`: back to what the next source says, or the static value.
pub(super) async fn unset(
    State(web): State<Web>,
    At(key): At<String>,
    caller: Caller,
    Asked(why): Asked<Unwanted>,
) -> Result<Response, Response> {
    change(&web, key, caller, None, why.reason, why.modify_index).await
}

/// The changes of a setting.
#[derive(Serialize, JsonSchema)]
pub(super) struct HistoryView {
    /// Newest first.
    history: Vec<PastView>,
}

/// `GET /v1/settings/{key}/history`: who changed it here, when and why.
pub(super) async fn history(
    State(web): State<Web>,
    At(key): At<String>,
) -> Result<Json<HistoryView>, ApiError> {
    let history = steering(&web)?.history(&key).await?;
    Ok(Json(HistoryView { history }))
}

/// A change that was made.
#[derive(Serialize, JsonSchema)]
pub(super) struct MadeView {
    key: String,
    /// What is written since; null if nothing.
    written: Option<WrittenView>,
}

/// A conflict, with what is there now.
#[derive(Serialize, JsonSchema)]
pub(super) struct Conflict {
    #[serde(flatten)]
    problem: Problem,
    written: Option<WrittenView>,
}

/// Makes a change, and answers with what is written since.
async fn change(
    web: &Web,
    key: String,
    caller: Caller,
    value: Option<String>,
    reason: String,
    seen: Option<u64>,
) -> Result<Response, Response> {
    let steering = steering(web).map_err(IntoResponse::into_response)?;
    let reason = checked(&reason).map_err(IntoResponse::into_response)?;
    let note = match &value {
        Some(value) => format!("{value}: {reason}"),
        None => format!("given up: {reason}"),
    };
    let change = Change {
        key: key.clone(),
        value,
        by: caller.name.to_string(),
        reason,
    };
    let made = match seen {
        Some(index) => steering.change_if(change, index).await,
        None => steering.change(change).await,
    };
    match made {
        Ok(()) => {
            let written = steering.written(&key).await;
            let written = written.map_err(|error| ApiError::from(error).into_response())?;
            let made = MadeView { key, written };
            Ok((Extension(Note(note)), Json(made)).into_response())
        }
        Err(error @ ChangeError::Conflict) => Err(conflict(steering, &key, &error).await),
        Err(error) => Err(ApiError::from(error).into_response()),
    }
}

async fn conflict(steering: &Arc<dyn Steering>, key: &str, error: &impl Display) -> Response {
    match steering.written(key).await {
        Ok(written) => {
            let problem = ApiError::new(StatusCode::CONFLICT, error.to_string()).problem;
            (StatusCode::CONFLICT, Json(Conflict { problem, written })).into_response()
        }
        Err(error) => ApiError::from(error).into_response(),
    }
}

fn checked(reason: &str) -> Result<String, ApiError> {
    let reason = reason.trim();
    match reason.len() {
        0 => Err(
            ApiError::bad_request("say why: whoever looks at it later will ask").field("reason"),
        ),
        1..=MAX_REASON_LEN => Ok(reason.to_owned()),
        found => {
            let what = format!("it has {found} bytes: at most {MAX_REASON_LEN} are allowed");
            Err(ApiError::bad_request(what).field("reason"))
        }
    }
}

fn steering(web: &Web) -> Result<&Arc<dyn Steering>, ApiError> {
    web.0
        .settings
        .as_ref()
        .ok_or_else(|| ChangeError::ReadOnly.into())
}

fn no_such(key: &str, view: &SettingsView) -> ApiError {
    let known: Vec<_> = view.settings.keys().map(String::as_str).collect();
    let hint = suggest::nearest(key, known);
    let hint = hint.map_or_else(String::new, |key| format!(": did you mean {key:?}?"));
    ApiError::not_found(format!(
        "no setting that may change is called {key:?}{hint}"
    ))
}

impl From<ChangeError> for ApiError {
    fn from(error: ChangeError) -> Self {
        let text = error.to_string();
        match error {
            ChangeError::ReadOnly => Self::new(StatusCode::NOT_IMPLEMENTED, text),
            ChangeError::Refused(_) => Self::bad_request(text).field("value"),
            ChangeError::Conflict => Self::new(StatusCode::CONFLICT, text),
            ChangeError::Unavailable(_) => Self::unavailable(text),
        }
    }
}
