//! What is searched for, and what is found of it.

use std::time::Duration;

use maud::{Markup, html};
use polling_model::{AccountId, JobId};
use scheduler_lib::{
    Registry, RegistryError,
    store::{JobRecord, ListCursor},
};
use serde::Deserialize;
use tokio::time::Instant;

use crate::{
    api::{error::ApiError, select::Which},
    console::words::number,
};

/// Jobs that the store is asked for at once, and that are shown where all are meant.
const PAGE: usize = 100;

/// A page ends with so many found.
const ENOUGH: usize = 50;

/// Most jobs looked at for one page, and longest time for it: whoever wants more goes on.
const MAX_SEEN: usize = 20_000;
const LONGEST: Duration = Duration::from_secs(2);

/// A search as a form sends it, and what is told above it. What is empty does not matter.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::console) struct Search {
    pub(super) id: String,
    pub(super) account: String,
    pub(super) job_type: String,
    pub(super) level: String,
    pub(super) place: String,
    pub(super) after: String,
    /// What was done to jobs of this search, how many of them, and where it goes on.
    pub(super) did: Option<super::bulk::Deed>,
    changed: u64,
    seen: u64,
    pub(super) more: String,
}

/// A page of it.
pub(super) struct Found {
    pub(super) jobs: Vec<JobRecord>,
    /// Jobs looked at.
    pub(super) seen: u64,
    pub(super) next: Option<ListCursor>,
}

impl Search {
    pub(super) fn which(&self) -> Result<Which, ApiError> {
        Which::of_fields(&self.fields(&self.after))
    }

    /// The search from somewhere on.
    pub(super) fn fields<'a>(&'a self, after: &'a str) -> [(&'static str, &'a str); 5] {
        [
            ("account", self.account.trim()),
            ("job_type", &self.job_type),
            ("level", self.level.trim()),
            ("place", &self.place),
            ("after", after),
        ]
    }

    /// The same as the query of an address.
    pub(super) fn query(&self, after: &str) -> String {
        let fields = self.fields(after);
        let said = fields.iter().filter(|(_, value)| !value.is_empty());
        serde_urlencoded::to_string(said.collect::<Vec<_>>()).unwrap_or_default()
    }

    /// What was done last.
    pub(super) fn told(&self) -> Markup {
        html! {
            @if let Some(did) = self.did {
                p.done #told role="status" {
                    (number(self.changed)) " " (did.done()) ", of " (number(self.seen)) " looked at."
                    @if !self.more.is_empty() { " There are more: go on below." }
                }
            }
        }
    }

    /// Looks through the jobs, in pages of the store's, until there are enough.
    pub(super) async fn find(
        &self,
        registry: &Registry,
        mut which: Which,
    ) -> Result<Found, RegistryError> {
        let is_first = which.after.is_none();
        let mut jobs = match &which.account {
            Some(account) if is_first => of_account(registry, account, &which).await?,
            _ => Vec::new(),
        };
        let known: Vec<JobId> = jobs.iter().map(|record| record.id.clone()).collect();
        let begun = Instant::now();
        let mut seen = 0;
        loop {
            let page = which.page(registry, PAGE).await?;
            seen += page.records.len();
            let meant = page.records.into_iter();
            jobs.extend(
                meant.filter(|record| which.means(&record.state) && !known.contains(&record.id)),
            );
            which.after = page.next;
            let enough = jobs.len() >= ENOUGH || seen >= MAX_SEEN || begun.elapsed() >= LONGEST;
            if enough || which.after.is_none() {
                break;
            }
        }
        Ok(Found {
            jobs,
            seen: seen as u64,
            next: which.after,
        })
    }
}

/// The jobs of an account that have the usual ids: those are found at once, however many others there are.
async fn of_account(
    registry: &Registry,
    account: &AccountId,
    which: &Which,
) -> Result<Vec<JobRecord>, RegistryError> {
    let mut found = Vec::new();
    for job_type in registry.job_types() {
        match registry.get(&JobId::of(job_type, account)).await {
            Ok(record) if which.means(&record.state) => found.push(record),
            Ok(_) | Err(RegistryError::Unknown { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}
