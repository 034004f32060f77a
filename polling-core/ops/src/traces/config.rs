//! What is kept, and how much of it at once.

use std::{sync::Arc, time::Duration};

use opentelemetry_sdk::Resource;
use polling_model::{Generator, SharedClock, SystemClock, TraceRatio};

/// What is kept, and how much of it at once.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TracesConfig {
    /// The name of the program, `service.name`.
    pub service: String,
    /// How many are kept whatever becomes of them, where the message that began it does not say; 1 % by default. The same
    /// in all processes: then they choose the same ones.
    pub ratio: TraceRatio,
    /// A job that took so long from when it was due to the end of its poll is kept; 5 min by default.
    pub slow: Duration,
    /// Most jobs a second that are kept for how they ended: in an outage all of them fail. 50 by default.
    pub max_unusual_per_s: u32,
    /// Jobs under way whose spans are recorded. 10 000 by default.
    pub max_open: usize,
    /// Spans of one job; further ones are dropped, and their number is told. 128 by default.
    pub max_spans: usize,
    /// Attributes of a span, and events of it. 32 by default.
    pub max_attributes: usize,
    /// Longest text of an attribute, in bytes. 1 KiB by default.
    pub max_text_size_bytes: usize,
    /// What was begun so long ago and has not ended is given up. 15 min by default.
    pub max_age: Duration,
    /// Spans that wait to be exported. 8 192 by default.
    pub max_waiting: usize,
    /// Spans of one call. 512 by default.
    pub max_batch: usize,
    /// Longest time until spans are exported. 1 s by default.
    pub every: Duration,
    /// What time it is.
    pub clock: SharedClock,
    /// Where span ids come from.
    pub generator: Generator,
}

impl TracesConfig {
    /// The defaults for a program of this name.
    #[must_use]
    pub fn new(service: impl Into<String>) -> Self {
        Self {
            service: service.into(),
            ratio: TraceRatio::new(0.01).expect("0.01 is between 0 and 1"),
            slow: Duration::from_secs(300),
            max_unusual_per_s: 50,
            max_open: 10_000,
            max_spans: 128,
            max_attributes: 32,
            max_text_size_bytes: 1_024,
            max_age: Duration::from_secs(15 * 60),
            max_waiting: 8_192,
            max_batch: 512,
            every: Duration::from_secs(1),
            clock: Arc::new(SystemClock),
            generator: Generator::from_os(),
        }
    }

    /// Another ratio.
    #[must_use]
    pub fn ratio(self, ratio: TraceRatio) -> Self {
        Self { ratio, ..self }
    }

    /// Another measure of what is slow.
    #[must_use]
    pub fn slow(self, slow: Duration) -> Self {
        Self { slow, ..self }
    }

    /// Another clock and another generator than the machine's.
    #[must_use]
    pub fn sources(self, clock: SharedClock, generator: Generator) -> Self {
        Self {
            clock,
            generator,
            ..self
        }
    }

    /// What is said of the program: its name, and what `OTEL_RESOURCE_ATTRIBUTES` has.
    pub(super) fn resource(&self) -> Resource {
        Resource::builder()
            .with_service_name(self.service.clone())
            .build()
    }
}
