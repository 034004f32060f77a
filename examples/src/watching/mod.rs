//! Prometheus and Graphite, asked what they were told.

mod graphite;
mod prometheus;

use std::{collections::BTreeMap, time::Duration};

use reqwest::{Client, Url};
use serde::de::DeserializeOwned;
use tokio::runtime::{Builder, Runtime};

pub use self::{graphite::Graphite, prometheus::Prometheus};

/// The longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// A series, and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Its labels; those of Graphite as they are in the path.
    pub labels: BTreeMap<String, String>,
    /// What it is.
    pub value: f64,
}

/// GET requests, one at a time.
#[derive(Debug)]
struct Http {
    runtime: Runtime,
    client: Client,
    base: String,
}

impl Http {
    fn new(base: &str) -> anyhow::Result<Self> {
        // Built together with `polling_core::http`, reqwest wants somebody to choose its cryptography, though nothing is
        // encrypted here. Whoever was first wins.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Ok(Self {
            runtime: Builder::new_current_thread().enable_all().build()?,
            client: Client::builder().timeout(PATIENCE).build()?,
            base: base.trim_end_matches('/').to_owned(),
        })
    }

    fn get<T: DeserializeOwned>(&self, path: &str, asked: &[(&str, &str)]) -> anyhow::Result<T> {
        let url = Url::parse_with_params(&format!("{}/{path}", self.base), asked)?;
        let body = self.runtime.block_on(async {
            let response = self.client.get(url).send().await?;
            response.error_for_status()?.bytes().await
        })?;
        Ok(serde_json::from_slice(&body)?)
    }
}
