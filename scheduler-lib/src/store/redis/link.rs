//! A connection to Redis that gives up in time, and connects anew after a failure.

use std::{
    fmt, io, sync::PoisonError, sync::atomic::AtomicU64, sync::atomic::Ordering, time::Duration,
};

use redis::{
    AsyncConnectionConfig, Cmd, ErrorKind, FromRedisValue, Pipeline, RedisError, RedisResult,
    Script, ServerErrorKind, Value,
    aio::{ConnectionLike, MultiplexedConnection},
};
use tokio::{
    sync::Mutex,
    time::{Instant, timeout_at},
};

use super::nodes::Nodes;

/// Default deadline of one step, connecting included. The client's own default of half a second is
/// too short for a server that forks for a snapshot.
pub(crate) const DEFAULT_RESPONSE_TIMEOUT: Duration = Duration::from_secs(5);

/// Default deadline of connecting.
pub(crate) const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Most times that one step is sent to where a cluster's node points to.
const MAX_MOVES: usize = 3;

/// One multiplexed connection. The client's own managed connection is not used: it keeps a
/// connection whose peer is lost for as long as answers merely do not come.
pub(crate) struct Link {
    nodes: Nodes,
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
        let nodes = Nodes::new(url)?;
        let address = nodes.address();
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(connect_timeout))
            .set_response_timeout(Some(response_timeout));
        Ok(Self {
            nodes,
            address,
            config,
            response_timeout,
            current: Mutex::new(None),
            failed: std::sync::Mutex::new(0),
            connected: AtomicU64::new(0),
        })
    }

    /// Hosts and ports, without credentials.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Runs one command.
    pub(crate) async fn query<T: FromRedisValue>(&self, command: &Cmd) -> RedisResult<T> {
        decode(self.run(Work::Command(command)).await?)
    }

    /// Runs commands whose answers do not matter, unless they are errors.
    pub(crate) async fn exec(&self, pipeline: &Pipeline) -> RedisResult<()> {
        self.run(Work::Commands(pipeline)).await.map(drop)
    }

    /// Runs a script that `command` calls by its hash, and teaches it to a server that does not
    /// know it.
    pub(crate) async fn eval<T: FromRedisValue>(
        &self,
        script: &Script,
        command: &Cmd,
    ) -> RedisResult<T> {
        decode(self.run(Work::Script(script, command)).await?)
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
        decode(self.run(Work::ScriptAndMore(script, &pipeline)).await?)
    }

    /// Runs on the node that has the store; one that has not does nothing but point to it.
    async fn run(&self, work: Work<'_>) -> RedisResult<Value> {
        let deadline = Instant::now() + self.response_timeout;
        let mut moves = 0;
        loop {
            match self.attempt(work, deadline).await {
                Err(error) if is_moved(&error) && moves < MAX_MOVES => moves += 1,
                result => return result,
            }
        }
    }

    async fn attempt(&self, work: Work<'_>, deadline: Instant) -> RedisResult<Value> {
        let mut used = 0;
        let attempt = async {
            let mut numbered = self.connection().await?;
            used = numbered.number;
            work.run(&mut numbered.connection).await
        };
        let result = match timeout_at(deadline, attempt).await {
            Ok(result) => result,
            Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
        };
        if let Err(error) = &result {
            self.after(error, used);
        }
        result
    }

    /// Ends the connection with number `used`, 0 if there was none, if it leads nowhere.
    fn after(&self, error: &RedisError, used: u64) {
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
            self.nodes.follow(error);
        } else {
            self.nodes.turn();
        }
    }

    async fn connection(&self) -> RedisResult<Numbered> {
        let mut current = self.current.lock().await;
        let failed = *self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(numbered) = current.as_ref().filter(|one| one.number > failed) {
            return Ok(numbered.clone());
        }
        *current = None;
        let client = self.nodes.client()?;
        let connection = client
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

/// What one step sends.
#[derive(Clone, Copy)]
enum Work<'a> {
    Command(&'a Cmd),
    Commands(&'a Pipeline),
    /// Called by its hash, which the server may have forgotten.
    Script(&'a Script, &'a Cmd),
    /// The same, with more behind it in one pipeline.
    ScriptAndMore(&'a Script, &'a Pipeline),
}

impl Work<'_> {
    async fn run(self, connection: &mut MultiplexedConnection) -> RedisResult<Value> {
        match self {
            Self::Command(command) => send(connection, command).await,
            Self::Commands(pipeline) => send_all(connection, pipeline).await,
            Self::Script(script, command) => match send(connection, command).await {
                Err(error) if is_unknown_script(&error) => {
                    script.load_async(connection).await?;
                    send(connection, command).await
                }
                answered => answered,
            },
            Self::ScriptAndMore(script, pipeline) => {
                // Loading is repeated for each call, which are rare: a pipeline cannot go back.
                script.load_async(connection).await?;
                send_all(connection, pipeline).await
            }
        }
    }
}

/// Sends a command; an error in the server's answer is an error.
async fn send(connection: &mut MultiplexedConnection, command: &Cmd) -> RedisResult<Value> {
    connection
        .send_packed_command(command)
        .await?
        .extract_error()
}

/// Sends commands together; an error in any answer is an error.
async fn send_all(
    connection: &mut MultiplexedConnection,
    pipeline: &Pipeline,
) -> RedisResult<Value> {
    let answers = connection
        .req_packed_commands(pipeline, 0, pipeline.len())
        .await?;
    Value::Array(answers).extract_error()
}

fn decode<T: FromRedisValue>(value: Value) -> RedisResult<T> {
    Ok(T::from_redis_value(value)?)
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
