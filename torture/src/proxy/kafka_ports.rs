//! Where Kafka and its proxy listen.

use std::{
    env, io,
    net::{Ipv4Addr, SocketAddr},
};

/// The addresses that `dev/services` gives Kafka's listener for a proxy.
///
/// Kafka's clients connect where the broker tells them to, and it tells those that come through
/// this listener the proxy's address. So the proxy has to listen there and nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KafkaPorts {
    /// Where Kafka listens for the proxy: the proxy's upstream.
    pub upstream: SocketAddr,
    /// Where the proxy has to listen.
    pub listen: SocketAddr,
}

impl KafkaPorts {
    /// Those of the Kafka at `brokers`, such as `127.0.0.1:17092`: the next ports but one and two,
    /// unless `POLLING_KAFKA_PROXIED_PORT` and `POLLING_KAFKA_PROXY_PORT` say otherwise, as they do
    /// to `dev/services`.
    ///
    /// # Errors
    ///
    /// When `brokers` or a variable holds no port.
    pub fn of(brokers: &str) -> io::Result<Self> {
        let unreadable = |what: &str| io::Error::other(format!("no port of Kafka in {what:?}"));
        let port = brokers.rsplit(':').next().unwrap_or_default();
        let port: u16 = port.parse().map_err(|_| unreadable(brokers))?;
        let address = |variable: &str, offset: u16| match env::var(variable) {
            Ok(given) => given.parse().map_err(|_| unreadable(&given)),
            Err(_) => Ok(port.saturating_add(offset)),
        };
        let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Ok(Self {
            upstream: address("POLLING_KAFKA_PROXIED_PORT", 2).map(local)?,
            listen: address("POLLING_KAFKA_PROXY_PORT", 3).map(local)?,
        })
    }
}
