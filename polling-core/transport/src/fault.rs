//! A failure that several callers share.

use std::{error::Error, fmt, sync::Arc};

use crate::queue::{EntryError, QueueError, QueueErrorKind};

/// A failed call, or a failed entry of one. Clones go to all who shared the call.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) kind: QueueErrorKind,
    pub(crate) source: Arc<dyn Error + Send + Sync>,
}

impl Fault {
    pub(crate) fn new(
        kind: QueueErrorKind,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self {
            kind,
            source: Arc::from(source.into()),
        }
    }

    pub(crate) fn into_error(self, queue: &str, operation: &'static str) -> QueueError {
        QueueError {
            queue: queue.to_owned(),
            operation,
            kind: self.kind,
            source: Some(Box::new(Shared(self.source))),
        }
    }

    /// Nobody knows which entries of a failed call had their effect.
    pub(crate) fn into_unknown_entry(self) -> EntryError {
        let mut reason = self.kind.to_string();
        let mut next: Option<&dyn Error> = Some(&*self.source);
        while let Some(error) = next {
            reason = format!("{reason}: {error}");
            next = error.source();
        }
        EntryError::Unknown { reason }
    }
}

/// An error with several owners.
#[derive(Debug)]
struct Shared(Arc<dyn Error + Send + Sync>);

impl fmt::Display for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for Shared {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_error_keeps_its_words_and_its_source() {
        let io = std::io::Error::other("the cable");
        let fault = Fault::new(QueueErrorKind::Unreachable, io);
        let error = fault.clone().into_error("jobs", "ack");
        assert_eq!(
            error.to_string(),
            "ack on queue jobs failed: the server cannot be reached"
        );
        assert_eq!(
            error.source().map(ToString::to_string).as_deref(),
            Some("the cable")
        );
        let EntryError::Unknown { reason } = fault.into_unknown_entry() else {
            panic!("a failed call says nothing for sure about an entry");
        };
        assert_eq!(reason, "the server cannot be reached: the cable");
    }
}
