use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use serde::Deserialize;

use super::{Http, Reading};

/// A Prometheus, by its HTTP API.
#[derive(Debug)]
pub struct Prometheus(Http);

#[derive(Deserialize)]
struct Answer {
    data: Data,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    result_type: String,
    result: Vec<Series>,
}

#[derive(Deserialize)]
struct Series {
    metric: BTreeMap<String, String>,
    value: (f64, String),
}

impl Prometheus {
    /// Nothing is asked yet.
    ///
    /// # Errors
    ///
    /// When there is no HTTP client to be had.
    pub fn at(url: &str) -> anyhow::Result<Self> {
        Http::new(url).map(Self)
    }

    /// What a query answers, now.
    ///
    /// # Errors
    ///
    /// When the query is wrong, answers no vector, or nobody answers.
    pub fn query(&self, query: &str) -> anyhow::Result<Vec<Reading>> {
        let answer: Answer = (self.0.get("api/v1/query", &[("query", query)]))
            .with_context(|| format!("Prometheus does not answer {query}"))?;
        if answer.data.result_type != "vector" {
            bail!("{query} is a {}, no vector", answer.data.result_type);
        }
        let reading = |series: Series| {
            let value = series.value.1.parse()?;
            Ok(Reading {
                labels: series.metric,
                value,
            })
        };
        answer.data.result.into_iter().map(reading).collect()
    }
}
