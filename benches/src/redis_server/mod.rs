//! A Redis server as it is measured: what it holds, and what it could do at most.

mod record;
mod replay;
mod resp;

use std::time::Duration;

use anyhow::{Context as _, ensure};
use redis::{AsyncConnectionConfig, Client, aio::MultiplexedConnection};

pub use self::{
    record::{Commands, Recorder},
    replay::Replay,
};

/// Longest that it may take to do what is asked of it here, such as to remove all that it has.
const TIMEOUT: Duration = Duration::from_secs(60);

/// An empty server.
#[derive(Debug, Clone)]
pub struct RedisServer {
    url: String,
    connection: MultiplexedConnection,
}

impl RedisServer {
    /// Connects to the server at `url`.
    ///
    /// # Errors
    ///
    /// That it cannot be reached, or holds something: whoever measures it empties it.
    pub async fn connect(url: &str) -> anyhow::Result<Self> {
        let mut server = Self::open(url).await?;
        let keys: u64 = redis::cmd("DBSIZE")
            .query_async(&mut server.connection)
            .await?;
        ensure!(keys == 0, "Redis holds {keys} keys: give an empty server");
        Ok(server)
    }

    /// Removes all keys of the server at `url`, which this program has filled.
    ///
    /// # Errors
    ///
    /// That it cannot be reached, and its own.
    pub async fn empty_at(url: &str) -> anyhow::Result<()> {
        Self::open(url).await?.empty().await
    }

    async fn open(url: &str) -> anyhow::Result<Self> {
        let client = Client::open(url).context("not redis://host:port/")?;
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(TIMEOUT))
            .set_response_timeout(Some(TIMEOUT));
        let connection = client
            .get_multiplexed_async_connection_with_config(&config)
            .await;
        Ok(Self {
            url: url.to_owned(),
            connection: connection.context("Redis cannot be reached")?,
        })
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The same as `host:port`.
    ///
    /// # Errors
    ///
    /// That the address is more than that.
    pub fn host_port(&self) -> anyhow::Result<String> {
        let rest = self.url.strip_prefix("redis://");
        let address = rest.map(|rest| rest.trim_end_matches('/'));
        let address = address.filter(|address| !address.contains(['@', '/']));
        Ok(address.context("not redis://host:port/")?.to_owned())
    }

    /// Removes all keys.
    ///
    /// # Errors
    ///
    /// The server's.
    pub async fn empty(&mut self) -> anyhow::Result<()> {
        redis::cmd("FLUSHALL")
            .arg("SYNC")
            .exec_async(&mut self.connection)
            .await?;
        Ok(())
    }

    /// Bytes that it has allocated.
    ///
    /// # Errors
    ///
    /// The server's, and that it does not tell.
    pub async fn used_memory(&mut self) -> anyhow::Result<f64> {
        self.info("memory", "used_memory:").await
    }

    /// Seconds of processor time that it has used.
    ///
    /// # Errors
    ///
    /// The server's, and that it does not tell.
    pub async fn cpu_s(&mut self) -> anyhow::Result<f64> {
        let user = self.info("cpu", "used_cpu_user:").await?;
        Ok(user + self.info("cpu", "used_cpu_sys:").await?)
    }

    /// From now on it notes how long scripts take.
    ///
    /// # Errors
    ///
    /// The server's.
    pub async fn time_scripts(&mut self) -> anyhow::Result<()> {
        redis::cmd("CONFIG")
            .arg("SET")
            .arg("latency-tracking-info-percentiles")
            .arg("50 99 100")
            .exec_async(&mut self.connection)
            .await?;
        let mut reset = redis::cmd("CONFIG");
        reset
            .arg("RESETSTAT")
            .exec_async(&mut self.connection)
            .await?;
        Ok(())
    }

    /// How long scripts took since: the median, 99 of 100, and the longest; milliseconds.
    ///
    /// # Errors
    ///
    /// The server's, and that it does not tell.
    pub async fn script_times_ms(&mut self) -> anyhow::Result<[f64; 3]> {
        let info: String = redis::cmd("INFO")
            .arg("latencystats")
            .query_async(&mut self.connection)
            .await?;
        let line = info
            .lines()
            .find_map(|line| line.strip_prefix("latency_percentiles_usec_evalsha:"))
            .context("no script was timed")?;
        let mut times = line.split(',').map(|part| {
            let (_, us) = part.split_once('=').context("no time")?;
            anyhow::Ok(us.trim().parse::<f64>()? / 1000.0)
        });
        let mut next = || times.next().context("too few times")?;
        Ok([next()?, next()?, next()?])
    }

    async fn info(&mut self, section: &str, field: &str) -> anyhow::Result<f64> {
        let info: String = redis::cmd("INFO")
            .arg(section)
            .query_async(&mut self.connection)
            .await?;
        let line = info.lines().find_map(|line| line.strip_prefix(field));
        Ok(line
            .with_context(|| format!("no {field} in INFO {section}"))?
            .trim()
            .parse()?)
    }
}
