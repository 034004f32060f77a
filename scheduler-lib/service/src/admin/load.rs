//! Bounds on requests: how many at once, and for how long.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{Api, error::ApiError};

/// Answers 503 beyond the bound of requests at once, and after the bound of a request's time.
pub(super) async fn bound(State(api): State<Api>, request: Request, next: Next) -> Response {
    let limits = &api.0.limits;
    let Ok(_permit) = api.0.permits.try_acquire() else {
        let error = format!(
            "as many requests as allowed are under way ({}); try again",
            limits.max_requests
        );
        return ApiError::unavailable(error).into_response();
    };
    match tokio::time::timeout(limits.request_timeout, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::unavailable(format!(
            "no answer within {}; whether it took effect is unknown, it can be repeated",
            scheduler_lib::duration::text(limits.request_timeout)
        ))
        .into_response(),
    }
}
