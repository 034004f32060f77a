//! A connection to Redis that gives up in time, and connects anew after a failure.

mod address;
mod connections;
mod errors;
mod nodes;
mod options;
mod sentinel;
mod servers;
mod work;

use std::{fmt, io, sync::Arc, time::Duration};

use redis::{
    AsyncConnectionConfig, Cmd, FromRedisValue, Pipeline, RedisError, RedisResult, Script, Value,
};
use tokio::time::{Instant, timeout_at};

use self::{
    connections::Connections,
    errors::is_moved,
    servers::Servers,
    work::{Work, decode},
};
pub use self::{
    errors::server_error,
    options::{DEFAULT_CONNECT_TIMEOUT, DEFAULT_RESPONSE_TIMEOUT, LinkOptions},
};

/// Most times that one step is sent to where a cluster's node points to.
const MAX_MOVES: usize = 3;

/// One multiplexed connection: steps of many tasks share it, and none waits for another's answer.
///
/// Nothing is connected before the first step, and a step is never repeated after a failure: its
/// outcome is unknown. The step after it connects anew, to the next of the servers named. The
/// client's own managed connection is not used: it keeps a connection whose peer is lost for as
/// long as answers merely do not come.
///
/// All keys of one link share a hash tag. So one node of a cluster has them: the link goes where
/// the others point to with `MOVED`. `ASK` is not followed: while a hash slot moves to another
/// node, key by key, a script there would take a key that has not arrived yet for one that does
/// not exist. Until the slot has moved as a whole its keys do not answer.
///
/// Every method fails with the client's error; [`server_error`] tells what a server said.
///
/// ```no_run
/// use polling_transport::redis::link::{Link, LinkOptions};
///
/// # async fn run() -> redis::RedisResult<()> {
/// let link = Link::new("redis://127.0.0.1:6379/", &LinkOptions::default())?;
/// let length: usize = link.query(redis::cmd("XLEN").arg("stream")).await?;
/// # let _ = length;
/// # Ok(())
/// # }
/// ```
pub struct Link {
    connections: Arc<Connections>,
    address: String,
    response_timeout: Duration,
}

impl Link {
    /// Takes the address apart: `redis://user:password@host:port/database`, or several hosts,
    /// `host:port,host:port`, of which any will do. Nothing is connected yet.
    ///
    /// Sentinels are named by `redis+sentinel://user:password@host:port,host:port/database?master=NAME`:
    /// each time the link connects, it asks them where the master is. User and password are the
    /// master's; the sentinels' own are the parameters `sentinel_username` and `sentinel_password`.
    ///
    /// `rediss://` and `rediss+sentinel://` need the feature `redis-tls`.
    ///
    /// # Errors
    ///
    /// When it is no such address. The error repeats no password.
    pub fn new(url: &str, options: &LinkOptions) -> RedisResult<Self> {
        #[cfg(feature = "redis-tls")]
        choose_cryptography();
        let servers = Servers::new(url, options)?;
        let address = servers.address();
        // The deadline of a step is kept here, since some may take longer.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(options.connect_timeout))
            .set_response_timeout(None);
        Ok(Self {
            connections: Arc::new(Connections::new(servers, config)),
            address,
            response_timeout: options.response_timeout,
        })
    }

    /// Hosts and ports, without credentials.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Runs one command.
    ///
    /// # Errors
    ///
    /// The client's, also when there is no answer in time.
    pub async fn query<T: FromRedisValue>(&self, command: &Cmd) -> RedisResult<T> {
        decode(self.run(Work::Command(command), Duration::ZERO).await?)
    }

    /// Runs one command whose answer the server delays by up to `delay`, such as one with `BLOCK`.
    /// On a link of its own: the server answers nothing else on that connection meanwhile.
    ///
    /// # Errors
    ///
    /// The client's, also when there is no answer in time.
    pub async fn query_delayed<T: FromRedisValue>(
        &self,
        command: &Cmd,
        delay: Duration,
    ) -> RedisResult<T> {
        decode(self.run(Work::Command(command), delay).await?)
    }

    /// Runs commands together, and decodes the list of their answers.
    ///
    /// # Errors
    ///
    /// The client's, also when any of the answers is an error, or there is none in time.
    pub async fn query_all<T: FromRedisValue>(&self, pipeline: &Pipeline) -> RedisResult<T> {
        decode(self.run(Work::Commands(pipeline), Duration::ZERO).await?)
    }

    /// Runs a script that `command` calls by its hash, and teaches it to a server that does not
    /// know it.
    ///
    /// # Errors
    ///
    /// The client's, also when there is no answer in time.
    pub async fn eval<T: FromRedisValue>(&self, script: &Script, command: &Cmd) -> RedisResult<T> {
        let work = Work::Script(script, command);
        decode(self.run(work, Duration::ZERO).await?)
    }

    /// Like [`eval`](Self::eval), then waits for replicas on the same connection, in one pipeline:
    /// on another connection `WAIT` knows nothing of this write. Returns how many acknowledged
    /// within `timeout`. On a link of its own, since nothing else is answered meanwhile.
    ///
    /// # Errors
    ///
    /// The client's, also when there is no answer in time.
    pub async fn eval_and_wait<T: FromRedisValue>(
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
        let work = Work::ScriptAndMore(script, &pipeline);
        // The server answers after at most `timeout`; only then the deadline begins.
        decode(self.run(work, timeout).await?)
    }

    /// Runs on the node that has the keys; one that has not does nothing but point to it.
    async fn run(&self, work: Work<'_>, delay: Duration) -> RedisResult<Value> {
        let deadline = Instant::now() + self.response_timeout + delay;
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
            let mut numbered = self.connections.get().await?;
            used = numbered.number;
            work.run(&mut numbered.connection).await
        };
        let result = match timeout_at(deadline, attempt).await {
            Ok(result) => result,
            Err(_) => Err(timed_out()),
        };
        if let Err(error) = &result {
            self.connections.after(error, used);
        }
        result
    }
}

fn timed_out() -> RedisError {
    io::Error::from(io::ErrorKind::TimedOut).into()
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
