//! Every limit of the HTTP layer, by name. Those that a channel may set are fields of
//! [`HttpConfig`](super::HttpConfig); here are their bounds, and what nobody needs to set.

use std::time::Duration;

use crate::model;

/// Most calls that a channel may name as a limit, as what remains or as what was used.
pub const MAX_CALLS: u64 = 1_000_000_000_000;

/// Furthest end of a window, and longest `Retry-After`, from now: 31 days.
pub const MAX_RESET_AHEAD_MS: i64 = model::caps::MAX_RESET_AHEAD_MS;

/// Latest end of a window where no clock tells what is too far away: the year 2199 is over.
pub const LATEST_RESET_MS: i64 = 7_258_118_400_000;

/// Largest difference between the channel's clock and ours that a `Date` is believed in: a day.
/// What differs more says nothing about clocks.
pub const MAX_CLOCK_DIFFERENCE_MS: i64 = 24 * 3_600_000;

/// Most windows read from one response.
pub const MAX_WINDOWS: usize = model::caps::MAX_ALLOWANCES;

/// Largest header that is read, in bytes; a larger one is left unread.
pub const MAX_HEADER_SIZE_BYTES: usize = 64 * 1024;

/// Most of a header's text that is quoted in a message, in characters.
pub const MAX_QUOTED_LEN: usize = 60;

/// From here on a plain number is an instant, in Unix seconds (2001-09-09); below it counts the
/// seconds left, which would be more than 31 years.
pub const MIN_UNIX_S: f64 = 1e9;

/// Longest total time of one call, redirects and body included: an hour.
pub const MAX_CALL_TIMEOUT: Duration = Duration::from_secs(3600);

/// Longest time that a connection is kept for the next call. Who polls many servers, as feeds
/// have, would otherwise run out of sockets.
pub const MAX_IDLE_TIME: Duration = Duration::from_secs(15);

/// Largest body that can be allowed, in bytes.
pub const MAX_BODY_SIZE_BYTES: usize = 256 * 1024 * 1024;

/// Most of an error's body that is kept, in bytes; what is more is cut off.
pub const MAX_ERROR_BODY_SIZE_BYTES: usize = 64 * 1024;

/// Longest time that an error's body is waited for: its status is known, and says enough.
pub const MAX_ERROR_BODY_TIME: Duration = Duration::from_secs(5);

/// Most redirects that can be followed.
pub const MAX_REDIRECTS: usize = 20;

/// Longest `ETag` or `Last-Modified` that is kept, in bytes: they live in the context.
pub const MAX_VALIDATOR_LEN: usize = 1024;

/// Longest `X-Poll-Interval` that is believed: a day.
pub const MAX_POLL_INTERVAL: Duration = Duration::from_secs(24 * 3600);
