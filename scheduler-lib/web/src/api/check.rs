//! What `--check` tells, of the configuration with which this scheduler runs.

use axum::{Json, extract::State};
use serde_json::Value;

use super::error::ApiError;
use crate::Web;

/// `GET /v1/check`: opens every server and queue that the configuration names, beside those that are
/// in use. 200 with problems, too.
pub(super) async fn check(State(web): State<Web>) -> Result<Json<Value>, ApiError> {
    let Some(check) = &web.0.check else {
        let error = "this scheduler was embedded without a configuration that could be checked";
        return Err(ApiError::not_found(error));
    };
    Ok(Json(check().await))
}
