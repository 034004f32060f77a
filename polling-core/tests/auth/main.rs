//! Access tokens: who refreshes when, what happens when that fails, and that no secret is shown.
//! Over caches in memory time is paused; those on Redis go by a clock of their own or the server's.

// A test that cannot go on may panic.
#![allow(clippy::unwrap_used)]

mod cache_memory;
#[cfg(feature = "auth-redis")]
mod cache_redis;
mod channel;
mod failing;
mod refreshing;
mod retrying;
#[cfg(feature = "auth-redis")]
mod same_answers;
#[cfg(feature = "auth-sealed")]
mod sealing;
mod secrets;
mod storing;
