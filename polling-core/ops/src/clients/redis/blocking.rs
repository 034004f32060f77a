//! Connections that block.

use std::{fmt, ops::Deref, sync::Arc};

use polling_model::SharedObserver;
use redis::{Cmd, ConnectionLike, RedisResult, Value};

use super::{commands, error, name_of, start};

/// The same for connections that block, `redis::Connection` and pooled ones.
///
/// What needs it mutably goes through [`get_mut`](Self::get_mut): the crate `redis` makes a connection of all that is
/// `DerefMut`, which would pass the commands by.
#[derive(Clone)]
pub struct MonitoredBlockingConnection<C> {
    inner: C,
    name: Arc<str>,
    observer: SharedObserver,
}

impl<C: ConnectionLike> MonitoredBlockingConnection<C> {
    /// Tells the commands of `inner` as those of `name`; to `observer`, which must be fast.
    #[must_use]
    pub fn new(inner: C, name: impl Into<Arc<str>>, observer: SharedObserver) -> Self {
        Self {
            inner,
            name: name.into(),
            observer,
        }
    }

    /// The connection itself; what it is asked is not told.
    pub fn get_mut(&mut self) -> &mut C {
        &mut self.inner
    }

    /// The connection itself.
    #[must_use]
    pub fn into_inner(self) -> C {
        self.inner
    }
}

impl<C: ConnectionLike> ConnectionLike for MonitoredBlockingConnection<C> {
    fn req_packed_command(&mut self, command: &[u8]) -> RedisResult<Value> {
        let call = start(&self.observer, &self.name, commands::of_packed(command));
        let answer = self.inner.req_packed_command(command);
        call.end(error::of_value(&answer));
        answer
    }

    fn req_packed_commands(
        &mut self,
        commands: &[u8],
        offset: usize,
        count: usize,
    ) -> RedisResult<Vec<Value>> {
        // A transaction begins with its own command.
        let operation = match commands::of_packed(commands) {
            "MULTI" => "MULTI",
            _ => "PIPELINE",
        };
        let call = start(&self.observer, &self.name, operation);
        let answers = self.inner.req_packed_commands(commands, offset, count);
        call.end(error::of_values(&answers));
        answers
    }

    fn req_command(&mut self, command: &Cmd) -> RedisResult<Value> {
        let call = start(&self.observer, &self.name, name_of(command));
        let answer = self.inner.req_command(command);
        call.end(error::of_value(&answer));
        answer
    }

    fn get_db(&self) -> i64 {
        self.inner.get_db()
    }

    fn supports_pipelining(&self) -> bool {
        self.inner.supports_pipelining()
    }

    fn check_connection(&mut self) -> bool {
        self.inner.check_connection()
    }

    fn is_open(&self) -> bool {
        self.inner.is_open()
    }
}

impl<C> Deref for MonitoredBlockingConnection<C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.inner
    }
}

/// Without the connection, whose address may hold a password.
impl<C> fmt::Debug for MonitoredBlockingConnection<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MonitoredBlockingConnection")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
