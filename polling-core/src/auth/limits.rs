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

/// Most tokens that a process holds because the cache did not take them. No more are refreshed
/// until it does.
pub const MAX_UNSAVED: usize = 1_000;

/// First and longest pause between two looks at a token that another worker refreshes.
pub const LOOK_AGAIN: (Duration, Duration) =
    (Duration::from_millis(20), Duration::from_millis(500));

/// Most attempts to store a fresh token before it is kept for the next who asks.
pub const SAVE_ATTEMPTS: u32 = 5;

/// First and longest pause between those.
pub const SAVE_BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// What a lease needs beyond the refresh itself: all attempts to store its outcome.
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
