//! What a poller asked a fake channel.

use std::{collections::BTreeMap, io};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader},
    time::Instant,
};

/// Longest head of a request, in bytes.
const MAX_HEAD_SIZE_BYTES: u64 = 64 * 1024;

/// Largest body of a request, in bytes; the rest is not read.
const MAX_BODY_SIZE_BYTES: u64 = 1024 * 1024;

/// One request, as a [`FakeChannel`](super::FakeChannel) got it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Such as `GET`.
    pub method: String,
    /// The path, without its query.
    pub path: String,
    /// The query as it was sent, without its question mark.
    pub query: String,
    /// The headers, with names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
    /// When it came, in Tokio's time.
    pub at: Instant,
}

impl Request {
    /// The value of `name` in the query, as it was sent.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&str> {
        let mut pairs = self
            .query
            .split('&')
            .filter_map(|pair| pair.split_once('='));
        pairs.find_map(|(key, value)| (key == name).then_some(value))
    }

    /// The number under `name` in the query, if it is one.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<u64> {
        self.param(name)?.parse().ok()
    }

    /// The value of a header; `name` in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// Reads one; `None` when the client said nothing.
    pub(super) async fn read(stream: impl AsyncRead + Unpin) -> io::Result<Option<Self>> {
        let mut reader = BufReader::new(stream);
        let mut head = (&mut reader).take(MAX_HEAD_SIZE_BYTES);
        let mut line = String::new();
        if head.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        let mut words = line.split_ascii_whitespace();
        let method = words.next().unwrap_or_default().to_owned();
        let target = words.next().unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let (path, query) = (path.to_owned(), query.to_owned());
        let mut headers = BTreeMap::new();
        loop {
            let mut line = String::new();
            head.read_line(&mut line).await?;
            let Some((name, value)) = line.split_once(':') else {
                break;
            };
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
        let length = headers
            .get("content-length")
            .and_then(|length| length.parse().ok());
        let mut body = Vec::new();
        let length = length.unwrap_or(0).min(MAX_BODY_SIZE_BYTES);
        reader.take(length).read_to_end(&mut body).await?;
        Ok(Some(Self {
            method,
            path,
            query,
            headers,
            body,
            at: Instant::now(),
        }))
    }
}
