//! The independent checker of `dev/demo`. It shares no code with the SDK: it reads what the fake
//! channel logged, and Kafka from its first offset, and compares.
//!
//! ```text
//! cargo run -p examples --features demo --example check_demo -- --log channel.jsonl --topic posts
//! ```
//!
//! | check | what must hold |
//! |---|---|
//! | offered | every status posted was in a response of the channel |
//! | delivered | every status offered is in Kafka, at least once |
//! | exact | after dropping repeats by event id, Kafka holds these and nothing else |
//! | completed | a poll asks for what is newer than X only after X and all before it was in Kafka |
//! | order | per account, first occurrences are in the order of posting |
//! | shared | each worker did its part |
//! | gaps | p99 of the time between two polls of an account is within interval + 2 slots |
//! | events | there were enough of them for the rest to mean anything |
//! | counted | Prometheus and Graphite, if named, hold the channel's log's number of polls by outcome, of cycles settled and of events |
//! | settings | what was changed while it ran, if that is named: taken up in time, kept to by every call, and kept through an outage |

mod channel_log;
mod counted;
mod gaps;
mod kafka;
mod report;
mod settings;
mod verdict;

use std::{
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use clap::Parser;

use crate::{channel_log::ChannelLog, counted::Counted, gaps::Window, verdict::Verdict};

/// Between two looks while waiting.
const PAUSE: Duration = Duration::from_millis(500);

/// Compares what the fake channel offered with what is in Kafka. Exit code 0 if all holds, 1 if
/// not, 2 if it could not be found out.
#[derive(Debug, Parser)]
struct Options {
    /// The fake channel's log.
    #[arg(long)]
    log: PathBuf,
    /// The topic of the events.
    #[arg(long)]
    topic: String,
    /// Kafka's brokers, host:port.
    #[arg(long, env = "POLLING_KAFKA_BROKERS")]
    brokers: String,
    /// The interval at which each account is polled, milliseconds.
    #[arg(long, default_value_t = 10_000)]
    interval_ms: i64,
    /// The width of a slot, milliseconds.
    #[arg(long, default_value_t = 1_000)]
    slot_ms: i64,
    /// Calls left in a window, up to which a job waits for the next: such gaps are left out.
    #[arg(long, default_value_t = 0)]
    cushion: u32,
    /// A fault's time, UTC milliseconds FROM-TO: gaps that touch it are left out.
    #[arg(long, value_name = "FROM-TO")]
    exclude: Vec<Window>,
    /// Fewer events than this prove nothing.
    #[arg(long, default_value_t = 1)]
    at_least: usize,
    /// Workers that must have shared the work.
    #[arg(long, default_value_t = 2)]
    workers: usize,
    /// A worker's share of the responses must be this at least, percent.
    #[arg(long, default_value_t = 10)]
    min_share: u64,
    /// Wait up to so many seconds until everything offered is in Kafka, and counted.
    #[arg(long, default_value_t = 0)]
    wait_s: u64,
    /// What was changed while it ran, as `dev/demo --settings` writes it down.
    #[arg(long)]
    settings: Option<PathBuf>,
    /// How long each call of the channel takes, milliseconds.
    #[arg(long, default_value_t = 20)]
    latency_ms: i64,
    #[command(flatten)]
    counted: counted::OtherCounts,
    /// The result as one JSON object on one line.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    match check(&options) {
        Ok(verdict) => {
            report::print(&verdict, options.json);
            ExitCode::from(u8::from(!verdict.passed()))
        }
        Err(error) => {
            report::print_error(&error);
            ExitCode::from(2)
        }
    }
}

/// Looks again until everything is there, or the time is up.
fn check(options: &Options) -> anyhow::Result<Verdict> {
    let until = Instant::now() + Duration::from_secs(options.wait_s);
    let steps = options.settings.as_deref().map(settings::read);
    let steps = steps.transpose()?.unwrap_or_default();
    loop {
        // The log first: whatever it says was completed must be in Kafka by then.
        let log = ChannelLog::read(&options.log)?;
        let records = kafka::read(&options.brokers, &options.topic)
            .with_context(|| format!("cannot read {} from {}", options.topic, options.brokers))?;
        let counted = Counted::ask(&options.counted, &log)?;
        let verdict = verdict::compare(options, &log, &records, counted);
        let verdict = verdict.with_settings(&steps, &log, options.latency_ms);
        if verdict.complete() || Instant::now() >= until {
            return Ok(verdict);
        }
        pause();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "there is no runtime here to block"
)]
fn pause() {
    std::thread::sleep(PAUSE);
}
