//! How large a stage is, and how it is set.

use std::time::Duration;

/// What a scenario plays on.
#[derive(Debug, Clone)]
pub struct Setting {
    /// Scheduler processes.
    pub schedulers: usize,
    /// Worker processes.
    pub workers: usize,
    /// Accounts that post; each has one job, `posts:ACCOUNT`.
    pub accounts: u32,
    /// Accounts beyond those, which never post, and whose jobs clients register, edit and remove.
    pub churn: u32,
    /// Between two calls of a client, on average.
    pub client_pause: Duration,
    /// Posts of each account per minute, on average.
    pub posts_per_minute: f64,
    /// How often a job is polled. Also said in `torture.toml`.
    pub interval: Duration,
    /// How long the channel takes for each answer.
    pub channel_latency: Duration,
    /// ElasticMQ's queues are on disk and outlive a kill, or in memory.
    pub sqs_persistent: bool,
    /// Values that replace those of `torture.toml`, by path below the channel, such as
    /// `("limits.note_deadline", "1s")`.
    pub config: Vec<(&'static str, String)>,
    /// Further arguments of every worker.
    pub worker_args: Vec<String>,
    /// Whether schedulers and workers reach the servers through proxies. Only one stage at a time
    /// can have them: see [`Proxies`](super::Proxies).
    pub proxied: bool,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            schedulers: 2,
            workers: 2,
            accounts: 120,
            churn: 24,
            client_pause: Duration::from_secs(1),
            posts_per_minute: 6.0,
            interval: Duration::from_secs(8),
            channel_latency: Duration::from_millis(20),
            sqs_persistent: true,
            config: Vec::new(),
            worker_args: Vec::new(),
            proxied: false,
        }
    }
}

impl Setting {
    /// The channel's accounts, those that post first.
    #[must_use]
    pub const fn all_accounts(&self) -> u32 {
        self.accounts + self.churn
    }
}

/// Bounds that follow from `torture.toml`, for oracles and scenarios.
pub mod bounds {
    use std::time::Duration;

    /// The queues' visibility timeout.
    pub const VISIBILITY: Duration = Duration::from_secs(5);
    /// From dispatch to the end of the lease: queue wait, receives, work, margin.
    pub const IN_FLIGHT: Duration = Duration::from_secs(42);
    /// Beyond it the reaper waits no longer for completions.
    pub const REAP_GRACE: Duration = Duration::from_secs(4);
    /// Longest time until a lost job is due again: lease, grace, the reaper's tick, the next slot.
    pub const LOST_AND_FOUND: Duration = Duration::from_secs(42 + 4 + 4);
    /// A slot's width.
    pub const SLOT: Duration = Duration::from_secs(1);
}
