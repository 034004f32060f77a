//! Bounds on requests: how many at once, and for how long.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::{Web, api::error::ApiError};

/// Answers 503 beyond the bound of requests at once, and after the bound of a request's time.
pub(crate) async fn bound(State(web): State<Web>, request: Request, next: Next) -> Response {
    let limits = &web.0.options;
    let Ok(_permit) = web.0.permits.try_acquire() else {
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
