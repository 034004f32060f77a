//! `/metrics`, for Prometheus and whoever reads its format.
//!
//! ```
//! use polling_ops::{metrics::Metrics, prometheus};
//!
//! let metrics = Metrics::new();
//! let app = axum::Router::<()>::new().merge(prometheus::router(metrics));
//! # drop(app);
//! ```

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};

use crate::metrics::Metrics;

/// What [`Metrics::scrape`] writes.
pub const TEXT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// One route, `GET /metrics`. It asks for no token: channels, queues and job types are named there, accounts are not.
pub fn router<S: Clone + Send + Sync + 'static>(metrics: Metrics) -> Router<S> {
    Router::new()
        .route("/metrics", get(scrape))
        .with_state(metrics)
}

async fn scrape(State(metrics): State<Metrics>) -> Response {
    match metrics.scrape().await {
        Ok(text) => ([(CONTENT_TYPE, TEXT)], text).into_response(),
        Err(_) => {
            let why = "a metric of this program's own cannot be written\n";
            (StatusCode::INTERNAL_SERVER_ERROR, why).into_response()
        }
    }
}
