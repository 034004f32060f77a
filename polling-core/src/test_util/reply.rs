//! What a fake channel answers.

use std::{io, time::Duration};

use tokio::{
    io::{AsyncWrite, AsyncWriteExt},
    time::sleep,
};

/// What is written of a body of [`Reply::huge`] at once.
const CHUNK: &[u8] = &[b' '; 16 * 1024];

/// An answer, good or bad.
///
/// ```
/// use std::time::Duration;
/// use polling_core::test_util::Reply;
///
/// let page = Reply::json("[]").with_header("x-ratelimit-remaining", "3");
/// let slow = page.clone().after(Duration::from_secs(20));
/// let refused = Reply::status(429).with_header("retry-after", "60");
/// # let _ = (slow, refused);
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    content: Content,
    latency: Duration,
    pause: Option<Duration>,
}

#[derive(Debug, Clone)]
enum Content {
    Body(Vec<u8>),
    /// So many blanks.
    Blanks(u64),
    /// Instead of an HTTP response.
    Raw(Vec<u8>),
}

impl Reply {
    /// An answer with a status and no body.
    pub fn status(status: u16) -> Self {
        Self::body(Vec::new()).with_status(status)
    }

    /// 200 with a JSON body, be it valid or not.
    pub fn json(text: impl Into<String>) -> Self {
        Self::body(text.into()).with_header("content-type", "application/json")
    }

    /// 200 with a body of any bytes.
    pub fn body(bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            status: 200,
            headers: Vec::new(),
            content: Content::Body(bytes.into()),
            latency: Duration::ZERO,
            pause: None,
        }
    }

    /// 200 with a body of so many bytes, all blanks, that takes no memory.
    pub fn huge(size_bytes: u64) -> Self {
        Self {
            content: Content::Blanks(size_bytes),
            ..Self::status(200)
        }
    }

    /// 302 to another place. One that leads to itself is endless.
    pub fn redirect(to: impl Into<String>) -> Self {
        Self::status(302).with_header("location", to)
    }

    /// These bytes instead of an HTTP response, and the end of the connection.
    pub fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            content: Content::Raw(bytes.into()),
            ..Self::status(200)
        }
    }

    /// The end of the connection, without an answer.
    pub fn hang_up() -> Self {
        Self::raw(Vec::new())
    }

    /// The same with another status.
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// The same with one more header. A `content-length` replaces the true one.
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The same after a wait.
    pub fn after(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }

    /// The same one byte at a time, with a pause after each.
    pub fn trickling(mut self, pause: Duration) -> Self {
        self.pause = Some(pause);
        self
    }

    pub(super) async fn write(self, stream: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        sleep(self.latency).await;
        let mut bytes = match &self.content {
            Content::Raw(_) => Vec::new(),
            Content::Body(body) => self.head(body.len() as u64),
            Content::Blanks(size_bytes) => self.head(*size_bytes),
        };
        let blanks = match self.content {
            Content::Raw(body) | Content::Body(body) => {
                bytes.extend(body);
                0
            }
            Content::Blanks(size_bytes) => size_bytes,
        };
        match self.pause {
            None => stream.write_all(&bytes).await?,
            Some(pause) => {
                for byte in bytes {
                    stream.write_all(&[byte]).await?;
                    sleep(pause).await;
                }
            }
        }
        write_blanks(stream, blanks, self.pause).await?;
        stream.shutdown().await
    }

    fn head(&self, size_bytes: u64) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} -\r\nconnection: close\r\n", self.status);
        let mut sized = false;
        for (name, value) in &self.headers {
            sized |= name.eq_ignore_ascii_case("content-length");
            head += &format!("{name}: {value}\r\n");
        }
        if !sized {
            head += &format!("content-length: {size_bytes}\r\n");
        }
        head += "\r\n";
        head.into_bytes()
    }
}

async fn write_blanks(
    stream: &mut (impl AsyncWrite + Unpin),
    mut left: u64,
    pause: Option<Duration>,
) -> io::Result<()> {
    while left > 0 {
        let longest = pause.map_or(CHUNK.len() as u64, |_| 1);
        // At most as long as the chunk.
        let chunk = &CHUNK[..left.min(longest) as usize];
        stream.write_all(chunk).await?;
        left -= chunk.len() as u64;
        if let Some(pause) = pause {
            sleep(pause).await;
        }
    }
    Ok(())
}
