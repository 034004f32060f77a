//! Programs that use clients as they are, wrapped in one place: every call is in the scrape.
#![allow(clippy::unwrap_used)]

mod aws;
mod kafka;
mod redis;

use std::{collections::BTreeMap, env};

use polling_ops::metrics::{Metrics, samples};

/// The address of a real server, which must then be there.
fn address(variable: &str) -> String {
    env::var(variable)
        .unwrap_or_else(|_| panic!("{variable} is not set: eval \"$(dev/services env)\""))
}

/// What a scrape tells of one client.
#[derive(Debug, Default)]
struct Told {
    /// Calls by operation.
    calls: BTreeMap<String, u64>,
    /// Seconds that they took, by operation.
    seconds: BTreeMap<String, f64>,
    /// Requests by operation.
    requests: BTreeMap<String, u64>,
    /// Errors, `OPERATION WORD`.
    errors: BTreeMap<String, u64>,
}

async fn told(metrics: &Metrics, client: &str) -> Told {
    let text = metrics.scrape().await.unwrap();
    let mut told = Told::default();
    for sample in samples(&text) {
        let label = |wanted: &str| {
            let mut labels = sample.labels.iter();
            labels
                .find(|(name, _)| *name == wanted)
                .map(|(_, value)| value.clone())
        };
        if label("name").as_deref() != Some(client) {
            continue;
        }
        let operation = label("operation").unwrap();
        match sample.name {
            "polling_port_call_duration_seconds_count" => {
                told.calls.insert(operation, sample.value as u64);
            }
            "polling_port_call_duration_seconds_sum" => {
                told.seconds.insert(operation, sample.value);
            }
            "polling_client_requests_total" => {
                told.requests.insert(operation, sample.value as u64);
            }
            "polling_port_call_errors_total" => {
                let error = format!("{operation} {}", label("error").unwrap());
                told.errors.insert(error, sample.value as u64);
            }
            _ => {}
        }
    }
    told
}
