//! The command line of `measure`.

#[cfg(feature = "redis")]
mod addresses;
mod cycle;
#[cfg(feature = "redis")]
mod lateness;
mod peer;
#[cfg(feature = "servers")]
mod raw;
mod report;
mod scale;
#[cfg(feature = "redis")]
mod sizes;
mod small;
mod store;
mod worker;

use std::{
    future::Future,
    io::{Write, stdout},
};

use anyhow::Context as _;
use benches::figure::Figure;
use clap::{Parser, Subcommand};

/// Measures what the SDK can do; each figure is a line of JSON on standard output.
#[derive(Debug, Parser)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    part: Part,
}

#[derive(Debug, Subcommand)]
enum Part {
    /// The full cycle over adapters in memory, wire format on.
    Cycle(cycle::Cycle),
    /// What a single job costs: the layers' overhead, a decision.
    Small(small::Small),
    /// The full cycle on SQS, Redis and Kafka, and the same calls without it, in turns.
    #[cfg(feature = "servers")]
    Servers(raw::Servers),
    /// The calls of the full cycle on SQS, Redis and Kafka, without the cycle.
    #[cfg(feature = "servers")]
    Raw(raw::Raw),
    /// Publishing to Kafka by our bus, and by a raw producer.
    #[cfg(feature = "servers")]
    Kafka(raw::Kafka),
    /// All jobs due at once: the longest script.
    #[cfg(feature = "redis")]
    Giant(sizes::Giant),
    /// The store on the masters of a Redis Cluster: whether each has its share.
    #[cfg(feature = "redis")]
    Cluster(sizes::Cluster),
    /// What a cycle costs, by how many jobs are registered.
    #[cfg(feature = "redis")]
    Growth(sizes::Growth),
    /// How late jobs are dispatched that come evenly.
    #[cfg(feature = "redis")]
    Lateness(lateness::Lateness),
    /// Takes what a peer's program has measured.
    Peer(peer::Peer),
    /// Adds figures to those of the day, and prints and writes the table of what was promised.
    Report(report::Report),
    /// What so many polls a second need on many machines, from what was measured on one.
    Scale(scale::Scale),
    /// What a million registered jobs cost a month.
    Bill(scale::BillOf),
    /// A store by itself: all jobs registered, drained, settled.
    Store(store::Store),
    /// The worker by itself: jobs that wait in a queue in memory.
    Worker(worker::Worker),
}

impl Arguments {
    pub(crate) fn execute(self) -> anyhow::Result<()> {
        match self.part {
            Part::Cycle(cycle) => cycle.measure(),
            Part::Small(small) => small.measure(),
            #[cfg(feature = "servers")]
            Part::Servers(servers) => servers.measure(),
            #[cfg(feature = "servers")]
            Part::Raw(raw) => raw.measure(),
            #[cfg(feature = "servers")]
            Part::Kafka(kafka) => kafka.measure(),
            #[cfg(feature = "redis")]
            Part::Giant(giant) => giant.measure(),
            #[cfg(feature = "redis")]
            Part::Cluster(cluster) => cluster.measure(),
            #[cfg(feature = "redis")]
            Part::Growth(growth) => growth.measure(),
            #[cfg(feature = "redis")]
            Part::Lateness(lateness) => lateness.measure(),
            Part::Peer(peer) => peer.take(),
            Part::Report(report) => report.execute(),
            Part::Scale(scale) => scale.execute(),
            Part::Bill(bill) => bill.execute(),
            Part::Store(store) => store.measure(),
            Part::Worker(worker) => worker.measure(),
        }
    }
}

/// Measures on `threads` threads, and prints the figures.
fn print(
    threads: usize,
    measuring: impl Future<Output = anyhow::Result<Vec<Figure>>>,
) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()?;
    print_all(&runtime.block_on(measuring)?)
}

fn print_all(figures: &[Figure]) -> anyhow::Result<()> {
    let mut out = stdout().lock();
    for figure in figures {
        writeln!(out, "{figure}").context("cannot print")?;
    }
    Ok(())
}
