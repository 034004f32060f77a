//! Every limit of token handling, by name. What an operator may set is a field of
//! [`TokensConfig`](super::TokensConfig).

use std::time::Duration;

/// Longest access or refresh token that is taken, in bytes. HTTP servers refuse longer headers.
pub const MAX_SECRET_LEN: usize = 16 * 1024;

/// Largest answer of a token endpoint that is read, in bytes.
pub const MAX_ANSWER_SIZE_BYTES: usize = 64 * 1024;

/// Longest life that a token endpoint may promise; more is cut to this. A year.
pub const MAX_LIFE: Duration = Duration::from_secs(366 * 86_400);

/// So long before its end a token is no longer given out, even if no fresher one can be had: a
/// call takes its time, and clocks differ.
pub const LAST_USE: Duration = Duration::from_secs(5);

/// Most tokens that a process keeps at hand; of the others the cache is asked each time.
pub const MAX_KNOWN: usize = 10_000;

/// First and longest pause between two looks at a token that another worker refreshes.
pub const LOOK_AGAIN: (Duration, Duration) =
    (Duration::from_millis(20), Duration::from_millis(500));

/// Most attempts to get a lease whose fate is unknown.
pub const LEASE_ATTEMPTS: u32 = 3;

/// First and longest pause between two attempts to store a fresh token. They end when the cache
/// has taken it; no more than [`TokensConfig::concurrency`](super::TokensConfig::concurrency) are
/// under way.
pub const SAVE_BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// The attempt to store a fresh token that is logged as an error.
pub const SAVE_ALARM: u32 = 5;

/// What a lease needs beyond the refresh itself: so long the cache may be away before another
/// worker takes the spent refresh token for a good one.
pub const SAVE_BUDGET: Duration = Duration::from_secs(30);

/// Shortest token that is cut out of errors, in bytes: a shorter one cannot be told from the words
/// around it, and can be guessed anyway.
pub const SHORTEST_SECRET_LEN: usize = 8;

/// Longest text of a token endpoint's error, in bytes.
pub const MAX_MESSAGE_LEN: usize = 512;

/// Most accounts of a [`MemoryTokenCache`](super::MemoryTokenCache).
pub const MAX_MEMORY_ACCOUNTS: usize = 100_000;

/// How long failures are remembered beyond their cool-down, for accounts that never had a token.
pub const FAILURES_KEPT: Duration = Duration::from_secs(86_400);
