//! Health: named checks, told to Kubernetes, load balancers and people.
//!
//! ```
//! use std::sync::Arc;
//! use polling_model::SystemClock;
//! use polling_ops::health::{Health, State};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), polling_ops::health::HealthError> {
//! # async fn ping() -> Result<(), std::io::Error> { Ok(()) }
//! let health = Health::builder(Arc::new(SystemClock))
//!     .live("pump", || true)                   // fails: start the process anew
//!     .ready("store", || async { ping().await }) // fails: send no callers here
//!     .build()?;
//! let report = health.readiness().await;
//! assert_eq!(report.state(), State::Passing);
//! assert_eq!(report.checks["store"].reason, None);
//! # Ok(())
//! # }
//! ```
//!
//! | to tell it | feature | |
//! |---|---|---|
//! | over HTTP | `health-http` | `router.merge(health.router())`, or `health.serve_http(listener, stop)`: `/healthz`, `/readyz` |
//! | over gRPC | `health-grpc` | `server.add_service(health.grpc_service())`, or `health.serve_grpc(listener, stop)`: `grpc.health.v1.Health` |
//! | to the program itself | `health` | [`Health::watch`], [`Health::run`] |
//!
//! A check is asked when somebody asks for health, at most once at a time, and its answer holds for
//! a while ([`Check::cache`]): who asks often costs no more. It fails when it takes longer than its
//! [`Check::timeout`] or panics. With [`Health::run`] checks are asked in the background as well.
//!
//! **Liveness** is for what only a restart cures, such as a loop that stands still. **Readiness**
//! is for what callers would feel. A server that is away belongs to readiness: restarts do not bring
//! it back. What is **degraded** still serves; it shows in the report and in the log. Reasons go to
//! whoever may reach the port, so they must hold no secrets; see [`Verdict`].

mod builder;
mod check;
pub mod checks;
#[cfg(feature = "health-grpc")]
mod grpc;
#[cfg(feature = "health-http")]
mod http;
mod late;
mod reason;
mod report;
mod runner;
mod verdict;

#[cfg(feature = "health-grpc")]
pub use self::grpc::{GrpcHealth, MAX_WATCHES};
pub use self::{
    builder::{DEFAULT_INTERVAL, HealthBuilder, HealthError},
    check::{AtOnce, Check, CheckFn, DEFAULT_CACHE, DEFAULT_TIMEOUT, Later},
    reason::MAX_REASON_LEN,
    report::{CheckReport, Report},
    runner::Health,
    verdict::{State, Verdict},
};
#[cfg(any(feature = "health-http", feature = "health-grpc"))]
pub use crate::serve::{MAX_CONNECTIONS, SHUTDOWN_GRACE};

/// The service whose health is the process's readiness: gRPC's empty name.
pub const OVERALL: &str = "";

/// The service of all checks.
pub const READINESS: &str = "readiness";

/// The service of the checks for liveness.
pub const LIVENESS: &str = "liveness";
