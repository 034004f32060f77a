//! The connection: made when there is something to send, and anew after a pause when it fails.

use std::{future::Future, io, time::Duration};

use futures_util::FutureExt as _;
use polling_model::Generator;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    time::{sleep, timeout},
};

use super::{
    Counts,
    buffer::{Batch, Buffer, count},
};

/// Longest time to connect, or to write a batch.
pub const CALL_DEADLINE: Duration = Duration::from_secs(5);

/// Longest pause between two attempts.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(30);

const SHORTEST_PAUSE_MS: u64 = 100;

pub(super) struct Sender<'a, C, S> {
    buffer: &'a Buffer,
    connect: C,
    stream: Option<S>,
    generator: &'a Generator,
    counts: &'a Counts,
    failures: u32,
}

impl<'a, C, F, S> Sender<'a, C, S>
where
    C: Fn() -> F,
    F: Future<Output = io::Result<S>>,
    S: AsyncRead + AsyncWrite + Unpin,
{
    pub(super) fn new(
        buffer: &'a Buffer,
        connect: C,
        generator: &'a Generator,
        counts: &'a Counts,
    ) -> Self {
        Self {
            buffer,
            connect,
            stream: None,
            generator,
            counts,
            failures: 0,
        }
    }

    /// Sends what waits, for ever.
    pub(super) async fn run(&mut self) {
        loop {
            let batch = self.buffer.oldest().await;
            if !self.try_send(&batch).await {
                sleep(self.pause()).await;
            }
        }
    }

    /// Sends what waits, and returns once nothing does.
    pub(super) async fn flush(&mut self) {
        while let Some(batch) = self.buffer.now() {
            if !self.try_send(&batch).await {
                sleep(self.pause()).await;
            }
        }
    }

    /// A batch that fails is sent again as a whole: the same number at the same time changes nothing there.
    async fn try_send(&mut self, batch: &Batch) -> bool {
        let sent = timeout(CALL_DEADLINE, self.send(batch)).await;
        match sent.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
            Ok(()) => {
                self.buffer.sent(batch);
                self.counts.sent.inc_by(count(batch));
                self.failures = 0;
                true
            }
            Err(error) => {
                self.failures = self.failures.saturating_add(1);
                self.counts.failures.inc();
                tracing::warn!(failures = self.failures, %error, "Graphite cannot be reached; trying again after a pause");
                false
            }
        }
    }

    async fn send(&mut self, batch: &Batch) -> io::Result<()> {
        // Taken out meanwhile: a connection given up in the middle of a line is of no use.
        let mut stream = match self.stream.take().and_then(open) {
            Some(stream) => stream,
            None => (self.connect)().await?,
        };
        stream.write_all(batch.as_bytes()).await?;
        stream.flush().await?;
        self.stream = Some(stream);
        Ok(())
    }

    /// Twice as long after each failure, and never for all at the same time.
    fn pause(&self) -> Duration {
        let longest_ms = LONGEST_PAUSE.as_millis() as u64;
        let bound_ms = (SHORTEST_PAUSE_MS << self.failures.min(16)).min(longest_ms);
        Duration::from_millis(bound_ms / 2 + self.generator.below(bound_ms / 2))
    }
}

/// The stream, unless the other side has closed it. Carbon never answers, so there is nothing else to read; the first write
/// after a close would seem to succeed, and be lost.
fn open<S: AsyncRead + Unpin>(mut stream: S) -> Option<S> {
    match stream.read(&mut [0; 64]).now_or_never() {
        None | Some(Ok(1..)) => Some(stream),
        Some(_) => None,
    }
}
