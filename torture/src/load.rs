//! Clients that register, edit, pause and remove jobs while everything breaks.
//!
//! Each owns some accounts that never post, so that it knows what must be registered in the end: it
//! repeats a call until it is answered. Jobs of accounts that do post are only hurried and given
//! another level, since a removed one would rightly miss posts.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use anyhow::ensure;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use reqwest::Method;
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{admin::Admin, stage::Setting};

/// Clients of one stage, at work until told to stop.
#[derive(Debug)]
pub struct Load {
    clients: JoinSet<anyhow::Result<BTreeSet<String>>>,
    stop: watch::Sender<bool>,
    calls: Arc<AtomicU64>,
}

/// At once.
const CLIENTS: u32 = 4;

/// How long a client insists on one call; longer than any outage of a scenario.
const PATIENCE: Duration = Duration::from_secs(300);

struct Client {
    admin: Admin,
    random: StdRng,
    /// Its own accounts.
    own: Vec<u32>,
    /// Those that post.
    posting: u32,
    registered: BTreeSet<String>,
    calls: Arc<AtomicU64>,
    pause_ms: u64,
}

impl Load {
    /// Starts the clients.
    #[must_use]
    pub fn start(admin: &Admin, setting: &Setting, seed: u64) -> Self {
        let (stop, stopped) = watch::channel(false);
        let calls = Arc::new(AtomicU64::new(0));
        let mut clients = JoinSet::new();
        for number in 0..CLIENTS {
            let own = (setting.accounts..setting.all_accounts())
                .filter(|account| account % CLIENTS == number)
                .collect();
            let client = Client {
                admin: admin.clone(),
                random: StdRng::seed_from_u64(seed ^ (u64::from(number) << 32)),
                own,
                posting: setting.accounts,
                registered: BTreeSet::new(),
                calls: Arc::clone(&calls),
                pause_ms: setting.client_pause.as_millis() as u64,
            };
            clients.spawn(client.work(stopped.clone()));
        }
        Self {
            clients,
            stop,
            calls,
        }
    }

    /// Calls answered so far.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls.load(Relaxed)
    }

    /// Lets each client end its call and resume what it paused. The jobs that are registered then.
    ///
    /// # Errors
    ///
    /// When a call was refused, or not answered at all.
    pub async fn stop(mut self) -> anyhow::Result<BTreeSet<String>> {
        self.stop.send_replace(true);
        let mut registered = BTreeSet::new();
        while let Some(client) = self.clients.join_next().await {
            registered.extend(client??);
        }
        Ok(registered)
    }
}

impl Client {
    async fn work(mut self, mut stop: watch::Receiver<bool>) -> anyhow::Result<BTreeSet<String>> {
        while !*stop.borrow() {
            let pause = Duration::from_millis(self.random.random_range(0..=2 * self.pause_ms));
            // Ends early when told to stop.
            let _ = timeout(pause, stop.wait_for(|stop| *stop)).await;
            if self.own.is_empty() {
                sleep(pause).await;
                continue;
            }
            self.change_something().await?;
        }
        for id in self.registered.clone() {
            self.call(Method::POST, &format!("/jobs/{id}/resume"), "", &[200])
                .await?;
        }
        Ok(self.registered)
    }

    async fn change_something(&mut self) -> anyhow::Result<()> {
        let account = self.own[self.random.random_range(0..self.own.len())];
        let id = format!("posts:{account}");
        match self.random.random_range(0..20) {
            0..6 => self.register(account, id).await,
            6..8 => self.remove(id).await,
            8..10 => self.edit(&id, "pause").await,
            10..13 => self.edit(&id, "resume").await,
            13..15 => self.edit(&id, "run-now").await,
            15..17 => self.replace_context(&id).await,
            _ => self.hurry_a_posting_account().await,
        }
    }

    async fn register(&mut self, account: u32, id: String) -> anyhow::Result<()> {
        let body = format!("{{\"job_type\":\"posts\",\"account\":\"{account}\"}}");
        self.call(Method::POST, "/jobs", &body, &[200, 201]).await?;
        self.registered.insert(id);
        Ok(())
    }

    async fn remove(&mut self, id: String) -> anyhow::Result<()> {
        // Not found: never registered, or removed by a call that was not answered.
        self.call(Method::DELETE, &format!("/jobs/{id}"), "", &[204, 404])
            .await?;
        self.registered.remove(&id);
        Ok(())
    }

    /// Answered as not found exactly if the job is not registered.
    async fn edit(&mut self, id: &str, edit: &str) -> anyhow::Result<()> {
        let answers: &[u16] = match self.registered.contains(id) {
            true => &[200, 204],
            false => &[404],
        };
        self.call(Method::POST, &format!("/jobs/{id}/{edit}"), "", answers)
            .await
    }

    async fn replace_context(&mut self, id: &str) -> anyhow::Result<()> {
        let answers: &[u16] = match self.registered.contains(id) {
            true => &[204],
            false => &[404],
        };
        let path = format!("/jobs/{id}/context");
        self.call(Method::PUT, &path, "{\"since_id\":0}", answers)
            .await
    }

    async fn hurry_a_posting_account(&mut self) -> anyhow::Result<()> {
        let id = format!("posts:{}", self.random.random_range(0..self.posting));
        if self.random.random() {
            let path = format!("/jobs/{id}/run-now");
            return self.call(Method::POST, &path, "", &[204]).await;
        }
        let level = ["gold", "default"][self.random.random_range(0..2)];
        let body = format!("{{\"level\":\"{level}\"}}");
        self.call(Method::PATCH, &format!("/jobs/{id}"), &body, &[204])
            .await
    }

    async fn call(
        &mut self,
        method: Method,
        path: &str,
        body: &str,
        expected: &[u16],
    ) -> anyhow::Result<()> {
        let scheduler = self.random.random_range(0..64);
        let answer = self
            .admin
            .insist(scheduler, method.clone(), path, body, PATIENCE)
            .await?;
        ensure!(
            expected.contains(&answer.status),
            "{method} {path} is answered {} instead of {expected:?}: {}",
            answer.status,
            answer.text
        );
        self.calls.fetch_add(1, Relaxed);
        Ok(())
    }
}
