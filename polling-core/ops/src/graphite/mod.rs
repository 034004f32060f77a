//! Metrics pushed to Graphite: plaintext over TCP.
//!
//! ```no_run
//! use std::sync::Arc;
//! use polling_model::SystemClock;
//! use polling_ops::{graphite::{Graphite, GraphiteConfig}, metrics::Metrics};
//!
//! # async fn run() -> Result<(), polling_ops::graphite::PrefixError> {
//! let metrics = Metrics::new();
//! let config = GraphiteConfig::new("graphite.internal:2003", "polling.{host}.{service}")
//!     .variable("host", "worker-7")
//!     .variable("service", "mastodon-posts");
//! let graphite = Graphite::new(metrics, config, Arc::new(SystemClock))?;
//! tokio::spawn(graphite.run(async { /* until the program stops */ }));
//! # Ok(())
//! # }
//! ```
//!
//! Every so often all metrics are told as lines, `PREFIX.NAME.LABEL.VALUE… NUMBER SECONDS`. While the server is away the
//! program goes on: lines wait in a buffer with a bound, the oldest are dropped first, and
//! `polling_graphite_dropped_lines_total` counts them.

mod buffer;
mod config;
pub(crate) mod lines;
mod send;

use std::{future::Future, time::Duration};

use polling_model::{Generator, SharedClock};
use prometheus_client::metrics::counter::Counter;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::{MissedTickBehavior, interval, timeout},
};

use self::{buffer::Buffer, lines::lines, send::Sender};
pub use self::{
    config::{GraphiteConfig, PrefixError},
    send::{CALL_DEADLINE, LONGEST_PAUSE},
};
use crate::metrics::{Description, Metrics};

/// Longest time for the last lines, once the program stops.
const LAST_LINES: Duration = Duration::from_secs(3);

/// Pushes metrics until it is told to stop.
#[derive(Debug)]
pub struct Graphite {
    metrics: Metrics,
    config: GraphiteConfig,
    prefix: String,
    clock: SharedClock,
    generator: Generator,
    counts: Counts,
}

/// What becomes of the lines, told as metrics too.
#[derive(Debug, Clone, Default)]
struct Counts {
    sent: Counter,
    dropped: Counter,
    failures: Counter,
}

/// The names under which [`Graphite`] counts what it does itself.
#[must_use]
pub fn described() -> Vec<Description> {
    let rows = [
        (
            "polling_graphite_sent_lines_total",
            "Lines written to Graphite",
        ),
        (
            "polling_graphite_dropped_lines_total",
            "Lines dropped, the oldest first, since Graphite was away for too long",
        ),
        (
            "polling_graphite_failures_total",
            "Connections to Graphite that could not be made, or broke off",
        ),
    ];
    let row = |(name, help): (&str, _)| Description {
        name: name.to_owned(),
        kind: "counter",
        labels: Vec::new(),
        help,
    };
    rows.map(row).into()
}

impl Counts {
    fn register(&self, metrics: &Metrics) {
        let counters = [&self.sent, &self.dropped, &self.failures];
        metrics.registry(|registry| {
            for (counter, description) in counters.into_iter().zip(described()) {
                let name = description.name.trim_end_matches("_total");
                registry.register(name, description.help, counter.clone());
            }
        });
    }
}

impl Graphite {
    /// Nothing is connected yet.
    ///
    /// # Errors
    ///
    /// [`PrefixError`] when the prefix names a variable that has no value.
    pub fn new(
        metrics: Metrics,
        config: GraphiteConfig,
        clock: SharedClock,
    ) -> Result<Self, PrefixError> {
        let prefix = config.resolved_prefix()?;
        let counts = Counts::default();
        counts.register(&metrics);
        Ok(Self {
            metrics,
            config,
            prefix,
            clock,
            generator: Generator::from_os(),
            counts,
        })
    }

    /// Another generator for the pauses than one seeded by the operating system.
    #[must_use]
    pub fn generator(mut self, generator: Generator) -> Self {
        self.generator = generator;
        self
    }

    /// Pushes until `shutdown` resolves, then once more, for 3 s at most.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) {
        let address = self.config.address.clone();
        self.run_over(shutdown, move || TcpStream::connect(address.clone()))
            .await;
    }

    /// The same over connections of another kind.
    async fn run_over<C, F, S>(self, shutdown: impl Future<Output = ()> + Send, connect: C)
    where
        C: Fn() -> F,
        F: Future<Output = std::io::Result<S>>,
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let buffer = Buffer::new(
            self.config.max_buffer_size_bytes,
            self.counts.dropped.clone(),
        );
        let mut sender = Sender::new(&buffer, connect, &self.generator, &self.counts);
        let both = async { tokio::join!(self.keep_sampling(&buffer), sender.run()) };
        tokio::select! {
            biased;
            () = shutdown => {}
            _ = both => {}
        }
        let last = async {
            self.sample(&buffer).await;
            sender.flush().await;
        };
        if timeout(LAST_LINES, last).await.is_err() {
            tracing::warn!(
                lines = buffer.lines(),
                "the last metrics did not reach Graphite in time"
            );
        }
    }

    async fn keep_sampling(&self, buffer: &Buffer) {
        let mut ticks = interval(self.config.every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.sample(buffer).await;
        }
    }

    async fn sample(&self, buffer: &Buffer) {
        match self.metrics.scrape().await {
            Ok(text) => buffer.push(lines(&text, &self.prefix, self.clock.now_ms() / 1_000)),
            Err(_) => tracing::warn!("a metric of this program's own cannot be written"),
        }
    }
}

#[cfg(test)]
mod tests;
