use std::{collections::VecDeque, sync::Arc, sync::Mutex, time::Duration};

use async_trait::async_trait;
use polling_core::{
    Queue, QueueError,
    transport::{
        EntryError, Message, Outgoing, QueueErrorKind, QueueStats, Receipt, memory::MemoryQueue,
    },
};

use super::Log;

/// A queue that writes down its calls and fails on demand.
#[derive(Debug)]
pub(crate) struct RecordingQueue {
    pub(crate) inner: Arc<MemoryQueue>,
    log: Log,
    sends: Mutex<VecDeque<EntryError>>,
    failures: Mutex<VecDeque<(&'static str, QueueErrorKind)>>,
    silent: Mutex<Option<&'static str>>,
}

impl RecordingQueue {
    pub(crate) fn new(inner: Arc<MemoryQueue>, log: &Log) -> Arc<Self> {
        Arc::new(Self {
            inner,
            log: log.clone(),
            sends: Mutex::default(),
            failures: Mutex::default(),
            silent: Mutex::default(),
        })
    }

    /// The next sends fail with these.
    pub(crate) fn fail_sends(&self, errors: impl IntoIterator<Item = EntryError>) {
        self.sends.lock().unwrap().extend(errors);
    }

    /// The next call of `operation` fails.
    pub(crate) fn fail(&self, operation: &'static str, kind: QueueErrorKind) {
        self.failures.lock().unwrap().push_back((operation, kind));
    }

    /// The next call of `operation`, a receive or an acknowledgement, is never answered.
    pub(crate) fn fall_silent(&self, operation: &'static str) {
        *self.silent.lock().unwrap() = Some(operation);
    }

    async fn answer(&self, operation: &'static str) {
        let silent = self
            .silent
            .lock()
            .unwrap()
            .take_if(|silent| *silent == operation);
        if silent.is_some() {
            std::future::pending::<()>().await;
        }
    }

    fn called(&self, operation: &'static str) -> Result<(), QueueError> {
        self.log.add(format!("{operation} {}", self.name()));
        let mut failures = self.failures.lock().unwrap();
        match failures.front() {
            Some((failing, _)) if *failing == operation => {
                let (operation, kind) = failures.pop_front().unwrap();
                Err(QueueError {
                    queue: self.name().to_owned(),
                    operation,
                    kind,
                    source: None,
                })
            }
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl Queue for RecordingQueue {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn visibility_timeout(&self) -> Duration {
        self.inner.visibility_timeout()
    }

    async fn receive(&self, max: usize, wait: Duration) -> Result<Vec<Message>, QueueError> {
        let fails = {
            let failures = self.failures.lock().unwrap();
            matches!(failures.front(), Some(("receive", _)))
        };
        // Receives are many and empty: only those that fail are of interest.
        if fails {
            self.called("receive")?;
        }
        self.answer("receive").await;
        self.inner.receive(max, wait).await
    }

    async fn send_all(&self, messages: Vec<Outgoing>) -> Vec<Result<(), EntryError>> {
        self.log.add(format!("send {}", self.name()));
        let failure = self.sends.lock().unwrap().pop_front();
        match failure {
            Some(error) => vec![Err(error)],
            None => self.inner.send_all(messages).await,
        }
    }

    async fn ack(&self, receipt: &Receipt) -> Result<(), QueueError> {
        self.called("ack")?;
        self.answer("ack").await;
        self.inner.ack(receipt).await
    }

    async fn extend(&self, receipt: &Receipt, visibility: Duration) -> Result<(), QueueError> {
        self.called(if visibility.is_zero() {
            "release"
        } else {
            "extend"
        })?;
        self.inner.extend(receipt, visibility).await
    }

    async fn stats(&self) -> Result<QueueStats, QueueError> {
        self.called("stats")?;
        self.inner.stats().await
    }
}
