//! What an operator needs of schedulers and workers. One feature per module; none is on unless it is asked for.

#[cfg(feature = "graphite")]
pub mod graphite;
#[cfg(feature = "health")]
pub mod health;
#[cfg(feature = "keda")]
pub mod keda;
#[cfg(feature = "metrics")]
pub mod metrics;
#[cfg(feature = "prometheus")]
pub mod prometheus;
#[cfg(feature = "scaling")]
pub mod scaling;

/// Runs the fences of the handbook's page.
#[cfg(all(doctest, feature = "prometheus"))]
#[doc = include_str!("../../../docs/how-to/metrics.md")]
struct MetricsPage;

/// Runs the fences of the handbook's page.
#[cfg(all(doctest, feature = "health-grpc", feature = "health-http"))]
#[doc = include_str!("../../../docs/how-to/health.md")]
struct HealthPage;
