//! What goes wrong, as callers see it.

use std::borrow::Cow;

use axum::{
    Json,
    http::{HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use polling_model::ContextError;
use scheduler_lib::{RegistryError, StoreError};
use schemars::JsonSchema;
use serde::Serialize;

use polling_model::chain;

/// After so many seconds a failed call may be repeated.
const RETRY_AFTER_S: &str = "1";

/// An answer that is not the one asked for.
#[derive(Debug)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    pub(crate) problem: Problem,
}

/// The body of the answer.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Problem {
    /// What is wrong, and what to do.
    pub(crate) error: String,
    /// The field of the request that is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) field: Option<Cow<'static, str>>,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Self {
            status,
            problem: Problem {
                error: error.into(),
                field: None,
            },
        }
    }

    pub(crate) fn bad_request(error: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error)
    }

    pub(crate) fn not_found(error: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, error)
    }

    pub(crate) fn too_large(error: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, error)
    }

    pub(crate) fn unavailable(error: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, error)
    }

    pub(crate) fn field(mut self, field: impl Into<Cow<'static, str>>) -> Self {
        self.problem.field = Some(field.into()).filter(|field| !field.is_empty());
        self
    }
}

impl From<RegistryError> for ApiError {
    fn from(error: RegistryError) -> Self {
        let text = chain(&error);
        match error {
            RegistryError::Unknown { .. } | RegistryError::UnknownMessage { .. } => {
                Self::not_found(text)
            }
            RegistryError::UnknownJobType { .. } => Self::bad_request(text).field("job_type"),
            RegistryError::Rule(rule) => {
                let field = rule.field().to_owned();
                Self::bad_request(rule.to_string()).field(field)
            }
            RegistryError::Context(ContextError::TooLarge { .. }) => {
                Self::too_large(text).field("context")
            }
            RegistryError::Context(_) => Self::bad_request(text).field("context"),
            RegistryError::Store(StoreError::Cursor(_)) => Self::bad_request(text).field("after"),
            RegistryError::Store(StoreError::Corrupt { .. }) => {
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, text)
            }
            _ => Self::unavailable(text),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        if self.status.is_server_error() {
            tracing::warn!(
                status = self.status.as_u16(),
                error = self.problem.error,
                "a request failed"
            );
        }
        let extra = match self.status {
            StatusCode::SERVICE_UNAVAILABLE => {
                Some((header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_S)))
            }
            StatusCode::UNAUTHORIZED => {
                Some((header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")))
            }
            _ => None,
        };
        let mut response = (self.status, Json(self.problem)).into_response();
        if let Some((name, value)) = extra {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

pub(crate) async fn no_such_path(uri: Uri) -> ApiError {
    ApiError::not_found(format!(
        "no such path: {}; an id in a path needs %2F for / and %25 for %",
        uri.path()
    ))
}

pub(crate) async fn no_such_method(method: Method, uri: Uri) -> ApiError {
    let error = format!("{} does not take {method}", uri.path());
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_that_is_away_is_told_with_its_cause_and_when_to_repeat() {
        let error = RegistryError::Store(StoreError::Unavailable {
            step: "register",
            address: "10.0.0.7:6379".to_owned(),
            source: "connection refused".into(),
        });
        let error = ApiError::from(error);
        assert_eq!(
            error.problem.error,
            "the registry's store failed: register on the store at 10.0.0.7:6379 failed; its outcome is unknown: connection refused"
        );
        let response = error.into_response();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[header::RETRY_AFTER], RETRY_AFTER_S);
    }
}
