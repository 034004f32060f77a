//! Changing a worker that runs.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::watch;

use super::{Pace, Tuning};
use crate::{
    model::chain,
    publish::Throttle,
    rate_limit::{Pacer, Replicas},
    worker::{ConfigError, WorkerConfig, config::positive},
};

/// Changes a worker while it runs. Clones change the same one.
#[derive(Clone)]
pub struct Tuner(Arc<Inner>);

struct Inner {
    /// As the worker was built, for what does not change.
    config: WorkerConfig,
    queues: usize,
    live: Live,
    /// What holds; locked for as long as a change of all takes.
    tuning: Mutex<Tuning>,
}

/// The parts of a worker that take changes.
pub(in crate::worker) struct Live {
    pub(in crate::worker) concurrency: watch::Sender<usize>,
    pub(in crate::worker) replicas: Replicas,
    pub(in crate::worker) throttle: Throttle,
    pub(in crate::worker) paces: Paces,
}

/// Paces by the names that they are changed by.
pub(in crate::worker) type Paces = BTreeMap<String, Arc<Pacer>>;

impl Tuner {
    pub(in crate::worker) fn new(config: WorkerConfig, queues: usize, live: Live) -> Self {
        let paces = live.paces.iter();
        let tuning = Tuning {
            concurrency: config.concurrency,
            replicas: config.replicas,
            publish_rate: config.publish_rate,
            paces: paces
                .map(|(name, pacer)| (name.clone(), Pace::of(pacer.quota())))
                .collect(),
        };
        Self(Arc::new(Inner {
            config,
            queues,
            live,
            tuning: Mutex::new(tuning),
        }))
    }

    /// What holds: as the worker was built, until it is changed.
    #[must_use]
    pub fn tuning(&self) -> Tuning {
        let tuning = self.0.tuning.lock();
        tuning.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether the worker could take it up.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for the first thing that is out of its bounds.
    pub fn check(&self, tuning: &Tuning) -> Result<(), ConfigError> {
        let Inner {
            config,
            queues,
            live,
            ..
        } = &*self.0;
        let config = WorkerConfig {
            concurrency: tuning.concurrency,
            replicas: tuning.replicas,
            publish_rate: tuning.publish_rate,
            ..config.clone()
        };
        config.validate()?;
        config.validate_queues(*queues)?;
        for (name, pace) in &tuning.paces {
            let Some(pacer) = live.paces.get(name) else {
                let names: Vec<_> = live.paces.keys().map(String::as_str).collect();
                return Err(ConfigError::new(
                    format!("paces.{name}"),
                    "no pace of this worker".to_owned(),
                    format!("one that it was built with ({})", names.join(", ")),
                ));
            };
            if Pace::of(pacer.quota()) != *pace {
                pace.validate(name)?;
            }
        }
        Ok(())
    }

    /// Has the worker take it up: more jobs at once, and a change of a pace, from now on; fewer jobs as those under way end.
    ///
    /// # Errors
    ///
    /// As of [`check`](Self::check); then nothing has changed.
    pub fn set(&self, tuning: Tuning) -> Result<(), ConfigError> {
        self.check(&tuning)?;
        let live = &self.0.live;
        let held = self.0.tuning.lock();
        let mut held = held.unwrap_or_else(PoisonError::into_inner);
        let paces: BTreeMap<_, _> = held.paces.clone().into_iter().chain(tuning.paces).collect();
        let tuning = Tuning { paces, ..tuning };
        if *held == tuning {
            return Ok(());
        }
        if held.concurrency != tuning.concurrency {
            live.concurrency.send_replace(tuning.concurrency);
        }
        if held.replicas != tuning.replicas {
            live.replicas.set(positive(tuning.replicas));
        }
        if held.publish_rate != tuning.publish_rate {
            live.throttle.set_rate(positive(tuning.publish_rate));
        }
        for (name, pace) in &tuning.paces {
            if held.paces.get(name) != Some(pace)
                && let Some(pacer) = live.paces.get(name)
            {
                pacer.set_quota(pace.quota(), &live.replicas);
            }
        }
        tracing::info!(?tuning, "the worker is tuned");
        *held = tuning;
        Ok(())
    }

    /// Takes up what `values` hold, now and after each change, until their sender is gone. What is out of bounds is told in
    /// the log, and what held before stays.
    ///
    /// ```
    /// # use polling_core::{Worker, worker::Tuning};
    /// # fn example(worker: &Worker, settings: tokio::sync::watch::Receiver<Tuning>) {
    /// tokio::spawn(worker.tuner().follow(settings, Tuning::clone));
    /// # }
    /// ```
    pub async fn follow<T>(self, mut values: watch::Receiver<T>, tuning: impl Fn(&T) -> Tuning) {
        loop {
            let wanted = tuning(&values.borrow_and_update());
            if let Err(error) = self.set(wanted) {
                tracing::warn!(
                    error = chain(&error),
                    "the worker cannot be tuned so: it stays as it is"
                );
            }
            if values.changed().await.is_err() {
                return;
            }
        }
    }

    /// Tells how many jobs may be under way, now and after each change.
    pub(in crate::worker) fn concurrency(&self) -> watch::Receiver<usize> {
        self.0.live.concurrency.subscribe()
    }

    pub(in crate::worker) fn replicas(&self) -> Replicas {
        self.0.live.replicas.clone()
    }
}

impl fmt::Debug for Tuner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tuner").field(&self.tuning()).finish()
    }
}
