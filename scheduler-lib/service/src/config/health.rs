//! Health, beyond `/healthz` and `/readyz` of the admin server.

use std::net::SocketAddr;

use serde::Deserialize;

/// Where health is told besides.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Health {
    /// An address at which `grpc.health.v1.Health` is answered. It tells states only, so it needs
    /// no token.
    pub grpc_listen: Option<SocketAddr>,
}
