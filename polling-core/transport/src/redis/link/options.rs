//! How to connect, beside the address.

use std::time::Duration;

/// Default deadline of one step, connecting included. The client's own default of half a second is
/// too short for a server that forks for a snapshot.
pub const DEFAULT_RESPONSE_TIMEOUT: Duration = Duration::from_secs(5);

/// Default deadline of connecting.
pub const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// How a [`Link`](super::Link) connects.
#[derive(Debug, Clone)]
#[must_use]
pub struct LinkOptions {
    pub(super) connect_timeout: Duration,
    pub(super) response_timeout: Duration,
}

impl Default for LinkOptions {
    fn default() -> Self {
        Self {
            connect_timeout: DEFAULT_CONNECT_TIMEOUT,
            response_timeout: DEFAULT_RESPONSE_TIMEOUT,
        }
    }
}

impl LinkOptions {
    /// Deadline of connecting, 2 s by default.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Deadline of a whole step, connecting included, 5 s by default.
    pub fn response_timeout(mut self, timeout: Duration) -> Self {
        self.response_timeout = timeout;
        self
    }
}
