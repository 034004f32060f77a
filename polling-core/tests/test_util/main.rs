//! The test kit: the rig, the fake channel, and the contract over good pollers and broken ones.

// A test that cannot go on may panic.
#![allow(clippy::unwrap_used)]

mod broken;
mod channel;
mod contract;
mod http_poller;
mod rig;

/// A client, which asks for a provider of TLS even where there is none to speak.
fn client() -> reqwest::ClientBuilder {
    // Only the first of all tests succeeds.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy()
}
