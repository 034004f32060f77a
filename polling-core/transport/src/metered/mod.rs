//! Ports that tell an observer how long each call took, and how it failed.
//!
//! ```
//! use std::{sync::Arc, time::Duration};
//! use polling_model::{Observation, SharedObserver, SystemClock};
//! use polling_transport::{Metered, Queue, SharedQueue, memory::MemoryQueue};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), polling_transport::QueueError> {
//! let observer: SharedObserver = Arc::new(|observation: Observation<'_>| {
//!     if let Observation::Called { operation, error, elapsed, .. } = observation {
//!         eprintln!("{operation}: {elapsed:?}, {error:?}");
//!     }
//! });
//! let jobs = MemoryQueue::builder("jobs", Arc::new(SystemClock)).build();
//! let metered = Metered::new(jobs, "jobs", observer);
//! metered.send(vec!["poll account 42".to_owned()]).await; // send: 4µs, None
//! assert_eq!(metered.get_ref().name(), "jobs"); // the queue itself, with all that it can
//!
//! let shared: SharedQueue = Arc::new(metered); // wherever a queue is wanted
//! # Ok(())
//! # }
//! ```

mod bus;
mod call;
mod queue;

use std::{fmt, future::Future, ops::Deref, sync::Arc};

use polling_model::SharedObserver;

pub use self::call::Call;

/// A port in front of another that reports each call, as [`Observation::Called`](polling_model::Observation::Called), and changes nothing.
pub struct Metered<S: ?Sized> {
    inner: Arc<S>,
    name: Arc<str>,
    observer: SharedObserver,
}

impl<S: ?Sized> Metered<S> {
    /// Reports the calls to `inner` as those to `name`; to `observer`, which must be fast.
    #[must_use]
    pub fn new(inner: Arc<S>, name: impl Into<Arc<str>>, observer: SharedObserver) -> Self {
        Self {
            inner,
            name: name.into(),
            observer,
        }
    }

    /// What is metered.
    #[must_use]
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// What is metered, no longer.
    #[must_use]
    pub fn into_inner(self) -> Arc<S> {
        self.inner
    }

    /// Awaits a call and reports it: for the metering of further ports. A call that is given up is reported as
    /// `cancelled`.
    pub async fn call<T>(
        &self,
        port: &'static str,
        operation: &'static str,
        future: impl Future<Output = T>,
        error: impl FnOnce(&T) -> Option<&'static str>,
    ) -> T {
        let call = Call::start(&self.observer, port, &*self.name, operation);
        let result = future.await;
        call.end(error(&result));
        result
    }
}

impl<S: ?Sized> Clone for Metered<S> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            name: Arc::clone(&self.name),
            observer: Arc::clone(&self.observer),
        }
    }
}

/// Whatever else the port can do, unmetered.
impl<S: ?Sized> Deref for Metered<S> {
    type Target = S;

    fn deref(&self) -> &S {
        &self.inner
    }
}

impl<S: fmt::Debug + ?Sized> fmt::Debug for Metered<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Metered").field(&&*self.inner).finish()
    }
}
