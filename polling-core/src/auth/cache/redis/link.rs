//! A connection to Redis that gives up in time, and connects anew after a failure.

use std::{io, sync::PoisonError, time::Duration};

use redis::{
    AsyncConnectionConfig, Cmd, ErrorKind, FromRedisValue, RedisError, RedisResult, Script,
    ServerErrorKind, Value, aio::MultiplexedConnection,
};
use tokio::{
    sync::Mutex,
    time::{Instant, timeout_at},
};

use super::{CacheError, route::Route};

/// Most times that one step is sent to where a cluster's node points to.
const MAX_MOVES: usize = 3;

/// One multiplexed connection, thrown away when it fails.
pub(super) struct Link {
    address: String,
    connect_timeout: Duration,
    response_timeout: Duration,
    route: std::sync::Mutex<Route>,
    current: Mutex<Option<Numbered>>,
}

/// A connection and its number, from 1: whoever uses an old one still must not end its successor.
#[derive(Clone)]
struct Numbered {
    number: u64,
    connection: MultiplexedConnection,
}

impl Link {
    pub(super) fn new(
        url: &str,
        connect_timeout: Duration,
        response_timeout: Duration,
    ) -> Result<Self, CacheError> {
        #[cfg(feature = "auth-redis-tls")]
        choose_cryptography();
        let route = Route::new(url).map_err(|error| {
            // The client's error would be safe to show, the address that it is about is not.
            let no_address = "at an address that is not redis://host:port/database";
            CacheError::new(no_address, "open", error)
        })?;
        Ok(Self {
            address: route.address(),
            connect_timeout,
            response_timeout,
            route: std::sync::Mutex::new(route),
            current: Mutex::new(None),
        })
    }

    pub(super) fn set_timeouts(&mut self, connect: Duration, response: Duration) {
        (self.connect_timeout, self.response_timeout) = (connect, response);
    }

    /// Host and port, without credentials.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Runs one command.
    pub(super) async fn query<T: FromRedisValue>(
        &self,
        step: &'static str,
        command: &Cmd,
    ) -> Result<T, CacheError> {
        self.run(step, command, None).await
    }

    /// Runs a script that `command` calls by its hash, and teaches it to a server that does not
    /// know it.
    pub(super) async fn eval<T: FromRedisValue>(
        &self,
        step: &'static str,
        script: &Script,
        command: &Cmd,
    ) -> Result<T, CacheError> {
        self.run(step, command, Some(script)).await
    }

    async fn run<T: FromRedisValue>(
        &self,
        step: &'static str,
        command: &Cmd,
        script: Option<&Script>,
    ) -> Result<T, CacheError> {
        let answered = self.within_deadline(command, script).await;
        let decoded = answered.and_then(|value| Ok(T::from_redis_value(value)?));
        decoded.map_err(|error| self.failed(step, error))
    }

    /// A node that has not the channel's keys does nothing but point to the one that has.
    async fn within_deadline(&self, command: &Cmd, script: Option<&Script>) -> RedisResult<Value> {
        let deadline = Instant::now() + self.response_timeout;
        let mut moves = 0;
        loop {
            match self.attempt(command, script, deadline).await {
                Err(error) if is_moved(&error) && moves < MAX_MOVES => moves += 1,
                result => return result,
            }
        }
    }

    async fn attempt(
        &self,
        command: &Cmd,
        script: Option<&Script>,
        deadline: Instant,
    ) -> RedisResult<Value> {
        let mut used = 0;
        let attempt = async {
            let Numbered { number, connection } = &mut self.connection().await?;
            used = *number;
            match (send(connection, command).await, script) {
                (Err(error), Some(script)) if is_unknown_script(&error) => {
                    script.load_async(connection).await?;
                    send(connection, command).await
                }
                (answered, _) => answered,
            }
        };
        let result = timeout_at(deadline, attempt).await;
        let result =
            result.unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into()));
        if let Err(error) = &result {
            let mut route = self.route.lock().unwrap_or_else(PoisonError::into_inner);
            if is_moved(error) {
                route.follow(used, error);
            } else if ends_connection(error) {
                route.give_up(used);
            }
        }
        result
    }

    async fn connection(&self) -> RedisResult<Numbered> {
        let mut current = self.current.lock().await;
        let (client, number) = {
            let mut route = self.route.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(current) = current.as_ref().filter(|one| route.leads(one.number)) {
                return Ok(current.clone());
            }
            (route.client()?, route.next_number())
        };
        *current = None;
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.connect_timeout))
            .set_response_timeout(Some(self.response_timeout));
        let connection = client
            .get_multiplexed_async_connection_with_config(&config)
            .await?;
        let numbered = Numbered { number, connection };
        *current = Some(numbered.clone());
        Ok(numbered)
    }
}

/// The TLS library has a process-wide choice of cryptography, and panics when nobody made it. A
/// choice made before stands.
#[cfg(feature = "auth-redis-tls")]
fn choose_cryptography() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Fails only when another thread has just chosen.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}

/// Sends a command; an error in the server's answer is an error.
async fn send(connection: &mut MultiplexedConnection, command: &Cmd) -> RedisResult<Value> {
    connection
        .send_packed_command(command)
        .await?
        .extract_error()
}

fn is_unknown_script(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
}

fn is_moved(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::Moved)
}

/// A connection that did not answer may never answer; one to a server that became a replica, or was
/// cut off from its cluster, leads to the wrong place.
fn ends_connection(error: &RedisError) -> bool {
    error.is_unrecoverable_error()
        || error.is_timeout()
        || error.is_io_error()
        || matches!(
            error.kind(),
            ErrorKind::Server(
                ServerErrorKind::ReadOnly
                    | ServerErrorKind::MasterDown
                    | ServerErrorKind::ClusterDown
            )
        )
}
