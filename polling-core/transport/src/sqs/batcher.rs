//! Many small calls become few large ones. Knows nothing of SQS.

use std::{fmt, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot},
    task::JoinSet,
    time::{Instant, timeout_at},
};

/// What a batch may hold, and how many may be under way.
#[derive(Debug, Clone, Copy)]
pub(super) struct BatchLimits {
    /// Entries of a batch.
    pub(super) entries: usize,
    /// Their sizes together.
    pub(super) size_bytes: usize,
    /// How long the first entry waits for others.
    pub(super) linger: Duration,
    /// Batches under way; further entries wait in line.
    pub(super) concurrent: usize,
    /// Entries in line; who adds another waits.
    pub(super) waiting: usize,
}

/// Executes one batch: a result per entry, in their order.
pub(super) type Execute<I, E> =
    Arc<dyn Fn(Vec<I>) -> BoxFuture<'static, Vec<Result<(), E>>> + Send + Sync>;

/// Collects entries and executes them in batches, on a task of its own.
///
/// A batch that fails, or panics, concerns its own entries only. When the batcher is dropped, the
/// task executes what was submitted and ends.
pub(super) struct Batcher<I, E> {
    line: mpsc::Sender<Entry<I, E>>,
}

struct Entry<I, E> {
    item: I,
    size_bytes: usize,
    answer: oneshot::Sender<Result<(), E>>,
}

/// No answer came: the batch panicked, or the runtime is shutting down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the batch ended without an answer")]
pub(super) struct NoAnswer;

impl<I: Send + 'static, E: Send + 'static> Batcher<I, E> {
    /// Starts the task on the current runtime.
    pub(super) fn start(limits: BatchLimits, execute: Execute<I, E>) -> Self {
        let (line, entries) = mpsc::channel(limits.waiting);
        tokio::spawn(run(limits, entries, execute));
        Self { line }
    }

    /// Puts an entry in line, waiting for room, and returns what resolves to its result.
    pub(super) async fn submit(
        &self,
        item: I,
        size_bytes: usize,
    ) -> impl Future<Output = Result<Result<(), E>, NoAnswer>> + use<I, E> {
        let (answer, answered) = oneshot::channel();
        let entry = Entry {
            item,
            size_bytes,
            answer,
        };
        // If the task is gone, so is the sender of the answer.
        let _ = self.line.send(entry).await;
        async move { answered.await.map_err(|_| NoAnswer) }
    }
}

impl<I, E> fmt::Debug for Batcher<I, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Batcher")
    }
}

async fn run<I: Send + 'static, E: Send + 'static>(
    limits: BatchLimits,
    mut entries: mpsc::Receiver<Entry<I, E>>,
    execute: Execute<I, E>,
) {
    let slots = Arc::new(Semaphore::new(limits.concurrent));
    let mut under_way = JoinSet::new();
    // The entry that did not fit into the batch before it.
    let mut left_over = None;
    // A place first, entries second: while all are taken, the next batch fills up.
    while let Ok(slot) = slots.clone().acquire_owned().await {
        let first = match left_over.take() {
            Some(entry) => entry,
            None => match entries.recv().await {
                Some(entry) => entry,
                None => break,
            },
        };
        let batch;
        (batch, left_over) = collect(limits, first, &mut entries).await;
        under_way.spawn(answer_all(batch, execute.clone(), slot));
        // Takes note of those that have ended, so that the set stays small.
        while let Some(ended) = under_way.try_join_next() {
            note_panic(ended);
        }
    }
    while let Some(ended) = under_way.join_next().await {
        note_panic(ended);
    }
}

/// Fills a batch until it is full or the first entry has waited long enough.
async fn collect<I, E>(
    limits: BatchLimits,
    first: Entry<I, E>,
    entries: &mut mpsc::Receiver<Entry<I, E>>,
) -> (Vec<Entry<I, E>>, Option<Entry<I, E>>) {
    let deadline = Instant::now() + limits.linger;
    let mut size_bytes = first.size_bytes;
    let mut batch = Vec::with_capacity(limits.entries);
    batch.push(first);
    while batch.len() < limits.entries {
        let Ok(Some(entry)) = timeout_at(deadline, entries.recv()).await else {
            break;
        };
        if size_bytes + entry.size_bytes > limits.size_bytes {
            return (batch, Some(entry));
        }
        size_bytes += entry.size_bytes;
        batch.push(entry);
    }
    (batch, None)
}

async fn answer_all<I, E>(
    batch: Vec<Entry<I, E>>,
    execute: Execute<I, E>,
    _slot: OwnedSemaphorePermit,
) {
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

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use futures_util::{FutureExt, future::join_all};

    use super::*;

    const LIMITS: BatchLimits = BatchLimits {
        entries: 10,
        size_bytes: 100,
        linger: Duration::from_millis(5),
        concurrent: 2,
        waiting: 50,
    };

    type Batches = Arc<Mutex<Vec<Vec<u32>>>>;

    /// Notes each batch; an item above 900 panics, an odd one fails.
    fn batcher(limits: BatchLimits) -> (Batcher<u32, u32>, Batches) {
        let batches = Batches::default();
        let seen = batches.clone();
        let execute = move |items: Vec<u32>| {
            seen.lock().unwrap().push(items.clone());
            async move {
                tokio::time::sleep(Duration::from_millis(50)).await;
                assert!(items.iter().all(|&n| n <= 900), "a bad batch");
                let fail_odd = |n: u32| if n % 2 == 1 { Err(n) } else { Ok(()) };
                items.into_iter().map(fail_odd).collect()
            }
            .boxed()
        };
        (Batcher::start(limits, Arc::new(execute)), batches)
    }

    async fn submit(batcher: &Batcher<u32, u32>, n: u32) -> Result<Result<(), u32>, NoAnswer> {
        batcher.submit(n, 10).await.await
    }

    #[tokio::test(start_paused = true)]
    async fn concurrent_calls_share_batches_and_each_gets_its_own_answer() {
        let (batcher, batches) = batcher(LIMITS);
        let answers = join_all((0..25).map(|n| submit(&batcher, n))).await;
        for (n, answer) in (0..25).zip(answers) {
            assert_eq!(answer, Ok(if n % 2 == 1 { Err(n) } else { Ok(()) }));
        }
        let sizes: Vec<_> = batches.lock().unwrap().iter().map(Vec::len).collect();
        assert_eq!(sizes, [10, 10, 5]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_lone_call_waits_no_longer_than_the_linger() {
        let (batcher, _) = batcher(LIMITS);
        let started = Instant::now();
        assert_eq!(submit(&batcher, 2).await, Ok(Ok(())));
        assert_eq!(started.elapsed(), Duration::from_millis(55));
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_batch_does_not_wait() {
        let (batcher, _) = batcher(LIMITS);
        let started = Instant::now();
        join_all((0..10).map(|n| submit(&batcher, n))).await;
        assert_eq!(started.elapsed(), Duration::from_millis(50));
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_keeps_to_its_size() {
        let limits = BatchLimits {
            size_bytes: 35,
            ..LIMITS
        };
        let (batcher, batches) = batcher(limits);
        join_all((0..7).map(|n| submit(&batcher, n))).await;
        assert_eq!(
            *batches.lock().unwrap(),
            [vec![0, 1, 2], vec![3, 4, 5], vec![6]]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_panic_concerns_its_own_batch_only() {
        let (batcher, _) = batcher(LIMITS);
        assert_eq!(submit(&batcher, 901).await, Err(NoAnswer));
        assert_eq!(submit(&batcher, 2).await, Ok(Ok(())));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_under_way_and_in_line_is_bounded() {
        let (batcher, batches) = batcher(LIMITS);
        let calls = (0..500).map(|n| submit(&batcher, n));
        let mut calls = Box::pin(join_all(calls));
        assert!(calls.as_mut().now_or_never().is_none());
        tokio::time::sleep(Duration::from_millis(40)).await;
        assert_eq!(batches.lock().unwrap().len(), LIMITS.concurrent);
        let started = Instant::now();
        assert_eq!(calls.await.len(), 500);
        assert!(started.elapsed() >= Duration::from_millis(50 * 500 / 20 - 50));
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_submitted_is_executed_though_the_batcher_is_dropped() {
        let (batcher, batches) = batcher(LIMITS);
        let answer = batcher.submit(2, 10).await;
        drop(batcher);
        assert_eq!(answer.await, Ok(Ok(())));
        assert_eq!(batches.lock().unwrap().len(), 1);
        // The task has ended, and with it the last other owner of what it executes.
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert_eq!(Arc::strong_count(&batches), 1);
    }
}
