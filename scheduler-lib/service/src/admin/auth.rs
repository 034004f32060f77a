//! Who may call.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use subtle::ConstantTimeEq;

use super::{Api, error::ApiError};
use crate::secret::Secret;

/// Lets through who sends the token, or everybody where none is configured; that is only allowed
/// on loopback.
pub(super) async fn require_token(
    State(api): State<Api>,
    request: Request,
    next: Next,
) -> Response {
    match &api.0.limits.token {
        Some(token) if !has_token(request.headers(), token) => {
            let error = "send the admin token as `authorization: Bearer TOKEN`";
            ApiError::new(StatusCode::UNAUTHORIZED, error).into_response()
        }
        _ => next.run(request).await,
    }
}

/// Compares in constant time, so that the time of an answer tells nothing of the token but its
/// length.
fn has_token(headers: &HeaderMap, token: &Secret) -> bool {
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        return false;
    };
    let Some((scheme, sent)) = value.as_bytes().split_at_checked(b"Bearer ".len()) else {
        return false;
    };
    scheme.eq_ignore_ascii_case(b"Bearer ") && bool::from(sent.ct_eq(token.expose().as_bytes()))
}
