//! A client of the schedulers' admin servers, as a product would have one: it asks any of them, and
//! repeats what was not answered.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context as _, bail};
use reqwest::{Client, Method};
use serde::Deserialize;
use tokio::time::{Instant, sleep};

use crate::http;

/// Deadline of one call.
const CALL: Duration = Duration::from_secs(4);

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(200);

/// Registrations of one request.
const BATCH: usize = 500;

/// The admin servers of one stage.
#[derive(Debug, Clone)]
pub struct Admin {
    urls: Vec<String>,
    http: Client,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub text: String,
}

/// What one scheduler process has done, as it tells.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub struct Status {
    /// Jobs dispatched.
    pub dispatched: u64,
    /// Completions accepted.
    pub accepted: u64,
    /// Jobs whose place was mended.
    pub repaired: u64,
    /// Jobs reaped.
    pub reaped: u64,
    /// Dead letters settled.
    pub dead_letters: u64,
    /// Jobs sent again.
    pub resent: u64,
}

#[derive(Deserialize)]
struct Channel {
    status: Status,
}

impl Admin {
    /// `urls` end with the channel's name.
    ///
    /// # Errors
    ///
    /// When the client cannot be built.
    pub fn new(urls: Vec<String>) -> anyhow::Result<Self> {
        let http = http::client(CALL)?;
        Ok(Self { urls, http })
    }

    /// Only the scheduler with this number.
    #[must_use]
    pub fn of(&self, scheduler: usize) -> Self {
        Self {
            urls: vec![self.urls[scheduler].clone()],
            http: self.http.clone(),
        }
    }

    /// One call to the scheduler with this number, or the one that comes round.
    ///
    /// # Errors
    ///
    /// Without an answer.
    pub async fn call(
        &self,
        scheduler: usize,
        method: Method,
        path: &str,
        body: &str,
    ) -> anyhow::Result<Answer> {
        let url = &self.urls[scheduler % self.urls.len()];
        let mut request = self.http.request(method, format!("{url}{path}"));
        if !body.is_empty() {
            request = request.body(body.to_owned());
        }
        let response = request.send().await?;
        let status = response.status().as_u16();
        let text = response.text().await?;
        Ok(Answer { status, text })
    }

    /// Repeats a call, to one scheduler after the other, until it is answered with anything but
    /// "later". Every call may be repeated.
    ///
    /// # Errors
    ///
    /// Without an answer within `patience`.
    pub async fn insist(
        &self,
        mut scheduler: usize,
        method: Method,
        path: &str,
        body: &str,
        patience: Duration,
    ) -> anyhow::Result<Answer> {
        let until = Instant::now() + patience;
        loop {
            let last = match self.call(scheduler, method.clone(), path, body).await {
                Ok(answer) if answer.status < 500 => return Ok(answer),
                Ok(answer) => format!("{}: {}", answer.status, answer.text),
                Err(error) => format!("{error:#}"),
            };
            if Instant::now() >= until {
                bail!("{method} {path} is not answered within {patience:?}: {last}");
            }
            scheduler += 1;
            sleep(PAUSE).await;
        }
    }

    /// Registers `posts` jobs of these accounts.
    ///
    /// # Errors
    ///
    /// When any is not taken within `patience`.
    pub async fn register_all(
        &self,
        accounts: std::ops::Range<u32>,
        patience: Duration,
    ) -> anyhow::Result<()> {
        let lines: Vec<_> = accounts
            .map(|account| format!("{{\"job_type\":\"posts\",\"account\":\"{account}\"}}\n"))
            .collect();
        for (number, lines) in lines.chunks(BATCH).enumerate() {
            let body = lines.concat();
            let answer = self
                .insist(number, Method::POST, "/jobs:batch", &body, patience)
                .await?;
            if answer.status != 200 || !answer.text.contains("\"failed\":0") {
                bail!(
                    "registrations are refused: {}",
                    answer.text.chars().take(300).collect::<String>()
                );
            }
        }
        Ok(())
    }

    /// What each scheduler that answers has done, by its number.
    pub async fn status(&self) -> BTreeMap<usize, Status> {
        let mut found = BTreeMap::new();
        for scheduler in 0..self.urls.len() {
            if let Ok(status) = self.status_of(scheduler).await {
                found.insert(scheduler, status);
            }
        }
        found
    }

    async fn status_of(&self, scheduler: usize) -> anyhow::Result<Status> {
        let answer = self.call(scheduler, Method::GET, "", "").await?;
        let channel: Channel = serde_json::from_str(&answer.text)
            .with_context(|| format!("no status: {}", answer.text))?;
        Ok(channel.status)
    }
}
