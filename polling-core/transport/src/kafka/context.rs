//! What librdkafka calls back: delivery reports, errors of connections, log lines.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use rdkafka::{
    ClientContext,
    config::RDKafkaLogLevel,
    error::KafkaError,
    message::DeliveryResult,
    producer::{NoCustomPartitioner, ProducerContext},
    types::RDKafkaErrorCode,
};

use super::{
    error::{self, Trouble},
    report::Report,
};
use crate::bus::BusError;

/// What went wrong last with the connections, until a delivery shows that they work.
pub(super) struct Connections {
    brokers: String,
    broken: AtomicBool,
    trouble: Mutex<Option<Arc<Trouble>>>,
}

impl Connections {
    pub(super) fn to(brokers: &str) -> Arc<Self> {
        Arc::new(Self {
            brokers: brokers.to_owned(),
            broken: AtomicBool::new(false),
            trouble: Mutex::new(None),
        })
    }

    /// What may be behind a call that ran out of time.
    pub(super) fn trouble(&self) -> Option<Arc<Trouble>> {
        self.lock().clone()
    }

    fn note(&self, code: RDKafkaErrorCode, reason: &str) {
        let trouble = Trouble::new(&self.brokers, code, reason);
        let mut last = self.lock();
        // That all brokers are down says less than why the last of them is.
        if last.is_none() || code != RDKafkaErrorCode::AllBrokersDown {
            *last = Some(Arc::new(trouble));
        }
        self.broken.store(true, Ordering::Relaxed);
    }

    fn clear(&self) {
        if self.broken.swap(false, Ordering::Relaxed) {
            *self.lock() = None;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<Trouble>>> {
        // Replacing a value cannot panic half-way.
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The callbacks of one producer.
pub(super) struct Context {
    connections: Arc<Connections>,
}

impl Context {
    pub(super) fn new(connections: Arc<Connections>) -> Self {
        Self { connections }
    }
}

impl ProducerContext<NoCustomPartitioner> for Context {
    type DeliveryOpaque = Box<Report>;

    fn delivery(&self, result: &DeliveryResult<'_>, report: Box<Report>) {
        let outcome = match result {
            Ok(_) => {
                self.connections.clear();
                Ok(())
            }
            Err((error, _)) => Err(self.explain(error.clone(), &report)),
        };
        report.settle(outcome);
    }
}

impl Context {
    fn explain(&self, error: KafkaError, report: &Report) -> BusError {
        error::explain(report.topic().clone(), error, self.connections.trouble())
    }
}

impl ClientContext for Context {
    fn error(&self, error: KafkaError, reason: &str) {
        let code = error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail);
        if error::is_of_connection(code) {
            self.connections.note(code, reason);
        }
        tracing::warn!(target: "librdkafka", %error, reason, "trouble with Kafka");
    }

    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        match level {
            RDKafkaLogLevel::Emerg
            | RDKafkaLogLevel::Alert
            | RDKafkaLogLevel::Critical
            | RDKafkaLogLevel::Error => {
                tracing::error!(target: "librdkafka", facility, "{message}");
            }
            RDKafkaLogLevel::Warning => {
                tracing::warn!(target: "librdkafka", facility, "{message}");
            }
            RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info => {
                tracing::info!(target: "librdkafka", facility, "{message}");
            }
            RDKafkaLogLevel::Debug => tracing::debug!(target: "librdkafka", facility, "{message}"),
        }
    }

    fn stats_raw(&self, statistics: &[u8]) {
        let json = String::from_utf8_lossy(statistics);
        tracing::debug!(target: "librdkafka", %json, "statistics");
    }
}
