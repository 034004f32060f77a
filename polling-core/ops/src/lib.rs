//! What an operator needs of schedulers and workers. One feature per module; none is on unless it is asked for.

#[cfg(feature = "alerts")]
pub mod alerts;
#[cfg(feature = "clients")]
pub mod clients;
#[cfg(feature = "config")]
pub mod config;
#[cfg(feature = "graphite")]
pub mod graphite;
#[cfg(feature = "health")]
pub mod health;
#[cfg(feature = "keda")]
pub mod keda;
#[cfg(feature = "tower")]
pub mod layer;
#[cfg(feature = "logs")]
pub mod logs;
#[cfg(feature = "metrics")]
pub mod metrics;
#[cfg(feature = "objectives")]
pub mod objectives;
#[cfg(feature = "otlp")]
pub mod otlp;
#[cfg(feature = "prometheus")]
pub mod prometheus;
#[cfg(feature = "scaling")]
pub mod scaling;
#[cfg(any(feature = "health-http", feature = "health-grpc", feature = "keda"))]
mod serve;
#[cfg(feature = "traces")]
pub mod traces;

/// Runs the fences of the handbook's page.
#[cfg(all(doctest, feature = "logs", feature = "traces"))]
#[doc = include_str!("../../../docs/how-to/tracing.md")]
struct TracingPage;

/// Runs the fences of the handbook's page.
#[cfg(all(doctest, feature = "prometheus"))]
#[doc = include_str!("../../../docs/how-to/metrics.md")]
struct MetricsPage;

/// Runs the fences of the handbook's page.
#[cfg(all(doctest, feature = "health-grpc", feature = "health-http"))]
#[doc = include_str!("../../../docs/how-to/health.md")]
struct HealthPage;
