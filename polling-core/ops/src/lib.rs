//! What an operator needs of schedulers and workers. One feature per module; none is on unless it is asked for.

#[cfg(feature = "health")]
pub mod health;

/// Runs the fences of the handbook's page.
#[cfg(all(doctest, feature = "health-grpc", feature = "health-http"))]
#[doc = include_str!("../../../docs/how-to/health.md")]
struct HealthPage;
