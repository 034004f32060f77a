//! What happened, counted by two sides that share nothing: what the channel gave out, and what
//! arrived on the bus.

use std::{sync::PoisonError, time::Duration};

use serde_json::json;

use crate::{stage::Stage, tally::Counts};

/// The result of a run.
#[derive(Debug)]
pub(crate) struct Summary {
    elapsed: Duration,
    jobs: u64,
    misplaced: u64,
    published: u64,
    lost: u64,
    unexpected: u64,
    duplicated: u64,
    tally: Counts,
}

impl Summary {
    pub(crate) async fn of(stage: &Stage, elapsed: Duration) -> anyhow::Result<Self> {
        let jobs = stage.registry.counts().await?;
        let placed = jobs.slots + jobs.in_flight + jobs.later + jobs.held;
        let arrivals = stage
            .arrivals
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let (mut lost, mut unexpected) = (0, 0);
        for (account, newest) in stage.channel.given() {
            let (missing, more) = arrivals.missing_and_unexpected(account.as_str(), newest);
            lost += missing;
            unexpected += more;
        }
        Ok(Self {
            elapsed,
            jobs: jobs.registered,
            misplaced: jobs.registered.abs_diff(placed),
            published: arrivals.events(),
            lost,
            unexpected,
            duplicated: arrivals.duplicated(),
            tally: stage.tally.read(),
        })
    }

    /// Nothing lost, nothing made up, every job where it belongs.
    pub(crate) const fn is_good(&self) -> bool {
        self.lost == 0
            && self.misplaced == 0
            && self.unexpected == 0
            && self.tally.repaired == 0
            && self.published > 0
    }

    pub(crate) fn to_json(&self) -> serde_json::Value {
        json!({
            "jobs": self.jobs,
            "cycles": self.tally.cycles,
            "events": self.published,
            "lost": self.lost + self.misplaced,
            "duplicated": self.duplicated,
            "lateness_ms": { "p50": self.tally.lateness(50), "p99": self.tally.lateness(99) },
            "errors": self.tally.errors,
            "seconds": self.elapsed.as_secs_f64(),
        })
    }

    pub(crate) fn to_text(&self) -> String {
        let per_s = self.tally.cycles as f64 / self.elapsed.as_secs_f64();
        let errors: Vec<_> = self
            .tally
            .errors
            .iter()
            .map(|(class, count)| format!("{class} {count}"))
            .collect();
        let rows = [
            (
                "jobs",
                format!("{} registered, {} out of place", self.jobs, self.misplaced),
            ),
            (
                "cycles",
                format!("{} ({per_s:.0} a second)", self.tally.cycles),
            ),
            ("events", self.published.to_string()),
            (
                "lateness",
                format!(
                    "p50 {} ms, p99 {} ms",
                    self.tally.lateness(50),
                    self.tally.lateness(99)
                ),
            ),
            (
                "errors",
                if errors.is_empty() {
                    "none".to_owned()
                } else {
                    errors.join(", ")
                },
            ),
            ("lost", self.lost.to_string()),
            ("duplicated", self.duplicated.to_string()),
        ];
        let rows = rows
            .map(|(name, value)| format!("  {name:<11} {value}"))
            .join("\n");
        let verdict = if self.is_good() {
            "Every post that the channel gave out is on the bus."
        } else {
            "FAILED: see above."
        };
        format!("\n{rows}\n\n{verdict}")
    }
}
