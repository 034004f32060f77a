//! How workers are scaled.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use polling_model::{ChannelId, JobType};
use polling_ops::scaling::ScalingRules;
use serde::{Deserialize, Serialize};

use super::fields;

/// Scaling: for which job types, and who is told.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Scaling {
    /// The address on which KEDA is answered; nobody unless set.
    pub keda_listen: Option<SocketAddr>,
    /// Between two decisions on a job type.
    #[serde(deserialize_with = "fields::deadline")]
    pub every: Duration,
    /// The job types whose workers are counted, by channel.
    pub channels: BTreeMap<ChannelId, BTreeMap<JobType, JobTypeScaling>>,
}

impl Default for Scaling {
    fn default() -> Self {
        Self {
            keda_listen: None,
            every: Duration::from_secs(10),
            channels: BTreeMap::new(),
        }
    }
}

/// The rules of a job type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobTypeScaling(#[serde(with = "Rules")] pub ScalingRules);

/// As they are written.
#[derive(Serialize, Deserialize)]
#[serde(
    remote = "ScalingRules",
    default = "ScalingRules::default",
    deny_unknown_fields
)]
struct Rules {
    min: u32,
    max: u32,
    #[serde(with = "fields::deadlines")]
    objective: Duration,
    #[serde(with = "fields::deadlines")]
    start: Duration,
    rate_per_s: f64,
    concurrency: u32,
    utilisation: f64,
    step_up: u32,
    step_down: u32,
    #[serde(with = "fields::deadlines")]
    down_after: Duration,
    hysteresis: f64,
    #[serde(with = "fields::deadlines")]
    half_life: Duration,
}
