//! One librdkafka producer with the thread that serves its callbacks, and its replacement after a
//! fatal error.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use rdkafka::{
    ClientConfig,
    error::KafkaError,
    producer::{BaseProducer, Producer as _},
};
use tokio::time::Instant;

use super::{
    context::{Connections, Context},
    error::KafkaConfigError,
    settings,
};

/// How often the thread looks whether it should end; callbacks are served at once.
const SERVE_INTERVAL: Duration = Duration::from_millis(100);

/// The shortest time between two producers: a cluster that refuses each at once is not pestered.
const REPLACE_INTERVAL: Duration = Duration::from_secs(1);

/// A producer and its thread. Dropping it blocks nobody: the thread goes on until what was taken
/// is reported, and destroys the client itself.
pub(super) struct Served {
    // The thread ends after the flag is set, and must be the last to hold the client: the order
    // of these fields is that of their drops.
    pub(super) client: Arc<BaseProducer<Context>>,
    _stop: StopOnDrop,
}

struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

impl Served {
    fn start(
        config: &ClientConfig,
        connections: Arc<Connections>,
        longest: Duration,
    ) -> Result<Self, KafkaConfigError> {
        let client: BaseProducer<Context> = config
            .create_with_context(Context::new(connections))
            .map_err(settings::refused)?;
        let client = Arc::new(client);
        let stop = Arc::new(AtomicBool::new(false));
        let (served, stopped) = (Arc::clone(&client), Arc::clone(&stop));
        thread::Builder::new()
            .name("kafka-reports".to_owned())
            .spawn(move || serve(&served, &stopped, longest))
            .map_err(|error| KafkaConfigError::Refused {
                reason: format!("no thread for delivery reports: {error}"),
            })?;
        Ok(Self {
            client,
            _stop: StopOnDrop(stop),
        })
    }
}

fn serve(client: &BaseProducer<Context>, stopped: &AtomicBool, longest: Duration) {
    while !stopped.load(Ordering::Acquire) {
        client.poll(SERVE_INTERVAL);
    }
    // librdkafka reports everything within its deadline; the bound is a second fence.
    let most = longest.as_millis() / SERVE_INTERVAL.as_millis() + 1;
    for _ in 0..most {
        if client.in_flight_count() == 0 {
            return;
        }
        client.poll(SERVE_INTERVAL);
    }
}

/// The producer of a bus, replaced when it is broken for good.
pub(super) struct Producers {
    config: ClientConfig,
    pub(super) connections: Arc<Connections>,
    /// How long a retired producer may take to report what it took.
    longest: Duration,
    current: Mutex<(Arc<Served>, Instant)>,
}

impl Producers {
    pub(super) fn start(
        config: ClientConfig,
        connections: Arc<Connections>,
        longest: Duration,
    ) -> Result<Self, KafkaConfigError> {
        let first = Served::start(&config, connections.clone(), longest)?;
        Ok(Self {
            config,
            connections,
            longest,
            current: Mutex::new((Arc::new(first), Instant::now())),
        })
    }

    pub(super) fn config(&self) -> &ClientConfig {
        &self.config
    }

    pub(super) fn current(&self) -> Arc<Served> {
        Arc::clone(&self.lock().0)
    }

    /// A producer in place of `broken`, which reports what it had taken as failed. `None` when
    /// that is not possible now.
    pub(super) fn replace(&self, broken: &Arc<Served>) -> Option<Arc<Served>> {
        let mut current = self.lock();
        if !Arc::ptr_eq(&current.0, broken) {
            return Some(Arc::clone(&current.0));
        }
        if current.1.elapsed() < REPLACE_INTERVAL {
            return None;
        }
        match Served::start(&self.config, self.connections.clone(), self.longest) {
            Ok(fresh) => {
                let error = fatal_error(broken);
                tracing::error!(error, "replaced a Kafka producer after its fatal error");
                *current = (Arc::new(fresh), Instant::now());
                Some(Arc::clone(&current.0))
            }
            Err(error) => {
                tracing::error!(%error, "a broken Kafka producer cannot be replaced");
                None
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, (Arc<Served>, Instant)> {
        // Replacing a value cannot panic half-way.
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What broke the producer for good, in librdkafka's words.
pub(super) fn fatal_error(producer: &Served) -> Option<String> {
    let (code, reason) = producer.client.client().fatal_error()?;
    Some(format!("{}: {reason}", KafkaError::Global(code)))
}
