//! The way to the server.

use std::io;

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::{Instant, timeout_at},
};

use crate::{Arguments, ProbeError, error::NotInTime};

/// What bytes go over.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Where a server is.
pub(crate) struct Address<'a> {
    /// As it is written in certificates, without the brackets of IPv6.
    pub(crate) host: &'a str,
    pub(crate) port: u16,
}

impl<'a> Address<'a> {
    /// Reads `HOST:PORT`, `[IPV6]:PORT` or `:PORT`.
    pub(crate) fn parse(text: &'a str) -> Result<Self, ProbeError> {
        let parts = text.rsplit_once(':');
        let parts = parts.and_then(|(host, port)| Some((host, port.parse().ok()?)));
        let (host, port) = parts.ok_or_else(|| {
            ProbeError::Usage(format!(
                "--addr {text:?} is no HOST:PORT such as localhost:7072"
            ))
        })?;
        Ok(Self {
            host: match host {
                "" => "localhost",
                host => host.trim_start_matches('[').trim_end_matches(']'),
            },
            port,
        })
    }

    fn text(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

/// A connection, encrypted if so asked, by the deadline. `protocol` is its name in TLS.
pub(crate) async fn connect(
    arguments: &Arguments,
    address: &Address<'_>,
    encrypted: bool,
    protocol: &[u8],
    deadline: Instant,
) -> Result<Box<dyn Stream>, ProbeError> {
    let opened = async {
        let stream = TcpStream::connect((address.host, address.port)).await?;
        if encrypted {
            encrypt(arguments, address, protocol, stream).await
        } else {
            Ok(Box::new(stream) as Box<dyn Stream>)
        }
    };
    match timeout_at(deadline, opened).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(ProbeError::connect(&address.text(), error)),
        Err(_) => Err(ProbeError::connect(&address.text(), NotInTime)),
    }
}

#[cfg(feature = "tls")]
async fn encrypt(
    arguments: &Arguments,
    address: &Address<'_>,
    protocol: &[u8],
    stream: TcpStream,
) -> io::Result<Box<dyn Stream>> {
    let stream = arguments
        .tls
        .encrypt(stream, address.host, protocol)
        .await?;
    Ok(Box::new(stream))
}

#[cfg(not(feature = "tls"))]
async fn encrypt(
    _: &Arguments,
    _: &Address<'_>,
    _: &[u8],
    _: TcpStream,
) -> io::Result<Box<dyn Stream>> {
    let what = "this program was built without TLS: build it with --features tls";
    Err(io::Error::new(io::ErrorKind::Unsupported, what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_people_write_them() {
        for (text, host, port, whole) in [
            ("localhost:7072", "localhost", 7072, "localhost:7072"),
            (":7072", "localhost", 7072, "localhost:7072"),
            ("[::1]:7072", "::1", 7072, "[::1]:7072"),
        ] {
            let address = Address::parse(text).unwrap();
            assert_eq!((address.host, address.port), (host, port));
            assert_eq!(address.text(), whole);
        }
        for text in ["localhost", "localhost:", "localhost:70000", ""] {
            let error = Address::parse(text).err().unwrap();
            assert_eq!(error.exit_code(), 1, "{text}");
        }
    }
}
