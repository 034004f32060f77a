//! The HTTP clients of oracles and of what drives the load.

use std::time::Duration;

use reqwest::Client;

/// A client whose calls end after `timeout`.
///
/// # Errors
///
/// When it cannot be built.
pub fn client(timeout: Duration) -> reqwest::Result<Client> {
    // Built together with `polling_core::http`, reqwest wants somebody to choose its cryptography,
    // though nothing here is encrypted. Whoever was first wins.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().timeout(timeout).build()
}
