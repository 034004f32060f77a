//! `measure peer`.

use std::io::{read_to_string, stdin};

use anyhow::Context as _;
use benches::figure::Figure;
use clap::Args;
use serde::Deserialize;

#[derive(Debug, Args)]
pub(super) struct Peer {
    /// Who was measured.
    name: String,
    /// Recurring jobs.
    #[arg(long)]
    jobs: u64,
    /// Their interval; 0 for work that comes at once.
    #[arg(long)]
    interval_ms: u64,
}

/// What a peer's program prints.
#[derive(Debug, Deserialize)]
struct Line {
    per_s: f64,
    p99_ms: f64,
    resident_bytes: f64,
    redis_bytes: f64,
}

impl Peer {
    /// Takes the line from standard input.
    pub(super) fn take(&self) -> anyhow::Result<()> {
        let text = read_to_string(stdin()).context("cannot read")?;
        let line: Line = serde_json::from_str(&text).context("not a peer's line of JSON")?;
        let mut figure = Figure::new(format!("peer/{}", self.name), line.per_s, "jobs/s")
            .with("jobs", self.jobs)
            .with("resident_bytes", line.resident_bytes)
            .with("redis_bytes", line.redis_bytes);
        if self.interval_ms > 0 {
            figure = figure
                .with("interval_ms", self.interval_ms)
                .with("lateness_p99_ms", line.p99_ms);
        }
        super::print_all(&[figure])
    }
}
