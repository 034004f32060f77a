//! Where an OpenTelemetry collector is, and what it is told.

use std::time::Duration;

use polling_model::TraceRatio;
use polling_ops::{
    otlp::OtlpConfig,
    traces::{TracesConfig, check_endpoint},
};
use serde::{Deserialize, Deserializer, de};

use super::fields;

/// A collector that speaks OTLP over gRPC.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Otlp {
    /// Such as `http://127.0.0.1:4317`; nothing is told without.
    #[serde(deserialize_with = "endpoint")]
    pub endpoint: Option<String>,
    /// Whether it is told metrics, beside `/metrics`.
    pub metrics: bool,
    /// Time between two pushes of metrics.
    #[serde(deserialize_with = "fields::deadline")]
    pub metrics_every: Duration,
    /// Whether it is told the traces of jobs, and messages carry them.
    pub traces: bool,
    /// How many traces are kept whatever becomes of them.
    #[serde(deserialize_with = "ratio")]
    pub trace_ratio: TraceRatio,
    /// What took so long is kept besides, as are failures.
    #[serde(deserialize_with = "fields::deadline")]
    pub trace_slow: Duration,
}

impl Default for Otlp {
    fn default() -> Self {
        let TracesConfig { ratio, slow, .. } = TracesConfig::new(SERVICE);
        Self {
            endpoint: None,
            metrics: true,
            metrics_every: Duration::from_secs(10),
            traces: true,
            trace_ratio: ratio,
            trace_slow: slow,
        }
    }
}

/// The program's name, as the collector is told it.
const SERVICE: &str = "scheduler";

impl Otlp {
    /// Where metrics go and how, if they do.
    #[must_use]
    pub fn exports_metrics(&self) -> Option<OtlpConfig> {
        let endpoint = self.endpoint.as_deref().filter(|_| self.metrics)?;
        let config = OtlpConfig::new(endpoint, SERVICE);
        Some(config.instance(super::host()).every(self.metrics_every))
    }

    /// Where traces go and how, if they do.
    #[must_use]
    pub fn exports_traces(&self) -> Option<(&str, TracesConfig)> {
        let endpoint = self.endpoint.as_deref().filter(|_| self.traces)?;
        let config = TracesConfig::new(SERVICE);
        Some((
            endpoint,
            config.ratio(self.trace_ratio).slow(self.trace_slow),
        ))
    }
}

fn endpoint<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let endpoint = String::deserialize(deserializer)?;
    check_endpoint(&endpoint).map_err(de::Error::custom)?;
    Ok(Some(endpoint))
}

fn ratio<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TraceRatio, D::Error> {
    TraceRatio::new(f64::deserialize(deserializer)?).map_err(de::Error::custom)
}
