//! Calls of servers and clients, as a scrape tells them.
#![allow(clippy::unwrap_used)]

mod grpc;
mod http;

use std::collections::BTreeMap;

use polling_ops::metrics::{Metrics, samples};

/// How many calls a scrape tells, by `ROUTE STATUS ERROR KIND`.
async fn calls(metrics: &Metrics, metric: &str) -> BTreeMap<String, u64> {
    let text = metrics.scrape().await.unwrap();
    let count = format!("{metric}_count");
    let told = samples(&text).filter(|sample| sample.name == count);
    told.map(|sample| {
        let values = sample.labels.iter().map(|(_, value)| match value.as_str() {
            "" => "-",
            value => value,
        });
        (values.collect::<Vec<_>>().join(" "), sample.value as u64)
    })
    .collect()
}

fn expected<const N: usize>(calls: [(&str, u64); N]) -> BTreeMap<String, u64> {
    calls.map(|(call, count)| (call.to_owned(), count)).into()
}
