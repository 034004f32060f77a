//! What `--check` tells, of the configuration with which this scheduler runs.

use axum::{Json, extract::State};

use super::{Api, error::ApiError};
use crate::check::{self, Report};

/// `GET /v1/check`: opens every server and queue that the configuration names, beside those that are
/// in use. 200 with problems, too.
pub(super) async fn check(State(api): State<Api>) -> Result<Json<Report>, ApiError> {
    let Some(config) = api.0.config.get() else {
        let error = "this scheduler was embedded without a configuration that could be checked";
        return Err(ApiError::not_found(error));
    };
    Ok(Json(check::check(config, &api.0.clock).await))
}
