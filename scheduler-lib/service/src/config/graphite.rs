//! Where metrics are pushed to.

use std::time::Duration;

use polling_ops::graphite::GraphiteConfig;
use serde::Deserialize;

use super::fields;

/// Metrics pushed to Graphite, beside `/metrics`.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Graphite {
    /// `host:port` of carbon's plaintext listener; nothing is pushed without.
    pub address: Option<String>,
    /// Before each name; `{host}` is this machine's.
    pub prefix: String,
    /// Time between two pushes.
    #[serde(deserialize_with = "fields::deadline")]
    pub every: Duration,
}

impl Default for Graphite {
    fn default() -> Self {
        Self {
            address: None,
            prefix: "polling.{host}.scheduler".to_owned(),
            every: Duration::from_secs(10),
        }
    }
}

impl Graphite {
    /// How to push, if it is wanted.
    #[must_use]
    pub fn pushes(&self) -> Option<GraphiteConfig> {
        let config = GraphiteConfig::new(self.address.as_ref()?, &self.prefix);
        Some(config.variable("host", super::host()).every(self.every))
    }
}
