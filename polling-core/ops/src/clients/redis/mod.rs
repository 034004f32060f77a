//! Connections of the crate `redis` that tell each command.
//!
//! ```no_run
//! use std::sync::Arc;
//! use polling_ops::{clients::redis::MonitoredConnection, metrics::Metrics};
//! use redis::AsyncCommands as _;
//!
//! # async fn run(metrics: Metrics) -> redis::RedisResult<()> {
//! let connection = redis::Client::open("redis://127.0.0.1/")?.get_multiplexed_async_connection().await?;
//! let mut connection = MonitoredConnection::new(connection, "sessions", metrics.observer());
//! let _: () = connection.set("user", 42).await?; // as before: counted and timed as SET
//! # Ok(())
//! # }
//! ```
//!
//! Whatever takes a connection of the crate takes one that is monitored: `AsyncCommands` and `Commands`, `cmd`, `pipe`,
//! `Script`. A command is told by its name, a pipeline as `PIPELINE`, a transaction as `MULTI`, and either with the first
//! error that it was answered. What a connection can do besides, such as to subscribe, is in reach and not told.

mod blocking;
mod commands;
mod error;

use std::{
    fmt,
    ops::{Deref, DerefMut},
    sync::Arc,
};

use polling_model::SharedObserver;
use polling_transport::Call;
use redis::{Cmd, Pipeline, RedisFuture, Value, aio};

pub use self::blocking::MonitoredBlockingConnection;

const PORT: &str = "redis";

/// A connection in front of another that tells each command as
/// [`Observation::Called`](polling_model::Observation::Called), and changes nothing.
#[derive(Clone)]
pub struct MonitoredConnection<C> {
    inner: C,
    name: Arc<str>,
    observer: SharedObserver,
}

impl<C: aio::ConnectionLike> MonitoredConnection<C> {
    /// Tells the commands of `inner` as those of `name`; to `observer`, which must be fast.
    #[must_use]
    pub fn new(inner: C, name: impl Into<Arc<str>>, observer: SharedObserver) -> Self {
        Self {
            inner,
            name: name.into(),
            observer,
        }
    }

    /// The connection itself.
    #[must_use]
    pub fn into_inner(self) -> C {
        self.inner
    }
}

/// A call, beside the connection that makes it.
fn start<'a>(
    observer: &'a SharedObserver,
    name: &'a str,
    operation: &'static str,
) -> Call<&'a SharedObserver, &'a str, &'static str> {
    Call::start(observer, PORT, name, operation)
}

fn name_of(command: &Cmd) -> &'static str {
    match command.args_iter().next() {
        Some(redis::Arg::Simple(name)) => commands::known(name),
        _ => commands::known(b""),
    }
}

fn name_of_pipeline(pipeline: &Pipeline) -> &'static str {
    match pipeline.is_transaction() {
        true => "MULTI",
        false => "PIPELINE",
    }
}

impl<C: aio::ConnectionLike + Send> aio::ConnectionLike for MonitoredConnection<C> {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move {
            let call = start(&self.observer, &self.name, name_of(command));
            let answer = self.inner.req_packed_command(command).await;
            call.end(error::of_value(&answer));
            answer
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(async move {
            let call = start(&self.observer, &self.name, name_of_pipeline(pipeline));
            let answers = self
                .inner
                .req_packed_commands(pipeline, offset, count)
                .await;
            call.end(error::of_values(&answers));
            answers
        })
    }

    fn get_db(&self) -> i64 {
        self.inner.get_db()
    }
}

impl<C> Deref for MonitoredConnection<C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.inner
    }
}

impl<C> DerefMut for MonitoredConnection<C> {
    fn deref_mut(&mut self) -> &mut C {
        &mut self.inner
    }
}

/// Without the connection, whose address may hold a password.
impl<C> fmt::Debug for MonitoredConnection<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MonitoredConnection")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
