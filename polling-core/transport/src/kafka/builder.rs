//! How a bus is made.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use super::{
    Inner, KafkaBus, context::Connections, error::KafkaConfigError, in_flight::InFlight,
    producer::Producers, settings,
};

/// How long an event may take to be delivered.
pub const DEFAULT_KAFKA_DEADLINE: Duration = Duration::from_secs(30);

/// The shortest deadline, which librdkafka looks at once a second.
const MIN_DEADLINE: Duration = Duration::from_secs(1);

/// The longest: a day.
const MAX_DEADLINE: Duration = Duration::from_secs(86_400);

/// Builds a [`KafkaBus`].
#[derive(Clone)]
#[must_use]
pub struct KafkaBusBuilder {
    brokers: String,
    deadline: Duration,
    settings: BTreeMap<String, String>,
}

impl KafkaBusBuilder {
    pub(super) fn new(brokers: String) -> Self {
        Self {
            brokers,
            deadline: DEFAULT_KAFKA_DEADLINE,
            settings: BTreeMap::new(),
        }
    }

    /// How long an event may take from being taken to its delivery report, and how long
    /// publishing waits for room while nothing is delivered: 1 s to a day, default
    /// [`DEFAULT_KAFKA_DEADLINE`].
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline.clamp(MIN_DEADLINE, MAX_DEADLINE);
        self
    }

    /// One of librdkafka's settings, by its name there. It replaces the SDK's default.
    pub fn set(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.insert(name.into(), value.into());
        self
    }

    /// Many of librdkafka's settings, as [`set`](Self::set) does it.
    pub fn settings(mut self, settings: BTreeMap<String, String>) -> Self {
        self.settings.extend(settings);
        self
    }

    /// The bus. It connects in the background: that brokers cannot be reached shows when
    /// publishing, and in [`check_topic`](crate::EventBus::check_topic).
    ///
    /// # Errors
    ///
    /// [`KafkaConfigError`] that names the setting at fault.
    pub fn build(self) -> Result<KafkaBus, KafkaConfigError> {
        let settings = settings::check(&self.brokers, self.deadline, &self.settings)?;
        let connections = Connections::to(&self.brokers);
        let longest = self.deadline + super::REPORT_GRACE;
        Ok(KafkaBus {
            inner: Arc::new(Inner {
                brokers: self.brokers,
                deadline: self.deadline,
                in_flight: InFlight::new(settings.max_messages),
                producers: Producers::start(settings.client, connections, longest)?,
            }),
        })
    }
}

/// Settings by name only: values may be secret.
impl fmt::Debug for KafkaBusBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaBusBuilder")
            .field("brokers", &self.brokers)
            .field("deadline", &self.deadline)
            .field("settings", &self.settings.keys())
            .finish()
    }
}
