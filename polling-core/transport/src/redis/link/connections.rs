//! One connection after the other.

use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use redis::{AsyncConnectionConfig, RedisError, RedisResult, aio::MultiplexedConnection};
use tokio::task::JoinSet;

use super::{
    errors::{ends_connection, is_moved},
    servers::Servers,
};

/// The connection that steps share, and those that follow when it has failed.
pub(super) struct Connections {
    servers: Servers,
    config: AsyncConnectionConfig,
    current: Mutex<Option<Numbered>>,
    /// Whoever has it connects.
    connecting: tokio::sync::Mutex<()>,
    /// Of the connection that has failed last: whoever uses it still must not end its successor.
    failed: Mutex<u64>,
    connected: AtomicU64,
}

/// A connection and its number, from 1.
#[derive(Clone)]
pub(super) struct Numbered {
    pub(super) number: u64,
    pub(super) connection: MultiplexedConnection,
}

impl Connections {
    pub(super) fn new(servers: Servers, config: AsyncConnectionConfig) -> Self {
        Self {
            servers,
            config,
            current: Mutex::new(None),
            connecting: tokio::sync::Mutex::new(()),
            failed: Mutex::new(0),
            connected: AtomicU64::new(0),
        }
    }

    /// The connection that is there, or a new one. It is made by a task of its own: a step that has
    /// its turn to connect, and that nobody polls, would hold up all others.
    pub(super) async fn get(self: &Arc<Self>) -> RedisResult<Numbered> {
        if let Some(numbered) = self.usable() {
            return Ok(numbered);
        }
        let connections = Arc::clone(self);
        // Who gives up leaves no task behind.
        let mut task = JoinSet::new();
        task.spawn(async move { connections.connect().await });
        match task.join_next().await {
            Some(Ok(connected)) => connected,
            _ => Err(io::Error::from(io::ErrorKind::Interrupted).into()),
        }
    }

    async fn connect(&self) -> RedisResult<Numbered> {
        let _turn = self.connecting.lock().await;
        if let Some(numbered) = self.usable() {
            return Ok(numbered);
        }
        let connection = self.servers.connect(&self.config).await?;
        let number = self.connected.fetch_add(1, Ordering::Relaxed) + 1;
        let numbered = Numbered { number, connection };
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Some(numbered.clone());
        Ok(numbered)
    }

    /// The connection, unless it has failed: then it is dropped.
    fn usable(&self) -> Option<Numbered> {
        let failed = *self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        current.take_if(|one| one.number <= failed);
        current.clone()
    }

    /// Ends the connection with number `used`, 0 if there was none, if it leads nowhere.
    pub(super) fn after(&self, error: &RedisError, used: u64) {
        if !is_moved(error) && !ends_connection(error) {
            return;
        }
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        // Many steps share a connection, and its end: one of them says where to go.
        if used != 0 && used <= *failed {
            return;
        }
        *failed = used.max(*failed);
        if is_moved(error) {
            self.servers.follow(error);
        } else {
            self.servers.turn();
        }
    }
}
