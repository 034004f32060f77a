use anyhow::Context as _;
use serde::Deserialize;

use super::{Http, Reading};

/// A Graphite, by its render API.
#[derive(Debug)]
pub struct Graphite(Http);

/// Most labels of a metric.
const MOST_LABELS: usize = 4;

/// How far back the last value is looked for.
const FROM: &str = "-10min";

#[derive(Deserialize)]
struct Series {
    target: String,
    datapoints: Vec<(Option<f64>, i64)>,
}

impl Graphite {
    /// Nothing is asked yet.
    ///
    /// # Errors
    ///
    /// When there is no HTTP client to be had.
    pub fn at(url: &str) -> anyhow::Result<Self> {
        Http::new(url).map(Self)
    }

    /// The last values of a metric, whatever its labels, below a prefix that may hold `*`.
    ///
    /// # Errors
    ///
    /// When nobody answers.
    pub fn last(&self, prefix: &str, metric: &str) -> anyhow::Result<Vec<Reading>> {
        let target = |labels| format!("{prefix}.{metric}{}", ".*.*".repeat(labels));
        let targets: Vec<_> = (0..=MOST_LABELS).map(target).collect();
        let mut asked = vec![("from", FROM), ("format", "json")];
        asked.extend(targets.iter().map(|target| ("target", target.as_str())));
        let found: Vec<Series> = (self.0.get("render", &asked))
            .with_context(|| format!("Graphite does not answer for {metric}"))?;
        let dot = format!(".{metric}");
        Ok(found
            .into_iter()
            .filter_map(|series| reading(&series, &dot))
            .collect())
    }
}

/// `PREFIX.METRIC.LABEL.VALUE.LABEL.VALUE`, unless it has no value.
fn reading(series: &Series, dot_metric: &str) -> Option<Reading> {
    let value = series
        .datapoints
        .iter()
        .rev()
        .find_map(|(value, _)| *value)?;
    let (_, labels) = series.target.split_once(dot_metric)?;
    let mut parts = labels.split('.').skip(1);
    let mut pairs = std::collections::BTreeMap::new();
    while let (Some(label), Some(value)) = (parts.next(), parts.next()) {
        pairs.insert(label.to_owned(), value.to_owned());
    }
    Some(Reading {
        labels: pairs,
        value,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_read_off_the_path_and_the_value_is_the_last() {
        let series = Series {
            target: "polling.run.alpha.polling_polls_total.job_type.posts.outcome.ok".to_owned(),
            datapoints: vec![(Some(1.0), 10), (Some(3.0), 11), (None, 12)],
        };
        let reading = reading(&series, ".polling_polls_total").unwrap();
        assert_eq!(reading.value, 3.0);
        let labels: Vec<_> = reading.labels.iter().map(|(a, b)| (&**a, &**b)).collect();
        assert_eq!(labels, [("job_type", "posts"), ("outcome", "ok")]);
    }
}
