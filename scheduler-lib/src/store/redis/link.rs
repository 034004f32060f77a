//! A connection to Redis that gives up in time, and connects anew after a failure.

use std::{
    fmt, io, sync::PoisonError, sync::atomic::AtomicU64, sync::atomic::Ordering, time::Duration,
};

use redis::{
    AsyncConnectionConfig, Client, Cmd, ErrorKind, FromRedisValue, Pipeline, RedisError,
    RedisResult, Script, ServerErrorKind, Value,
    aio::{ConnectionLike, MultiplexedConnection},
};
use tokio::sync::Mutex;

/// Default deadline of one step, connecting included. The client's own default of half a second is
/// too short for a server that forks for a snapshot.
pub(crate) const DEFAULT_RESPONSE_TIMEOUT: Duration = Duration::from_secs(5);

/// Default deadline of connecting.
pub(crate) const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// One multiplexed connection. The client's own managed connection is not used: it keeps a
/// connection whose peer is lost for as long as answers merely do not come.
pub(crate) struct Link {
    client: Client,
    address: String,
    config: AsyncConnectionConfig,
    response_timeout: Duration,
    current: Mutex<Option<Numbered>>,
    /// Of the connection that has failed last: whoever uses it still must not end its successor.
    failed: std::sync::Mutex<u64>,
    connected: AtomicU64,
}

/// A connection and its number, from 1.
#[derive(Clone)]
struct Numbered {
    number: u64,
    connection: MultiplexedConnection,
}

impl Link {
    /// Takes the address apart; nothing is connected yet.
    pub(crate) fn new(
        url: &str,
        connect_timeout: Duration,
        response_timeout: Duration,
    ) -> RedisResult<Self> {
        #[cfg(feature = "redis-tls")]
        choose_cryptography();
        let client = Client::open(url)?;
        let address = client.get_connection_info().addr().to_string();
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(connect_timeout))
            .set_response_timeout(Some(response_timeout));
        Ok(Self {
            client,
            address,
            config,
            response_timeout,
            current: Mutex::new(None),
            failed: std::sync::Mutex::new(0),
            connected: AtomicU64::new(0),
        })
    }

    /// Host and port, without credentials.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Runs one command.
    pub(crate) async fn query<T: FromRedisValue>(&self, command: &Cmd) -> RedisResult<T> {
        let value = self
            .within_deadline(async |mut connection| send(&mut connection, command).await)
            .await?;
        decode(value)
    }

    /// Runs commands whose answers do not matter, unless they are errors.
    pub(crate) async fn exec(&self, pipeline: &Pipeline) -> RedisResult<()> {
        let answers = self
            .within_deadline(async |mut connection| {
                connection
                    .req_packed_commands(pipeline, 0, pipeline.len())
                    .await
            })
            .await?;
        Value::Array(answers).extract_error().map(|_| ())
    }

    /// Runs a script that `command` calls by its hash, and teaches it to a server that does not
    /// know it.
    pub(crate) async fn eval<T: FromRedisValue>(
        &self,
        script: &Script,
        command: &Cmd,
    ) -> RedisResult<T> {
        let value = self
            .within_deadline(
                async |mut connection| match send(&mut connection, command).await {
                    Err(error) if is_unknown_script(&error) => {
                        script.load_async(&mut connection).await?;
                        send(&mut connection, command).await
                    }
                    answered => answered,
                },
            )
            .await?;
        decode(value)
    }

    /// Like [`eval`](Self::eval), then waits for replicas on the same connection, in one pipeline:
    /// on another connection `WAIT` knows nothing of this write. Returns how many acknowledged.
    pub(crate) async fn eval_and_wait<T: FromRedisValue>(
        &self,
        script: &Script,
        command: &Cmd,
        replicas: usize,
        timeout: Duration,
    ) -> RedisResult<(T, usize)> {
        let mut wait = redis::cmd("WAIT");
        wait.arg(replicas).arg(timeout.as_millis() as u64);
        let mut pipeline = Pipeline::with_capacity(2);
        pipeline.add_command(command.clone()).add_command(wait);
        let answers = self
            .within_deadline(async |mut connection| {
                // Loading is repeated for each call, which are rare: a pipeline cannot go back.
                script.load_async(&mut connection).await?;
                connection.req_packed_commands(&pipeline, 0, 2).await
            })
            .await?;
        let [answer, acknowledged] = <[Value; 2]>::try_from(answers)
            .map_err(|_| RedisError::from((ErrorKind::UnexpectedReturnType, "not two answers")))?;
        Ok((decode(answer)?, decode(acknowledged)?))
    }

    async fn within_deadline<T>(
        &self,
        run: impl AsyncFnOnce(MultiplexedConnection) -> RedisResult<T>,
    ) -> RedisResult<T> {
        let mut used = 0;
        let attempt = async {
            let numbered = self.connection().await?;
            used = numbered.number;
            run(numbered.connection).await
        };
        let result = match tokio::time::timeout(self.response_timeout, attempt).await {
            Ok(result) => result,
            Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
        };
        if result.as_ref().is_err_and(ends_connection) {
            let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
            *failed = used.max(*failed);
        }
        result
    }

    async fn connection(&self) -> RedisResult<Numbered> {
        let mut current = self.current.lock().await;
        let failed = *self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(numbered) = current.as_ref().filter(|one| one.number > failed) {
            return Ok(numbered.clone());
        }
        *current = None;
        let connection = self
            .client
            .get_multiplexed_async_connection_with_config(&self.config)
            .await?;
        let number = self.connected.fetch_add(1, Ordering::Relaxed) + 1;
        let numbered = Numbered { number, connection };
        *current = Some(numbered.clone());
        Ok(numbered)
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// The TLS library has a process-wide choice of cryptography, and panics when nobody made it. A
/// choice made before stands.
#[cfg(feature = "redis-tls")]
fn choose_cryptography() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Fails only when another thread has just chosen.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}

/// A call of `script` by its hash, with one key; arguments are added to it.
pub(crate) fn call(script: &Script, key: &str) -> Cmd {
    let mut command = redis::cmd("EVALSHA");
    command.arg(script.get_hash()).arg(1).arg(key);
    command
}

/// The error code and the words after it, of an error that the server gave.
pub(crate) fn server_error(error: &RedisError) -> Option<(&str, &str)> {
    Some((error.code()?, error.detail().unwrap_or_default()))
}

/// Sends a command; an error in the server's answer is an error.
async fn send(connection: &mut MultiplexedConnection, command: &Cmd) -> RedisResult<Value> {
    connection
        .send_packed_command(command)
        .await?
        .extract_error()
}

fn decode<T: FromRedisValue>(value: Value) -> RedisResult<T> {
    Ok(T::from_redis_value(value.extract_error()?)?)
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
        || error.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly)
}
