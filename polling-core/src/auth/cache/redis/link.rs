//! A connection to Redis that gives up in time, and connects anew after a failure.

use std::{io, sync::atomic::AtomicU64, sync::atomic::Ordering, time::Duration};

use redis::{
    AsyncConnectionConfig, Client, Cmd, ErrorKind, FromRedisValue, RedisError, RedisResult, Script,
    ServerErrorKind, Value, aio::MultiplexedConnection,
};
use tokio::{
    sync::Mutex,
    time::{Instant, timeout_at},
};

use super::CacheError;

/// One multiplexed connection, thrown away when it fails.
pub(super) struct Link {
    client: Client,
    address: String,
    connect_timeout: Duration,
    response_timeout: Duration,
    current: Mutex<Option<(u64, MultiplexedConnection)>>,
    /// How many connections there were: whoever uses an old one still must not end its successor.
    connected: AtomicU64,
}

impl Link {
    pub(super) fn new(
        url: &str,
        connect_timeout: Duration,
        response_timeout: Duration,
    ) -> Result<Self, CacheError> {
        #[cfg(feature = "auth-redis-tls")]
        choose_cryptography();
        let client = Client::open(url).map_err(|error| {
            // The client's error would be safe to show, the address that it is about is not.
            let no_address = "at an address that is not redis://host:port/database";
            CacheError::new(no_address, "open", error)
        })?;
        Ok(Self {
            address: client.get_connection_info().addr().to_string(),
            client,
            connect_timeout,
            response_timeout,
            current: Mutex::new(None),
            connected: AtomicU64::new(0),
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
        let answered = self.within_deadline(command, None).await;
        let decoded = answered.and_then(|value| Ok(T::from_redis_value(value)?));
        decoded.map_err(|error| self.failed(step, error))
    }

    /// Runs a script that `command` calls by its hash, and teaches it to a server that does not
    /// know it.
    pub(super) async fn eval<T: FromRedisValue>(
        &self,
        step: &'static str,
        script: &Script,
        command: &Cmd,
    ) -> Result<T, CacheError> {
        let answered = self.within_deadline(command, Some(script)).await;
        let decoded = answered.and_then(|value| Ok(T::from_redis_value(value)?));
        decoded.map_err(|error| self.failed(step, error))
    }

    async fn within_deadline(&self, command: &Cmd, script: Option<&Script>) -> RedisResult<Value> {
        let deadline = Instant::now() + self.response_timeout;
        let mut used = 0;
        let attempt = async {
            let (number, mut connection) = self.connection().await?;
            used = number;
            match (send(&mut connection, command).await, script) {
                (Err(error), Some(script)) if is_unknown_script(&error) => {
                    script.load_async(&mut connection).await?;
                    send(&mut connection, command).await
                }
                (answered, _) => answered,
            }
        };
        let result = timeout_at(deadline, attempt).await;
        let result =
            result.unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into()));
        if result.as_ref().is_err_and(ends_connection) {
            self.end(used).await;
        }
        result
    }

    async fn connection(&self) -> RedisResult<(u64, MultiplexedConnection)> {
        let mut current = self.current.lock().await;
        if let Some(current) = current.as_ref() {
            return Ok(current.clone());
        }
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.connect_timeout))
            .set_response_timeout(Some(self.response_timeout));
        let connecting = self
            .client
            .get_multiplexed_async_connection_with_config(&config);
        let numbered = (
            self.connected.fetch_add(1, Ordering::Relaxed) + 1,
            connecting.await?,
        );
        *current = Some(numbered.clone());
        Ok(numbered)
    }

    async fn end(&self, used: u64) {
        let mut current = self.current.lock().await;
        current.take_if(|(number, _)| *number == used);
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

/// A connection that did not answer may never answer; one to a server that became a replica leads
/// to the wrong place.
fn ends_connection(error: &RedisError) -> bool {
    error.is_unrecoverable_error()
        || error.is_timeout()
        || error.is_io_error()
        || matches!(
            error.kind(),
            ErrorKind::Server(ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown)
        )
}
