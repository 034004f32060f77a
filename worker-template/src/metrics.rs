//! What the worker counts, and the route that tells it; without the feature `metrics` nobody counts.

#[cfg(feature = "metrics")]
pub(crate) use polling_ops::{metrics::Metrics, prometheus::router};

#[cfg(not(feature = "metrics"))]
pub(crate) use self::nobody::{Metrics, router};

#[cfg(not(feature = "metrics"))]
mod nobody {
    use std::sync::Arc;

    use axum::Router;
    use polling_core::SharedObserver;

    /// Counts nothing.
    #[derive(Debug, Clone)]
    pub(crate) struct Metrics;

    impl Metrics {
        pub(crate) fn new() -> Self {
            Self
        }

        pub(crate) fn observer(&self) -> SharedObserver {
            Arc::new(())
        }
    }

    /// No route.
    pub(crate) fn router(_: Metrics) -> Router {
        Router::new()
    }
}
