//! How to connect, beside the address.

use std::time::Duration;

use redis::{ConnectionInfo, IntoConnectionInfo, RedisResult};

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
    #[cfg(feature = "redis-tls")]
    tls: redis::TlsCertificates,
}

impl Default for LinkOptions {
    fn default() -> Self {
        Self {
            connect_timeout: DEFAULT_CONNECT_TIMEOUT,
            response_timeout: DEFAULT_RESPONSE_TIMEOUT,
            #[cfg(feature = "redis-tls")]
            tls: redis::TlsCertificates {
                client_tls: None,
                root_cert: None,
            },
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

    /// The roots that vouch for the servers, instead of the system's; PEM.
    #[cfg(feature = "redis-tls")]
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.tls.root_cert = Some(pem.into());
        self
    }

    /// What this client shows to servers that ask for it: a certificate with those between it and
    /// its root, and its key; PEM.
    #[cfg(feature = "redis-tls")]
    pub fn client_certificate(
        mut self,
        certificate_pem: impl Into<Vec<u8>>,
        key_pem: impl Into<Vec<u8>>,
    ) -> Self {
        self.tls.client_tls = Some(redis::ClientTlsConfig {
            client_cert: certificate_pem.into(),
            client_key: key_pem.into(),
        });
        self
    }

    /// An address of the client, with the certificates if it is one with TLS.
    pub(super) fn connection_info(&self, url: &str) -> RedisResult<ConnectionInfo> {
        let info = url.into_connection_info()?;
        #[cfg(feature = "redis-tls")]
        if matches!(info.addr(), redis::ConnectionAddr::TcpTls { .. })
            && (self.tls.root_cert.is_some() || self.tls.client_tls.is_some())
        {
            let client = redis::Client::build_with_tls(info, self.tls.clone())?;
            return Ok(client.get_connection_info().clone());
        }
        Ok(info)
    }
}
