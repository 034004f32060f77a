//! The probes of an orchestrator: `/healthz` says that jobs end, `/readyz` that what they need
//! answers.

use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use anyhow::Context as _;
use axum::Router;
use polling_core::{SystemClock, Worker, model::chain, transport::QueueError, worker::Pulse};
use polling_ops::health::{
    Health, HealthError,
    checks::{self, Late},
};
use tokio::{net::TcpListener, time::sleep};

/// Pause between two looks at what is missing.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// For so long what queues and bus answered holds: SQS charges for each question.
const ANSWERS_HOLD: Duration = Duration::from_secs(15);

/// A worker of whose jobs none has ended for so long is started anew; each has 5 min.
const STUCK_AFTER: Duration = Duration::from_secs(900);

/// What is asked about the worker. A queue or a bus that is away is no reason to start it anew.
#[derive(Debug)]
pub(crate) struct Probes {
    pub(crate) health: Health,
    pub(crate) work: Late,
    pub(crate) completed: Late,
    pub(crate) bus: Late,
    #[cfg(feature = "settings")]
    pub(crate) settings: Late,
    pulse: Arc<OnceLock<Pulse>>,
}

impl Probes {
    /// Answers at `address`, and `routes` beside, for as long as the process lives.
    pub(crate) async fn serve(address: SocketAddr, routes: Router) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(address);
        let listener = listener
            .await
            .with_context(|| format!("cannot listen at {address}"))?;
        tracing::info!(address = %listener.local_addr()?, "answering probes");
        let probes = Self::new()?;
        let router = probes.health.router().merge(routes);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(probes)
    }

    pub(crate) fn new() -> Result<Self, HealthError> {
        let pulse = Arc::new(OnceLock::<Pulse>::new());
        let beating = Arc::clone(&pulse);
        let waiting_since_ms = move || beating.get()?.waiting_since_ms();
        let pump = checks::stuck("pump", Arc::new(SystemClock), STUCK_AFTER, waiting_since_ms);
        let mut health = Health::builder(Arc::new(SystemClock)).check(pump.for_liveness());
        let [work, completed, bus] = ["work queue", "completed queue", "bus"].map(checks::late);
        for check in [work.0, completed.0, bus.0] {
            health = health.check(check.cache(ANSWERS_HOLD));
        }
        #[cfg(feature = "settings")]
        let (health, settings) = {
            let (check, settings) = checks::late("settings");
            (health.check(check), settings)
        };
        Ok(Self {
            health: health.build()?,
            work: work.1,
            completed: completed.1,
            bus: bus.1,
            #[cfg(feature = "settings")]
            settings,
            pulse,
        })
    }

    /// The queue, once `connect` finds it. Meanwhile `late` says what is lacking.
    #[cfg_attr(not(any(feature = "sqs", feature = "redis")), allow(dead_code))]
    pub(crate) async fn until<Q>(
        late: &Late,
        connect: impl AsyncFn() -> Result<Q, QueueError>,
    ) -> Q {
        loop {
            match connect().await {
                Ok(queue) => return queue,
                Err(error) => {
                    let lacking = chain(&error);
                    tracing::warn!(lacking, "waiting");
                    late.lacks(lacking);
                    sleep(LOOK_AGAIN).await;
                }
            }
        }
    }

    /// Waits until all answers that `worker` needs. What does not is in the log.
    pub(crate) async fn await_ready(&self, worker: &Worker) {
        let _ = self.pulse.set(worker.pulse());
        while !self.health.readiness().await.serves() {
            sleep(LOOK_AGAIN).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use polling_core::transport::{QueueErrorKind, memory::MemoryQueue};
    use polling_ops::health::Check;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_is_alive_before_it_is_ready_and_ready_until_it_stops() {
        let probes = Probes::new().unwrap();
        let (alive, ready) = (
            async || probes.health.liveness().await.serves(),
            async || probes.health.readiness().await.serves(),
        );
        assert!(alive().await && !ready().await);
        #[cfg(feature = "settings")]
        probes.settings.found(Check::new("found", || true));
        for late in [&probes.work, &probes.completed, &probes.bus] {
            late.found(Check::new("found", || true));
        }
        tokio::time::sleep(ANSWERS_HOLD).await;
        assert!(ready().await);
        probes.health.stop_serving();
        assert!(alive().await && !ready().await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_queue_is_waited_for_and_a_probe_hears_what_is_lacking() {
        let probes = Probes::new().unwrap();
        let attempts = Cell::new(0);
        let connect = async || {
            attempts.set(attempts.get() + 1);
            match attempts.get() {
                3 => Ok(MemoryQueue::builder("posts", Arc::new(SystemClock)).build()),
                _ => Err(QueueError {
                    queue: "posts".to_owned(),
                    operation: "connect",
                    kind: QueueErrorKind::NoSuchQueue,
                    source: None,
                }),
            }
        };
        Probes::until(&probes.work, connect).await;
        assert_eq!(attempts.get(), 3);
        let report = probes.health.readiness().await;
        let reason = report.checks["work queue"].reason.as_deref().unwrap();
        assert!(reason.contains("posts"), "{reason}");
    }
}
