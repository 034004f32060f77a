//! A proxy whose both ends are held by the test.

use std::{
    io::ErrorKind,
    net::{Ipv4Addr, SocketAddr},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::yield_now,
};
use torture::proxy::{Faults, Protocol, Proxy};

pub(crate) const SEED: u64 = 42;

/// A proxy, and the server behind it.
pub(crate) struct Between {
    pub(crate) proxy: Proxy,
    server: TcpListener,
}

/// Both ends of what the client takes for one connection.
pub(crate) struct Ends {
    pub(crate) client: TcpStream,
    pub(crate) server: TcpStream,
}

pub(crate) fn any_port() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
}

impl Between {
    pub(crate) async fn of(protocol: Protocol, faults: Faults) -> Self {
        Self::seeded(protocol, faults, SEED).await
    }

    pub(crate) async fn seeded(protocol: Protocol, faults: Faults, seed: u64) -> Self {
        let server = TcpListener::bind(any_port()).await.unwrap();
        let upstream = server.local_addr().unwrap();
        let proxy = Proxy::start(any_port(), upstream, protocol, seed)
            .await
            .unwrap();
        proxy.set(faults).await.unwrap();
        Self { proxy, server }
    }

    /// The server ends.
    pub(crate) fn without_server(self) -> Proxy {
        self.proxy
    }

    pub(crate) async fn set(&self, faults: Faults) {
        self.proxy.set(faults).await.unwrap();
    }

    pub(crate) async fn connect(&self) -> Ends {
        let client = TcpStream::connect(self.proxy.address()).await.unwrap();
        let (server, _) = self.server.accept().await.unwrap();
        Ends { client, server }
    }

    pub(crate) fn count(&self, fault: &str) -> u64 {
        self.proxy.counts()[fault]
    }

    /// Waits until so many faults of a kind were injected.
    pub(crate) async fn until(&self, fault: &str, count: u64) {
        while self.count(fault) < count {
            yield_now().await;
        }
    }
}

impl Ends {
    /// The client asks, and the server gets the very same bytes.
    pub(crate) async fn ask(&mut self, request: &[u8]) {
        self.client.write_all(request).await.unwrap();
        assert_eq!(read(&mut self.server, request.len()).await, request);
    }

    /// The server answers, and the client gets the very same bytes.
    pub(crate) async fn answer(&mut self, reply: &[u8]) {
        self.server.write_all(reply).await.unwrap();
        assert_eq!(read(&mut self.client, reply.len()).await, reply);
    }
}

pub(crate) async fn read(from: &mut TcpStream, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    from.read_exact(&mut bytes).await.unwrap();
    bytes
}

/// What comes until the connection ends, however it ends.
pub(crate) async fn read_to_end(from: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Ok(1..) = from.read_buf(&mut bytes).await {}
    bytes
}

/// Nothing has come, and the connection has not ended.
pub(crate) fn is_silent(end: &TcpStream) -> bool {
    let read = end.try_read(&mut [0]);
    read.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}

/// A request of a protocol, and a reply to it.
pub(crate) fn example(protocol: Protocol) -> (&'static [u8], &'static [u8]) {
    match protocol {
        Protocol::Redis => (b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n", b"$3\r\nabc\r\n"),
        Protocol::Http => (
            b"POST / HTTP/1.1\r\ncontent-length: 2\r\n\r\n{}",
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        ),
        Protocol::Kafka => (
            b"\0\0\0\x0a\0\x12\0\x03\0\0\0\x07\0\0",
            b"\0\0\0\x06\0\0\0\x07\0\0",
        ),
    }
}

pub(crate) const PROTOCOLS: [Protocol; 3] = [Protocol::Redis, Protocol::Http, Protocol::Kafka];
