//! The text of a scrape as OTLP's messages.

use opentelemetry_proto::tonic::{
    common::v1::{AnyValue, KeyValue, any_value},
    metrics::v1::{
        AggregationTemporality, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint, Sum,
        metric::Data, number_data_point::Value,
    },
};

use crate::metrics::{Sample, samples};

/// Each metric of a text in the format of OpenMetrics, with its help and its unit. What is no number is left out.
pub(super) fn convert(text: &str, started_ms: i64, now_ms: i64) -> Vec<Metric> {
    let times = Times {
        started_ns: nanos(started_ms),
        now_ns: nanos(now_ms),
    };
    let families = families(text).into_iter();
    families
        .filter_map(|family| family.metric(&times))
        .collect()
}

/// Points of a metric.
pub(super) fn points(metric: &Metric) -> usize {
    match &metric.data {
        Some(Data::Gauge(gauge)) => gauge.data_points.len(),
        Some(Data::Sum(sum)) => sum.data_points.len(),
        Some(Data::Histogram(histogram)) => histogram
            .data_points
            .iter()
            .map(|point| point.bucket_counts.len())
            .sum(),
        _ => 0,
    }
}

pub(super) fn attribute(key: &str, value: &str) -> KeyValue {
    let value = any_value::Value::StringValue(value.to_owned());
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}

struct Times {
    started_ns: u64,
    now_ns: u64,
}

/// What the text says of one metric.
#[derive(Default)]
struct Family<'a> {
    name: &'a str,
    help: &'a str,
    unit: &'a str,
    kind: &'a str,
    samples: Vec<Sample<'a>>,
}

fn families(text: &str) -> Vec<Family<'_>> {
    let mut families: Vec<Family<'_>> = Vec::new();
    for line in text.lines() {
        let Some(comment) = line.strip_prefix("# ") else {
            if let Some(family) = families.last_mut() {
                family.samples.extend(samples(line));
            }
            continue;
        };
        let mut words = comment.splitn(3, ' ');
        let (Some(word), Some(name)) = (words.next(), words.next()) else {
            continue; // the end
        };
        if families.last().is_none_or(|family| family.name != name) {
            let family = Family {
                name,
                ..Family::default()
            };
            families.push(family);
        }
        let said = words.next().unwrap_or_default();
        if let Some(family) = families.last_mut() {
            match word {
                "HELP" => family.help = said,
                "UNIT" => family.unit = said,
                "TYPE" => family.kind = said,
                _ => {}
            }
        }
    }
    families
}

impl Family<'_> {
    fn metric(self, times: &Times) -> Option<Metric> {
        let (name, help, unit) = (self.name, self.help, self.unit);
        let data = match self.kind {
            "counter" => Data::Sum(Sum {
                data_points: self.numbers(times),
                aggregation_temporality: AggregationTemporality::Cumulative.into(),
                is_monotonic: true,
            }),
            "histogram" => Data::Histogram(Histogram {
                data_points: self.histograms(times),
                aggregation_temporality: AggregationTemporality::Cumulative.into(),
            }),
            _ => Data::Gauge(Gauge {
                data_points: self.numbers(times),
            }),
        };
        let metric = Metric {
            name: name.to_owned(),
            description: help.to_owned(),
            // As UCUM has it.
            unit: if unit == "seconds" { "s" } else { unit }.to_owned(),
            data: Some(data),
            ..Metric::default()
        };
        (points(&metric) > 0).then_some(metric)
    }

    fn numbers(self, times: &Times) -> Vec<NumberDataPoint> {
        let samples = self.samples.into_iter();
        let numbers = samples.filter(|sample| sample.value.is_finite());
        numbers
            .map(|sample| NumberDataPoint {
                attributes: attributes(&sample.labels),
                start_time_unix_nano: times.started_ns,
                time_unix_nano: times.now_ns,
                value: Some(Value::AsDouble(sample.value)),
                ..NumberDataPoint::default()
            })
            .collect()
    }

    /// Series by series: sum, count, then the buckets from the least bound on, each with what is below its bound.
    fn histograms(self, times: &Times) -> Vec<HistogramDataPoint> {
        let mut series: Vec<(Vec<(&str, String)>, HistogramDataPoint)> = Vec::new();
        for mut sample in self.samples {
            let bound = sample.labels.iter().position(|(label, _)| *label == "le");
            let bound = bound.map(|at| sample.labels.remove(at).1);
            if series
                .last()
                .is_none_or(|(labels, _)| *labels != sample.labels)
            {
                let point = HistogramDataPoint {
                    attributes: attributes(&sample.labels),
                    start_time_unix_nano: times.started_ns,
                    time_unix_nano: times.now_ns,
                    ..HistogramDataPoint::default()
                };
                series.push((sample.labels, point));
            }
            let Some((_, point)) = series.last_mut() else {
                continue;
            };
            match (sample.name.strip_prefix(self.name), bound) {
                (Some("_sum"), _) => point.sum = Some(sample.value),
                (Some("_count"), _) => point.count = sample.value as u64,
                (Some("_bucket"), Some(bound)) => {
                    let below: u64 = point.bucket_counts.iter().sum();
                    let within = (sample.value as u64).saturating_sub(below);
                    point.bucket_counts.push(within);
                    if let Ok(bound @ f64::MIN..=f64::MAX) = bound.parse() {
                        point.explicit_bounds.push(bound);
                    }
                }
                _ => {}
            }
        }
        series.into_iter().map(|(_, point)| point).collect()
    }
}

fn attributes(labels: &[(&str, String)]) -> Vec<KeyValue> {
    labels
        .iter()
        .map(|(label, value)| attribute(label, value))
        .collect()
}

/// Nothing is before 1970.
fn nanos(at_ms: i64) -> u64 {
    u64::try_from(at_ms).unwrap_or(0).saturating_mul(1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# HELP a Things.\n# TYPE a counter\na_total{x=\"1\"} 3\na_total{x=\"2\"} 4\n\
                        # HELP b How long.\n# TYPE b_seconds histogram\n# UNIT b_seconds seconds\n\
                        b_seconds_sum{x=\"1\"} 2.5\nb_seconds_count{x=\"1\"} 4\n\
                        b_seconds_bucket{le=\"0.5\",x=\"1\"} 1\nb_seconds_bucket{le=\"1.0\",x=\"1\"} 3\n\
                        b_seconds_bucket{le=\"+Inf\",x=\"1\"} 4\n\
                        # HELP c How many.\n# TYPE c gauge\nc 1.5\nc{x=\"2\"} NaN\n# TYPE d gauge\n# EOF\n";

    #[test]
    fn a_text_becomes_its_metrics() {
        let metrics = convert(TEXT, 1, 2);
        let names: Vec<_> = metrics.iter().map(|metric| &*metric.name).collect();
        assert_eq!(names, ["a", "b_seconds", "c"], "d has no point");
        let Some(Data::Sum(sum)) = &metrics[0].data else {
            panic!("{metrics:?}");
        };
        assert!(sum.is_monotonic);
        let values: Vec<_> = sum.data_points.iter().map(|point| point.value).collect();
        assert_eq!(
            values,
            [Some(Value::AsDouble(3.0)), Some(Value::AsDouble(4.0))]
        );
        assert_eq!(sum.data_points[0].start_time_unix_nano, 1_000_000);
        assert_eq!(sum.data_points[0].time_unix_nano, 2_000_000);
        assert_eq!(sum.data_points[1].attributes, [attribute("x", "2")]);
        let Some(Data::Gauge(gauge)) = &metrics[2].data else {
            panic!("{metrics:?}");
        };
        assert_eq!(gauge.data_points.len(), 1, "no number, no point");
    }

    #[test]
    fn buckets_are_told_apart_and_add_up_to_the_count() {
        let metrics = convert(TEXT, 1, 2);
        let Some(Data::Histogram(histogram)) = &metrics[1].data else {
            panic!("{metrics:?}");
        };
        assert_eq!(metrics[1].unit, "s");
        let [point] = &histogram.data_points[..] else {
            panic!("{histogram:?}");
        };
        assert_eq!((point.count, point.sum), (4, Some(2.5)));
        assert_eq!(point.bucket_counts, [1, 2, 1]);
        assert_eq!(point.explicit_bounds, [0.5, 1.0]);
        assert_eq!(point.attributes, [attribute("x", "1")]);
    }
}
