//! The series of one metric: looked up without an allocation, in a fixed order, and bounded.

use std::{
    cmp::Ordering,
    fmt,
    iter::zip,
    sync::{Arc, PoisonError, RwLock},
};

use prometheus_client::{
    encoding::{EncodeMetric, MetricEncoder},
    metrics::{MetricType, TypedMetric, counter::Counter, histogram::Histogram},
};

/// What stands for all names beyond the bound.
pub(super) const OTHER: &str = "other";

/// `N` labels whose values are names, of channels, job types or queues, and `K` whose values are written in
/// the code: those alone cannot grow without bound, and no id of a job or an account is one of them.
#[derive(Debug)]
pub(super) struct Series<const N: usize, const K: usize, M>(Arc<Inner<N, K, M>>);

#[derive(Debug)]
struct Inner<const N: usize, const K: usize, M> {
    names: [&'static str; N],
    kinds: [&'static str; K],
    max_series: usize,
    make: fn() -> M,
    /// Sorted by key: found by halving, and told in that order.
    sorted: RwLock<Vec<(Key<N, K>, M)>>,
}

type Key<const N: usize, const K: usize> = ([Box<str>; N], [&'static str; K]);

impl<const N: usize, const K: usize, M> Clone for Series<N, K, M> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<const N: usize, const K: usize, M> Series<N, K, M> {
    /// No series yet; without labels the only one there can be, so that it is told as 0.
    pub(super) fn new(
        names: [&'static str; N],
        kinds: [&'static str; K],
        max_series: usize,
        make: fn() -> M,
    ) -> Self {
        let series = Self(Arc::new(Inner {
            names,
            kinds,
            max_series,
            make,
            sorted: RwLock::new(Vec::new()),
        }));
        if N + K == 0 {
            series.with(std::array::from_fn(|_| ""), [""; K], |_| ());
        }
        series
    }

    /// Acts on the series of these values. Once there are as many as allowed, new names are [`OTHER`].
    pub(super) fn with<R>(
        &self,
        names: [&str; N],
        kinds: [&'static str; K],
        act: impl FnOnce(&M) -> R,
    ) -> R {
        let inner = &*self.0;
        {
            let sorted = inner.sorted.read().unwrap_or_else(PoisonError::into_inner);
            if let Ok(at) = find(&sorted, names, kinds) {
                return act(&sorted[at].1);
            }
        }
        let mut sorted = inner.sorted.write().unwrap_or_else(PoisonError::into_inner);
        let names = match find(&sorted, names, kinds) {
            Err(_) if sorted.len() >= inner.max_series => [OTHER; N],
            _ => names,
        };
        let at = find(&sorted, names, kinds).unwrap_or_else(|at| {
            let key = (names.map(Box::from), kinds);
            sorted.insert(at, (key, (inner.make)()));
            at
        });
        act(&sorted[at].1)
    }
}

fn find<const N: usize, const K: usize, M>(
    sorted: &[(Key<N, K>, M)],
    names: [&str; N],
    kinds: [&str; K],
) -> Result<usize, usize> {
    sorted.binary_search_by(|((these, of), _)| {
        let names = zip(these, &names).map(|(this, name)| compare(this, name));
        let kinds = zip(of, &kinds).map(|(this, kind)| compare(this, kind));
        let different = names.chain(kinds).find(|order| order.is_ne());
        different.unwrap_or(Ordering::Equal)
    })
}

/// An empty name is not compared byte by byte, which was measured to be slow where a label is mostly empty.
fn compare(this: &str, other: &str) -> Ordering {
    match this.is_empty() || other.is_empty() {
        true => this.len().cmp(&other.len()),
        false => this.cmp(other),
    }
}

impl<const N: usize, const K: usize> Series<N, K, Counter> {
    pub(super) fn add(&self, names: [&str; N], kinds: [&'static str; K], by: usize) {
        self.with(names, kinds, |counter| counter.inc_by(by as u64));
    }
}

impl<const N: usize, const K: usize> Series<N, K, Histogram> {
    pub(super) fn record(&self, names: [&str; N], kinds: [&'static str; K], value: f64) {
        self.with(names, kinds, |histogram| histogram.observe(value));
    }
}

impl<const N: usize, const K: usize, M: EncodeMetric + TypedMetric> EncodeMetric
    for Series<N, K, M>
{
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        let inner = &*self.0;
        let sorted = inner.sorted.read().unwrap_or_else(PoisonError::into_inner);
        for ((names, kinds), metric) in &*sorted {
            if N + K == 0 {
                return metric.encode(encoder);
            }
            let names = inner.names.iter().zip(names.iter().map(|name| &**name));
            let kinds = inner.kinds.iter().zip(kinds.iter().copied());
            let labels: Vec<_> = names
                .chain(kinds)
                .map(|(name, value)| (*name, value))
                .collect();
            metric.encode(encoder.encode_family(&labels)?)?;
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        M::TYPE
    }

    fn is_empty(&self) -> bool {
        let sorted = self.0.sorted.read();
        sorted.unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}
