//! Any client.

use std::{
    fmt,
    future::Future,
    ops::{Deref, DerefMut},
    sync::Arc,
};

use polling_model::SharedObserver;
use polling_transport::Call;

const PORT: &str = "client";

/// A client whose calls are told as [`Observation::Called`](polling_model::Observation::Called) where they are wrapped
/// in [`call`](Self::call); each method and field of it stays usable.
///
/// A document store, of which a database makes collections:
///
/// ```
/// # use std::{collections::BTreeMap, sync::{Arc, Mutex}};
/// # #[derive(Default)]
/// # struct Database { collections: Mutex<BTreeMap<String, Collection>> }
/// # #[derive(Clone, Default)]
/// # struct Collection { documents: Arc<Mutex<BTreeMap<u64, String>>> }
/// # impl Database {
/// #     fn collection(&self, name: &str) -> Collection {
/// #         self.collections.lock().unwrap().entry(name.to_owned()).or_default().clone()
/// #     }
/// # }
/// # impl Collection {
/// #     async fn insert(&self, id: u64, document: &str) -> Result<(), String> {
/// #         self.documents.lock().unwrap().insert(id, document.to_owned());
/// #         Ok(())
/// #     }
/// #     async fn find(&self, id: u64) -> Result<String, String> {
/// #         self.documents.lock().unwrap().get(&id).cloned().ok_or_else(|| "no such document".to_owned())
/// #     }
/// # }
/// use polling_ops::clients::Monitored;
/// # use polling_model::{Observation, SharedObserver};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), String> {
/// # let told = Arc::new(Mutex::new(Vec::new()));
/// # let tell = Arc::clone(&told);
/// # let observer: SharedObserver = Arc::new(move |observation: Observation<'_>| {
/// #     if let Observation::Called { name, operation, error, .. } = observation {
/// #         tell.lock().unwrap().push(format!("{name} {operation} {error:?}"));
/// #     }
/// # });
/// let shop = Monitored::new(Database::default(), "shop", observer); // or metrics.observer()
/// let orders = shop.child("orders", |shop| shop.collection("orders"));
///
/// orders.call("insert", orders.insert(7, "three lamps")).await?; // shop.orders insert
/// let missing = orders.call("find", orders.find(8)).await; // shop.orders find, with an error
/// # assert!(missing.is_err());
/// orders.find(7).await?; // as ever, and not told
/// # assert_eq!(*told.lock().unwrap(), ["shop.orders insert None", "shop.orders find Some(\"error\")"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Monitored<T> {
    inner: T,
    name: Arc<str>,
    observer: SharedObserver,
}

impl<T> Monitored<T> {
    /// Tells the calls of `inner` as those of `name`; to `observer`, which must be fast.
    #[must_use]
    pub fn new(inner: T, name: impl Into<Arc<str>>, observer: SharedObserver) -> Self {
        Self {
            inner,
            name: name.into(),
            observer,
        }
    }

    /// What this client makes: a database's collection, a server's topic. It is told as `NAME.PART`; `part` is one of few,
    /// never an id.
    #[must_use]
    pub fn child<C>(&self, part: &str, make: impl FnOnce(&T) -> C) -> Monitored<C> {
        Monitored {
            inner: make(&self.inner),
            name: format!("{}.{part}", self.name).into(),
            observer: Arc::clone(&self.observer),
        }
    }

    /// Awaits a call, and tells it: with the error `error` if it fails, or `cancelled` if nobody awaits its end.
    ///
    /// # Errors
    ///
    /// Those of the call.
    pub async fn call<R, E>(
        &self,
        operation: &'static str,
        call: impl Future<Output = Result<R, E>>,
    ) -> Result<R, E> {
        self.call_with(operation, call, failed).await
    }

    /// The same with a word of few for what went wrong, if anything did.
    pub async fn call_with<R>(
        &self,
        operation: &'static str,
        call: impl Future<Output = R>,
        error: impl FnOnce(&R) -> Option<&'static str>,
    ) -> R {
        let started = self.start(operation);
        let result = call.await;
        started.end(error(&result));
        result
    }

    /// The same for a method that needs the client mutably.
    ///
    /// # Errors
    ///
    /// Those of the call.
    pub async fn call_mut<R, E>(
        &mut self,
        operation: &'static str,
        call: impl AsyncFnOnce(&mut T) -> Result<R, E>,
    ) -> Result<R, E> {
        let started = Call::start(&self.observer, PORT, &*self.name, operation);
        let result = call(&mut self.inner).await;
        started.end(failed(&result));
        result
    }

    /// Makes a call that blocks, and tells it.
    ///
    /// # Errors
    ///
    /// Those of the call.
    pub fn call_sync<'a, R, E>(
        &'a self,
        operation: &'static str,
        call: impl FnOnce(&'a T) -> Result<R, E>,
    ) -> Result<R, E> {
        let started = self.start(operation);
        let result = call(&self.inner);
        started.end(failed(&result));
        result
    }

    /// The client itself.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.inner
    }

    fn start(&self, operation: &'static str) -> Call<&SharedObserver, &str, &'static str> {
        Call::start(&self.observer, PORT, &self.name, operation)
    }
}

fn failed<R, E>(result: &Result<R, E>) -> Option<&'static str> {
    result.as_ref().err().map(|_| "error")
}

impl<T> Deref for Monitored<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T> DerefMut for Monitored<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner
    }
}

/// Without the client, which may hold secrets.
impl<T> fmt::Debug for Monitored<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Monitored")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
