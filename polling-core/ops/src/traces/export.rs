//! Spans that wait, and the task that exports them.

use std::{
    collections::VecDeque,
    future::Future,
    pin::pin,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use opentelemetry_sdk::{
    error::{OTelSdkError, OTelSdkResult},
    trace::{SpanData, SpanExporter},
};
use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};

use super::layer::Shared;

/// Longest time of one call to the collector.
pub const CALL_DEADLINE: Duration = Duration::from_secs(3);

/// Longest time for the last spans, once the program stops.
pub const LAST_SPANS: Duration = Duration::from_secs(3);

/// Spans that wait to be exported: at most so many, the oldest.
#[derive(Debug)]
pub(super) struct Waiting {
    spans: Mutex<VecDeque<SpanData>>,
    most: usize,
    pushed: Notify,
    pub(super) exported: AtomicU64,
    pub(super) dropped: AtomicU64,
}

impl Waiting {
    pub(super) fn new(most: usize) -> Self {
        Self {
            spans: Mutex::default(),
            most,
            pushed: Notify::new(),
            exported: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
        }
    }

    /// Adds what was told together, all or nothing: half a trace misleads.
    pub(super) fn push(&self, spans: Vec<SpanData>) {
        let mut waiting = self.lock();
        if waiting.len() + spans.len() > self.most {
            self.dropped.fetch_add(spans.len() as u64, Relaxed);
            return;
        }
        waiting.extend(spans);
        drop(waiting);
        self.pushed.notify_one();
    }

    fn take(&self, most: usize) -> Vec<SpanData> {
        let mut waiting = self.lock();
        let count = waiting.len().min(most);
        waiting.drain(..count).collect()
    }

    fn len(&self) -> usize {
        self.lock().len()
    }

    async fn at_least(&self, count: usize) {
        while self.len() < count {
            self.pushed.notified().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<SpanData>> {
        // Nothing panics while it is held.
        self.spans.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) struct Sender<'a, E> {
    shared: &'a Shared,
    exporter: &'a E,
}

impl<'a, E: SpanExporter> Sender<'a, E> {
    pub(super) fn new(shared: &'a Shared, exporter: &'a E) -> Self {
        Self { shared, exporter }
    }

    pub(super) async fn run(&self, shutdown: impl Future<Output = ()> + Send) {
        let mut shutdown = pin!(shutdown);
        let mut well = true;
        loop {
            tokio::select! {
                biased;
                () = &mut shutdown => break,
                () = self.some() => {}
            }
            self.export(&mut well).await;
        }
        let last = async {
            while self.shared.waiting.len() > 0 {
                self.export(&mut well).await;
            }
        };
        if timeout(LAST_SPANS, last).await.is_err() {
            let spans = self.shared.waiting.len();
            tracing::warn!(spans, "the last traces were not exported in time");
        }
    }

    /// Until there is a full batch, or something has waited for long enough.
    async fn some(&self) {
        let (waiting, config) = (&self.shared.waiting, &self.shared.config);
        waiting.at_least(1).await;
        let full = config.max_batch.min(config.max_waiting);
        tokio::select! {
            biased;
            () = waiting.at_least(full) => {}
            () = sleep(config.every) => {}
        }
    }

    async fn export(&self, well: &mut bool) {
        let waiting = &self.shared.waiting;
        let batch = waiting.take(self.shared.config.max_batch);
        let count = batch.len() as u64;
        let exported = timeout(CALL_DEADLINE, self.exporter.export(batch)).await;
        let exported: OTelSdkResult = exported.unwrap_or(Err(OTelSdkError::Timeout(CALL_DEADLINE)));
        match &exported {
            Ok(()) => {
                waiting.exported.fetch_add(count, Relaxed);
                if !*well {
                    tracing::info!("traces are exported again");
                }
            }
            Err(error) => {
                waiting.dropped.fetch_add(count, Relaxed);
                // Once for each outage: every batch of it fails.
                if *well {
                    tracing::warn!(%error, "traces cannot be exported; they are dropped meanwhile");
                }
            }
        }
        *well = exported.is_ok();
    }
}
