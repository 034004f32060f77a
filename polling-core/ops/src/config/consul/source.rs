//! Consul as a source.

use std::time::Duration;

use futures_util::{FutureExt as _, future::BoxFuture};
use tokio::time::{Instant, sleep_until};

use super::Consul;
use crate::config::{Found, Source, SourceError};

/// How long a query waits for a change.
pub const WAIT: Duration = Duration::from_secs(30);

/// Least time between two queries: writes elsewhere in Consul, and faults, may end them early.
pub const MIN_PERIOD: Duration = Duration::from_millis(200);

/// What is below a prefix in Consul.
#[derive(Debug)]
pub struct ConsulSource {
    consul: Consul,
    name: String,
    /// 0: the next query waits for nothing.
    index: u64,
    told: Option<Found>,
    next_query: Option<Instant>,
}

impl ConsulSource {
    pub(super) fn new(consul: Consul) -> Self {
        Self {
            name: format!("consul {}/{}", consul.address(), consul.prefix()),
            consul,
            index: 0,
            told: None,
            next_query: None,
        }
    }

    async fn query(&mut self) -> Result<Found, SourceError> {
        if let Some(at) = self.next_query {
            sleep_until(at).await;
        }
        self.next_query = Some(Instant::now() + MIN_PERIOD);
        let listed = self.consul.list_after(self.index, WAIT).await;
        let (entries, index) = listed.map_err(|error| {
            // Another server, or one that has lost its data, counts anew; and after an error it is asked without waiting.
            self.index = 0;
            SourceError::new("Consul does not tell its keys").because(error)
        })?;
        // As Consul's documentation asks: an index that went back, or is none, is not waited for.
        self.index = if index < self.index { 0 } else { index };
        let text = |entry: super::Entry| (entry.key, entry.text);
        Ok(entries.into_iter().map(text).collect())
    }
}

impl Source for ConsulSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn next(&mut self) -> BoxFuture<'_, Result<Found, SourceError>> {
        async {
            loop {
                match self.query().await {
                    // An index moves on with other keys of the prefix's store too.
                    Ok(found) if self.told.as_ref() == Some(&found) => {}
                    Ok(found) => {
                        self.told = Some(found.clone());
                        return Ok(found);
                    }
                    Err(error) => {
                        self.told = None;
                        return Err(error);
                    }
                }
            }
        }
        .boxed()
    }
}
