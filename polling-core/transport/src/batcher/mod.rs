//! Many small calls become few large ones. Knows nothing of whom it calls.

mod line;
#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use tokio::{
    sync::{Semaphore, oneshot},
    task::{JoinSet, yield_now},
    time::Instant,
};

use self::line::{Entry, Line, Reader};
use crate::queue::{EntryError, Outgoing};

/// What a batch may hold, when it goes, and how many may be under way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BatchLimits {
    /// Entries of a batch.
    pub(crate) entries: usize,
    /// So many entries are worth a call of their own: they wait for no others.
    pub(crate) enough: usize,
    /// Sizes of a batch's entries together.
    pub(crate) size_bytes: usize,
    /// Shortest time from one batch to the next that is not worth it, so that those fill up while
    /// calls come close together. The first after a pause goes at once, and so does one who calls
    /// again and again alone.
    pub(crate) linger: Duration,
    /// Whether any batch goes at once while none is under way, so that calls fill up only while the
    /// server is busy with others: for a server that charges nothing for a call.
    pub(crate) eager: bool,
    /// Batches under way; further entries wait in line.
    pub(crate) concurrent: usize,
    /// Entries in line; who adds another waits.
    pub(crate) waiting: usize,
}

/// Executes one batch: a result per entry, in their order.
pub(crate) type Execute<I, E> =
    Arc<dyn Fn(Vec<I>) -> BoxFuture<'static, Vec<Result<(), E>>> + Send + Sync>;

/// Collects entries and executes them in batches, on a task of its own.
///
/// It adapts to the load: a call on its own goes at once; calls that come close together wait up
/// to the linger for each other, and while as many as may be are under way, the next fills up.
///
/// A batch that fails, or panics, concerns its own entries only. When the batcher is dropped, the
/// task executes what was submitted and ends.
pub(crate) struct Batcher<I, E> {
    line: Arc<Line<I, E>>,
}

/// No answer came: the batch panicked, or the runtime is shutting down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the batch ended without an answer")]
pub(crate) struct NoAnswer;

/// The result of one entry, to come.
#[derive(Debug)]
pub(crate) struct Answer<E>(oneshot::Receiver<Result<(), E>>);

impl<E> Answer<E> {
    /// Waits for it. An entry is executed whether or not somebody does.
    pub(crate) async fn get(self) -> Result<Result<(), E>, NoAnswer> {
        self.0.await.map_err(|_| NoAnswer)
    }
}

impl<I: Send + 'static, E: Send + 'static> Batcher<I, E> {
    /// Starts the task on the current runtime.
    pub(crate) fn start(limits: BatchLimits, execute: Execute<I, E>) -> Self {
        let line = Arc::new(Line::new(limits));
        tokio::spawn(run(limits, Reader::of(line.clone()), execute));
        Self { line }
    }

    /// Puts an entry in line, waiting for room.
    pub(crate) async fn submit(&self, item: I, size_bytes: usize) -> Answer<E> {
        let (entry, answer) = entry(item, size_bytes);
        self.line.push([entry]).await;
        answer
    }

    /// Puts entries in line together, so that they share calls, waiting for room.
    pub(crate) async fn submit_all(&self, items: Vec<(I, usize)>) -> Vec<Answer<E>> {
        let mut answers = Vec::with_capacity(items.len());
        let mut items = items.into_iter().peekable();
        while items.peek().is_some() {
            let together = self.line.limits().entries.min(self.line.limits().waiting);
            let entries = items.by_ref().take(together);
            let (entries, theirs): (Vec<_>, Vec<_>) =
                entries.map(|(item, size)| entry(item, size)).unzip();
            self.line.push(entries).await;
            answers.extend(theirs);
        }
        answers
    }
}

fn entry<I, E>(item: I, size_bytes: usize) -> (Entry<I, E>, Answer<E>) {
    let (answer, answered) = oneshot::channel();
    let entry = Entry {
        item,
        size_bytes,
        answer,
    };
    (entry, Answer(answered))
}

impl<I, E> Drop for Batcher<I, E> {
    fn drop(&mut self) {
        self.line.end();
    }
}

impl<I, E> fmt::Debug for Batcher<I, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Batcher")
    }
}

async fn run<I: Send + 'static, E: Send + 'static>(
    limits: BatchLimits,
    line: Reader<I, E>,
    execute: Execute<I, E>,
) {
    let slots = Arc::new(Semaphore::new(limits.concurrent));
    let mut under_way = JoinSet::new();
    let mut earliest = Instant::now();
    // A place first, entries second: while all are taken, the next batch fills up.
    while let Ok(slot) = slots.clone().acquire_owned().await {
        if !line.some().await {
            break;
        }
        // Whoever is about to submit one more does so.
        yield_now().await;
        line.enough(earliest).await;
        let (batch, is_under_way) = line.take();
        let execute = execute.clone();
        under_way.spawn(async move {
            answer_all(batch, execute).await;
            drop((slot, is_under_way));
        });
        earliest = Instant::now() + limits.linger;
        // Takes note of those that have ended, so that the set stays small.
        while let Some(ended) = under_way.try_join_next() {
            note_panic(ended);
        }
    }
    while let Some(ended) = under_way.join_next().await {
        note_panic(ended);
    }
}

async fn answer_all<I, E>(batch: Vec<Entry<I, E>>, execute: Execute<I, E>) {
    let (items, answers): (Vec<_>, Vec<_>) = batch
        .into_iter()
        .map(|entry| (entry.item, entry.answer))
        .unzip();
    let results = execute(items).await;
    for (answer, result) in answers.into_iter().zip(results) {
        // Whoever asked may have left.
        let _ = answer.send(result);
    }
}

fn note_panic(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a batch ended without an answer");
    }
}

/// Sends messages through a batcher; those whose bodies are above the limit are refused without a
/// call. A trace takes `trace_bytes` more, and is left out where that is too much.
pub(crate) async fn send_all(
    sends: &Batcher<Outgoing, EntryError>,
    messages: Vec<Outgoing>,
    limit_bytes: usize,
    trace_bytes: usize,
    unknown: impl Fn(NoAnswer) -> EntryError,
) -> Vec<Result<(), EntryError>> {
    let refused: Vec<_> = messages
        .iter()
        .map(|message| message.body.len())
        .map(|size_bytes| (size_bytes > limit_bytes).then_some(size_bytes))
        .collect();
    let sized = messages.into_iter().filter_map(|mut message| {
        let size_bytes = message.body.len();
        if size_bytes + trace_bytes > limit_bytes {
            message.trace = None;
        }
        let traced = message.trace.map_or(0, |_| trace_bytes);
        (size_bytes <= limit_bytes).then_some((message, size_bytes + traced))
    });
    let mut answers = sends.submit_all(sized.collect()).await.into_iter();
    let mut results = Vec::with_capacity(refused.len());
    for refused in refused {
        results.push(match refused {
            Some(size_bytes) => Err(EntryError::Refused {
                reason: format!("message of {size_bytes} bytes, limit {limit_bytes}"),
            }),
            None => match answers.next() {
                Some(answer) => answer.get().await.unwrap_or_else(|gone| Err(unknown(gone))),
                None => Err(unknown(NoAnswer)),
            },
        });
    }
    results
}
