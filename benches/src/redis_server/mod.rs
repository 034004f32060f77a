//! A Redis server as it is measured: what it holds, and what it could do at most.

mod record;
mod replay;
mod resp;

use anyhow::{Context as _, ensure};
use redis::{Client, aio::MultiplexedConnection};

pub use self::{
    record::{Commands, Recorder},
    replay::Replay,
};

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
        let client = Client::open(url).context("not redis://host:port/")?;
        let connection = client.get_multiplexed_async_connection().await;
        let mut server = Self {
            url: url.to_owned(),
            connection: connection.context("Redis cannot be reached")?,
        };
        let keys: u64 = redis::cmd("DBSIZE")
            .query_async(&mut server.connection)
            .await?;
        ensure!(keys == 0, "Redis holds {keys} keys: give an empty server");
        Ok(server)
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
