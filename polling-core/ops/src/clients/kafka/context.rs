//! What librdkafka calls back, told and passed on.

use std::{
    error::Error,
    fmt,
    ops::Deref,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use polling_model::{Observation, SharedClock, SharedObserver, SystemClock};
use rdkafka::{
    ClientContext, Message as _, Statistics,
    client::OAuthToken,
    config::RDKafkaLogLevel,
    error::KafkaError,
    message::{DeliveryResult, Timestamp},
    producer::{Partitioner, ProducerContext},
};

use super::{error::error_word, statistics::Totals};

const PORT: &str = "kafka";

/// A context in front of another: each callback is told, then passed on.
///
/// A context with callbacks for rebalances implements [`ConsumerCallbacks`](super::ConsumerCallbacks) for them.
pub struct MonitoredContext<C> {
    inner: C,
    name: Arc<str>,
    observer: SharedObserver,
    clock: SharedClock,
    totals: Mutex<Totals>,
}

impl<C> MonitoredContext<C> {
    /// Tells what a client does as done by `name`; to `observer`, which must be fast.
    #[must_use]
    pub fn new(inner: C, name: impl Into<Arc<str>>, observer: SharedObserver) -> Self {
        Self {
            inner,
            name: name.into(),
            observer,
            clock: Arc::new(SystemClock),
            totals: Mutex::default(),
        }
    }

    /// Another clock than the system's, to tell from timestamps how long deliveries took.
    #[must_use]
    pub fn clock(mut self, clock: SharedClock) -> Self {
        self.clock = clock;
        self
    }

    /// The context itself.
    #[must_use]
    pub fn into_inner(self) -> C {
        self.inner
    }

    pub(super) fn called(&self, operation: &str, error: Option<&'static str>, elapsed: Duration) {
        self.observer.observe(Observation::Called {
            port: PORT,
            name: &self.name,
            operation,
            error,
            elapsed,
        });
    }

    pub(super) fn sent(&self, operation: &str, error: Option<&'static str>, requests: usize) {
        self.observer.observe(Observation::Sent {
            port: PORT,
            name: &self.name,
            operation,
            error,
            requests,
        });
    }

    fn delivered(&self, result: &DeliveryResult<'_>) {
        let (message, error) = match result {
            Ok(message) => (message, None),
            Err((error, message)) => (message, Some(error_word(error))),
        };
        let since_ms = match message.timestamp() {
            Timestamp::CreateTime(at_ms) => self.clock.now_ms().saturating_sub(at_ms),
            Timestamp::LogAppendTime(_) | Timestamp::NotAvailable => 0,
        };
        let elapsed = Duration::from_millis(u64::try_from(since_ms).unwrap_or(0));
        self.called("deliver", error, elapsed);
    }
}

impl<C: ClientContext> ClientContext for MonitoredContext<C> {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = C::ENABLE_REFRESH_OAUTH_TOKEN;

    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.inner.log(level, facility, message);
    }

    fn stats(&self, statistics: Statistics) {
        self.inner.stats(statistics);
    }

    fn stats_raw(&self, statistics: &[u8]) {
        if let Ok(told) = serde_json::from_slice::<Statistics>(statistics) {
            let totals = self.totals.lock();
            // Each step of it leaves totals that are true.
            let mut totals = totals.unwrap_or_else(PoisonError::into_inner);
            totals.tell(&told, self);
        }
        self.inner.stats_raw(statistics);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.sent("client", Some(error_word(&error)), 1);
        self.inner.error(error, reason);
    }

    fn generate_oauth_token(&self, config: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        self.inner.generate_oauth_token(config)
    }
}

impl<P: Partitioner, C: ProducerContext<P>> ProducerContext<P> for MonitoredContext<C> {
    type DeliveryOpaque = C::DeliveryOpaque;

    fn delivery(&self, result: &DeliveryResult<'_>, opaque: Self::DeliveryOpaque) {
        self.delivered(result);
        self.inner.delivery(result, opaque);
    }

    fn get_custom_partitioner(&self) -> Option<&P> {
        self.inner.get_custom_partitioner()
    }
}

impl<C> Deref for MonitoredContext<C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.inner
    }
}

/// Without the context, which may hold secrets.
impl<C> fmt::Debug for MonitoredContext<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MonitoredContext")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
