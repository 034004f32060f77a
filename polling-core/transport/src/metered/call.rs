//! One call under way.

use std::borrow::Borrow;

use polling_model::{Observation, SharedObserver};
use tokio::time::Instant;

/// A call under way, told as [`Observation::Called`] when it is dropped: `cancelled`, unless it has [ended](Self::end).
///
/// It holds references where the caller awaits the call itself, and values of its own where the call outlives them.
///
/// ```
/// # use polling_model::SharedObserver;
/// use polling_transport::Call;
///
/// # fn find(observer: &SharedObserver) {
/// let call = Call::start(observer, "database", "users", "find");
/// // …
/// call.end(None);
/// # }
/// ```
#[derive(Debug)]
pub struct Call<O: Borrow<SharedObserver>, N: AsRef<str>, P: AsRef<str>> {
    observer: O,
    port: &'static str,
    name: N,
    operation: P,
    started: Instant,
    error: Option<&'static str>,
}

impl<O: Borrow<SharedObserver>, N: AsRef<str>, P: AsRef<str>> Call<O, N, P> {
    /// A call that starts now: `operation` of what is called `name`.
    pub fn start(observer: O, port: &'static str, name: N, operation: P) -> Self {
        Self {
            observer,
            port,
            name,
            operation,
            started: Instant::now(),
            error: Some("cancelled"),
        }
    }

    /// It has ended: well, or with an error of this kind.
    pub fn end(mut self, error: Option<&'static str>) {
        self.error = error;
    }
}

impl<O: Borrow<SharedObserver>, N: AsRef<str>, P: AsRef<str>> Drop for Call<O, N, P> {
    fn drop(&mut self) {
        self.observer.borrow().observe(Observation::Called {
            port: self.port,
            name: self.name.as_ref(),
            operation: self.operation.as_ref(),
            error: self.error,
            elapsed: self.started.elapsed(),
        });
    }
}
