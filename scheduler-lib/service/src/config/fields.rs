//! Fields that are checked as they are read, so that an error has their path.

use std::time::Duration;

use polling_model::SlotRing;
use scheduler_lib::duration;
use serde::{Deserializer, de};

/// A slot's width as a duration.
pub(super) fn ring<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SlotRing, D::Error> {
    let width = duration::deserialize(deserializer)?;
    let width_ms = i64::try_from(width.as_millis()).unwrap_or(i64::MAX);
    SlotRing::new(width_ms).map_err(de::Error::custom)
}

/// A duration within bounds that every deadline of this service respects.
pub(super) fn deadline<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    const MIN: Duration = Duration::from_millis(100);
    const MAX: Duration = Duration::from_secs(3600);
    duration::deserialize_within(deserializer, MIN, MAX)
}

/// The same to read and to write.
pub(super) mod deadlines {
    pub(in crate::config) use super::deadline as deserialize;
    pub(in crate::config) use scheduler_lib::duration::serialize;
}

/// A visibility timeout: SQS counts whole seconds, up to twelve hours.
pub(super) fn visibility<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    const MIN: Duration = Duration::from_secs(1);
    duration::deserialize_within(deserializer, MIN, polling_transport::sqs::MAX_VISIBILITY)
}
