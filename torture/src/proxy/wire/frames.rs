//! A stream of bytes as requests or replies.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

use super::{Protocol, Side};

/// How much is read at once.
const READ_SIZE_BYTES: usize = 64 * 1024;

/// Reads requests or replies one by one.
pub(in crate::proxy) struct Frames<R> {
    from: R,
    protocol: Protocol,
    side: Side,
    bytes: Vec<u8>,
    /// What of `bytes` was given out.
    used: usize,
}

impl<R: AsyncRead + Unpin> Frames<R> {
    pub(in crate::proxy) fn new(from: R, protocol: Protocol, side: Side) -> Self {
        Self {
            from,
            protocol,
            side,
            bytes: Vec::new(),
            used: 0,
        }
    }

    /// The next one, or the end. What stands before the end without being whole is given, too.
    /// Nothing is lost when the future is dropped.
    pub(in crate::proxy) async fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            let there = &self.bytes[self.used..];
            let length = match there {
                [] => None,
                there => self
                    .protocol
                    .length(self.side, there)
                    .map_err(io::Error::other)?,
            };
            if let Some(length) = length {
                let frame = there[..length].to_vec();
                self.used += length;
                return Ok(Some(frame));
            }
            self.bytes.drain(..self.used);
            self.used = 0;
            self.bytes.reserve(READ_SIZE_BYTES);
            if self.from.read_buf(&mut self.bytes).await? == 0 {
                let rest = std::mem::take(&mut self.bytes);
                return Ok((!rest.is_empty()).then_some(rest));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn requests_come_one_by_one_and_the_unfinished_one_last() {
        let sent: &[u8] = b"+OK\r\n$3\r\nabc\r\n:1";
        let mut frames = Frames::new(sent, Protocol::Redis, Side::Reply);
        for expected in ["+OK\r\n", "$3\r\nabc\r\n", ":1"] {
            let frame = frames.next().await.unwrap();
            assert_eq!(frame.as_deref(), Some(expected.as_bytes()));
        }
        assert_eq!(frames.next().await.unwrap(), None);
    }
}
