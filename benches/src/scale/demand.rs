//! What is asked for.

use clap::{Args, ValueEnum};

/// How jobs and completions travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Transport {
    /// Amazon SQS.
    Sqs,
    /// Redis Streams.
    Redis,
}

/// The jobs of one channel, and the room that is left.
#[derive(Debug, Clone, Args)]
pub struct Demand {
    /// Every job is polled once in so many seconds.
    #[arg(long, default_value_t = 300.0)]
    pub interval_s: f64,
    /// A job's context, bytes.
    #[arg(long, default_value_t = 200.0)]
    pub context_bytes: f64,
    /// A poll's mean time at the channel, milliseconds.
    #[arg(long, default_value_t = 200.0)]
    pub poll_ms: f64,
    /// The spread of it: the standard deviation of its logarithm.
    #[arg(long, default_value_t = 1.0)]
    pub poll_spread: f64,
    /// Events that a poll brings, on average.
    #[arg(long, default_value_t = 0.1)]
    pub events: f64,
    /// An event, bytes.
    #[arg(long, default_value_t = 1_000.0)]
    pub event_bytes: f64,
    /// How jobs and completions travel.
    #[arg(long, value_enum, default_value_t = Transport::Sqs)]
    pub transport: Transport,
    /// The part of everything that stays free.
    #[arg(long, default_value_t = 0.3)]
    pub head_room: f64,
    /// There and back again to Redis, milliseconds: assumed for two hosts of one zone.
    #[arg(long, default_value_t = 0.5)]
    pub round_trip_ms: f64,
    /// A call of SQS, milliseconds: assumed.
    #[arg(long, default_value_t = 10.0)]
    pub sqs_call_ms: f64,
}

impl Demand {
    /// The part of everything that may be used.
    #[must_use]
    pub fn use_at_most(&self) -> f64 {
        1.0 - self.head_room
    }

    /// A call to a queue, seconds.
    #[must_use]
    pub fn queue_call_s(&self) -> f64 {
        match self.transport {
            Transport::Sqs => self.sqs_call_ms / 1e3,
            Transport::Redis => self.round_trip_ms / 1e3,
        }
    }

    /// Refuses what makes no sense.
    ///
    /// # Errors
    ///
    /// Which option is out of its bounds.
    pub fn validate(&self) -> anyhow::Result<()> {
        let positive = [
            ("--interval-s", self.interval_s),
            ("--poll-ms", self.poll_ms),
            ("--poll-spread", self.poll_spread),
            ("--round-trip-ms", self.round_trip_ms),
            ("--sqs-call-ms", self.sqs_call_ms),
        ];
        for (name, value) in positive {
            anyhow::ensure!(
                value > 0.0 && value.is_finite(),
                "{name} is {value}: it needs more than 0"
            );
        }
        anyhow::ensure!(
            (0.0..=0.9).contains(&self.head_room),
            "--head-room is {}: it needs 0 to 0.9",
            self.head_room
        );
        Ok(())
    }
}
