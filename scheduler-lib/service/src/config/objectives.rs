//! What is promised of freshness.

use std::{collections::BTreeMap, time::Duration};

use polling_model::{ChannelId, ServiceLevel};
use polling_ops::objectives::{Measure, Objective};
use serde::Deserialize;

/// The objectives of a channel; none unless set.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Objectives {
    /// How old events may be when they are published, by service level.
    pub staleness: BTreeMap<ServiceLevel, Promise>,
    /// How late jobs may be sent.
    pub lateness: Option<Promise>,
}

/// A share within a bound.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Promise {
    /// The bound.
    #[serde(with = "scheduler_lib::duration")]
    pub within: Duration,
    /// The share that keeps it; 0.99 unless set.
    pub share: Option<f64>,
    /// The time over which the share is reckoned; 30 days unless set.
    #[serde(default, with = "scheduler_lib::duration::option")]
    pub period: Option<Duration>,
}

impl Objectives {
    /// Each of them, with its path below the channel's objectives.
    pub(super) fn of<'a>(
        &'a self,
        channel: &'a ChannelId,
    ) -> impl Iterator<Item = (Vec<&'a str>, Objective)> {
        let staleness = self.staleness.iter().map(move |(level, promise)| {
            let measure = Measure::Staleness {
                level: level.clone(),
            };
            let path = vec!["staleness", level.as_str()];
            (path, promise.objective(channel, measure))
        });
        let lateness = self.lateness.iter().map(move |promise| {
            let objective = promise.objective(channel, Measure::Lateness);
            (vec!["lateness"], objective)
        });
        staleness.chain(lateness)
    }
}

impl Promise {
    fn objective(&self, channel: &ChannelId, measure: Measure) -> Objective {
        let usual = Objective::new(channel.clone(), measure, self.within);
        Objective {
            share: self.share.unwrap_or(usual.share),
            period: self.period.unwrap_or(usual.period),
            ..usual
        }
    }
}
