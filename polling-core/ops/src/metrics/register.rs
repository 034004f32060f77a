//! Metrics as they are made: registered, described, bounded.

use prometheus_client::{
    metrics::{counter::Counter, histogram::Histogram},
    registry::{Registry, Unit},
};

use super::series::Series;

/// What is told of a metric beside its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Its name as it is exported; a histogram's without `_bucket`, `_sum` and `_count`.
    pub name: String,
    /// `counter`, `gauge`, `histogram`.
    pub kind: &'static str,
    /// The names of its labels.
    pub labels: Vec<&'static str>,
    /// What it counts or measures.
    pub help: &'static str,
}

/// Makes metrics of one registry.
#[derive(Debug)]
pub(super) struct Register<'a> {
    pub(super) registry: &'a mut Registry,
    pub(super) described: &'a mut Vec<Description>,
    pub(super) max_series: usize,
}

impl Register<'_> {
    /// A counter; `_total` is added to its name.
    pub(super) fn counter<const N: usize, const K: usize>(
        &mut self,
        name: &'static str,
        help: &'static str,
        names: [&'static str; N],
        kinds: [&'static str; K],
    ) -> Series<N, K, Counter> {
        let series = Series::new(names, kinds, self.max_series, Counter::default);
        self.registry.register(name, help, series.clone());
        self.described.push(Description {
            name: format!("{name}_total"),
            kind: "counter",
            labels: [&names[..], &kinds[..]].concat(),
            help,
        });
        series
    }

    /// A histogram of seconds; `_seconds` is added to its name.
    pub(super) fn seconds<const N: usize, const K: usize>(
        &mut self,
        name: &'static str,
        help: &'static str,
        names: [&'static str; N],
        kinds: [&'static str; K],
        make: fn() -> Histogram,
    ) -> Series<N, K, Histogram> {
        self.histogram((name, "seconds"), help, names, kinds, make)
    }

    /// A histogram; its unit is added to its name.
    pub(super) fn histogram<const N: usize, const K: usize>(
        &mut self,
        (name, unit): (&'static str, &'static str),
        help: &'static str,
        names: [&'static str; N],
        kinds: [&'static str; K],
        make: fn() -> Histogram,
    ) -> Series<N, K, Histogram> {
        let series = Series::new(names, kinds, self.max_series, make);
        let told = Unit::Other(unit.to_owned());
        self.registry
            .register_with_unit(name, help, told, series.clone());
        self.described.push(Description {
            name: format!("{name}_{unit}"),
            kind: "histogram",
            labels: [&names[..], &kinds[..]].concat(),
            help,
        });
        series
    }
}
