//! Settings that change while the scheduler runs.

use axum::{Json, extract::State};

use crate::{Web, settings::SettingsView};

/// `GET /v1/settings`: what may be changed, what is in force and since when, and what was refused.
pub(super) async fn list(State(web): State<Web>) -> Json<SettingsView> {
    let view = web.0.settings.as_ref().map(|settings| settings.overview());
    Json(view.unwrap_or_default())
}
