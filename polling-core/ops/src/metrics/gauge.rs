//! Gauges that are asked for when somebody looks.

use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::{
    FutureExt as _,
    future::{BoxFuture, join_all},
};
use prometheus_client::{
    collector::Collector, encoding::DescriptorEncoder, metrics::MetricType,
    metrics::counter::Counter,
};
use tokio::time::{Instant, timeout};

use super::series::{OTHER, Series};

/// Longest wait for what is asked: shorter than a scrape may take.
pub const ASK_DEADLINE: Duration = Duration::from_secs(3);

/// Answers so young are told again: many that look at once ask the servers once.
pub const FRESH: Duration = Duration::from_secs(1);

/// A gauge whose values somebody knows: jobs in a store, messages in a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gauge {
    /// Its name, with its unit last.
    pub name: &'static str,
    /// What it tells.
    pub help: &'static str,
    /// The names of its labels.
    pub labels: &'static [&'static str],
}

/// What a gauge shows, for one set of values of its labels.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    gauge: &'static Gauge,
    labels: Vec<String>,
    value: f64,
}

impl Gauge {
    /// It shows `value`, for these values of its labels in their order; missing ones are empty.
    #[must_use]
    pub fn reading(&'static self, labels: &[&str], value: f64) -> Reading {
        let mut labels: Vec<_> = labels.iter().map(|&label| label.to_owned()).collect();
        labels.resize(self.labels.len(), String::new());
        Reading {
            gauge: self,
            labels,
            value,
        }
    }
}

type Ask = Arc<dyn Fn() -> BoxFuture<'static, Option<Vec<Reading>>> + Send + Sync>;

/// Who is asked, and what they answered last.
#[derive(Clone)]
pub(super) struct Gauges(Arc<Inner>);

struct Inner {
    askers: Mutex<Vec<(&'static str, Ask)>>,
    shown: Mutex<Shown>,
    asked: tokio::sync::Mutex<Option<Instant>>,
    unanswered: Series<0, 1, Counter>,
    max_series: usize,
}

/// By the gauge's name, then by the values of its labels.
type Shown = BTreeMap<&'static str, (&'static Gauge, BTreeMap<Vec<String>, f64>)>;

impl Gauges {
    pub(super) fn new(unanswered: Series<0, 1, Counter>, max_series: usize) -> Self {
        Self(Arc::new(Inner {
            askers: Mutex::default(),
            shown: Mutex::default(),
            asked: tokio::sync::Mutex::new(None),
            unanswered,
            max_series,
        }))
    }

    pub(super) fn add<F, Fut>(&self, what: &'static str, ask: F)
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Option<Vec<Reading>>> + Send + 'static,
    {
        let ask: Ask = Arc::new(move || ask().boxed());
        lock(&self.0.askers).push((what, ask));
    }

    /// Asks all at once, unless that was done just before. Who does not answer shows nothing: an old value would
    /// look like a true one.
    pub(super) async fn ask(&self) {
        let mut asked = self.0.asked.lock().await;
        if asked.is_some_and(|at| at.elapsed() < FRESH) {
            return;
        }
        let askers = lock(&self.0.askers).clone();
        let answers = askers.iter().map(|(what, ask)| async move {
            let answer = timeout(ASK_DEADLINE, ask()).await.ok().flatten();
            if answer.is_none() {
                self.0.unanswered.add([], [*what], 1);
            }
            answer.unwrap_or_default()
        });
        let readings = join_all(answers).await.into_iter().flatten();
        let shown = shown(readings, self.0.max_series);
        *lock(&self.0.shown) = shown;
        *asked = Some(Instant::now());
    }
}

/// Beyond `max_series` of a gauge the labels are [`OTHER`], and the values are added up.
fn shown(readings: impl Iterator<Item = Reading>, max_series: usize) -> Shown {
    let mut shown = Shown::new();
    for reading in readings {
        let (_, series) = shown
            .entry(reading.gauge.name)
            .or_insert_with(|| (reading.gauge, BTreeMap::new()));
        if series.len() < max_series || series.contains_key(&reading.labels) {
            series.insert(reading.labels, reading.value);
        } else {
            let other = vec![OTHER.to_owned(); reading.labels.len()];
            *series.entry(other).or_default() += reading.value;
        }
    }
    shown
}

impl Collector for Gauges {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for (gauge, series) in lock(&self.0.shown).values() {
            let help = format!("{}.", gauge.help);
            let mut metric =
                encoder.encode_descriptor(gauge.name, &help, None, MetricType::Gauge)?;
            for (values, value) in series {
                let labels: Vec<_> = gauge.labels.iter().copied().zip(values).collect();
                metric.encode_family(&labels)?.encode_gauge(value)?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Gauges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let asked: Vec<_> = lock(&self.0.askers).iter().map(|(what, _)| *what).collect();
        f.debug_struct("Gauges")
            .field("asked", &asked)
            .finish_non_exhaustive()
    }
}

/// Whatever is guarded is replaced or added to as a whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
