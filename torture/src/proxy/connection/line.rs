//! What waits to be written, and how it is written.

use std::{io, num::NonZeroUsize};

use tokio::{
    io::{AsyncWrite, AsyncWriteExt},
    time::Instant,
};

/// Requests or replies that wait to be written, or to come: more than any pipeline of ours holds,
/// since a client may send all of it before it reads. Whoever adds more waits.
pub(super) const MAX_WAITING: usize = 16_384;

/// What is to be written, and when.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) bytes: Vec<u8>,
    /// Not before; none means at once.
    pub(super) not_before: Option<Instant>,
    /// Nothing comes after it: the connection is closed.
    pub(super) last: bool,
}

/// Writes in pieces of at most `slice` bytes, each handed to the network by itself.
pub(super) async fn write_sliced(
    to: &mut (impl AsyncWrite + Unpin),
    bytes: &[u8],
    slice: Option<NonZeroUsize>,
) -> io::Result<()> {
    let Some(slice) = slice else {
        return to.write_all(bytes).await;
    };
    for piece in bytes.chunks(slice.get()) {
        to.write_all(piece).await?;
        to.flush().await?;
        tokio::task::yield_now().await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{
        pin::Pin,
        task::{Context, Poll},
    };

    use super::*;

    /// Notes how much each write was given.
    #[derive(Default)]
    struct Writes(Vec<Vec<u8>>);

    impl AsyncWrite for Writes {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            self.0.push(bytes.to_vec());
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[tokio::test]
    async fn each_piece_is_a_write_of_its_own() {
        let mut writes = Writes::default();
        write_sliced(&mut writes, b"abcde", NonZeroUsize::new(2))
            .await
            .unwrap();
        assert_eq!(writes.0, [b"ab".to_vec(), b"cd".to_vec(), b"e".to_vec()]);
        write_sliced(&mut writes, b"abcde", None).await.unwrap();
        assert_eq!(writes.0[3], b"abcde");
    }
}
