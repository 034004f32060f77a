//! The master that sentinels name.

use std::{
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::Duration,
};

use redis::{
    AsyncConnectionConfig, Client, ConnectionInfo, ErrorKind, RedisError, RedisResult,
    aio::MultiplexedConnection,
};
use tokio::time::timeout;

use super::{
    address::{Address, each_host, elsewhere},
    options::LinkOptions,
};

/// Port of a sentinel whose address has none.
const DEFAULT_PORT: u16 = 26_379;

/// Sentinels that watch a master and its replicas, and know which of them is the master.
pub(super) struct Sentinels {
    named: Vec<ConnectionInfo>,
    master: String,
    /// How to connect to it, wherever it is.
    way: ConnectionInfo,
    /// Asked first: it answered last.
    first: AtomicUsize,
    timeout: Duration,
}

impl Sentinels {
    /// From `redis+sentinel://user:password@host:port,host:port/database?master=NAME`, taken apart.
    pub(super) fn new(address: &Address<'_>, options: &LinkOptions) -> RedisResult<Self> {
        let master = address.parameter("master").filter(|name| !name.is_empty());
        let master = master.ok_or_else(|| {
            RedisError::from((
                ErrorKind::InvalidClientConfig,
                "an address of sentinels ends in ?master=NAME",
            ))
        })?;
        let named = each_host(&address.sentinels(), DEFAULT_PORT);
        let named = named.iter().map(|url| options.connection_info(url));
        let way = each_host(&address.plain(), DEFAULT_PORT);
        Ok(Self {
            named: named.collect::<RedisResult<_>>()?,
            master: master.to_owned(),
            way: options.connection_info(&way[0])?,
            first: AtomicUsize::new(0),
            timeout: options.connect_timeout,
        })
    }

    /// Hosts and ports of the sentinels, without credentials, and the master's name.
    pub(super) fn address(&self) -> String {
        let hosts = self.named.iter().map(|one| one.addr().to_string());
        format!(
            "{}?master={}",
            hosts.collect::<Vec<_>>().join(","),
            self.master
        )
    }

    /// A client of the one that is the master now: the first sentinel that knows says which.
    pub(super) async fn client(&self, config: &AsyncConnectionConfig) -> RedisResult<Client> {
        let (count, first) = (self.named.len(), self.first.load(Relaxed));
        let mut failed = None;
        for number in (first..first + count).map(|number| number % count) {
            let asked = timeout(self.timeout, self.ask(number, config)).await;
            match asked.unwrap_or_else(|_| Err(super::timed_out())) {
                Ok(client) => {
                    self.first.store(number, Relaxed);
                    return Ok(client);
                }
                Err(error) => failed = Some(error),
            }
        }
        Err(failed.expect("an address names a host"))
    }

    async fn ask(&self, number: usize, config: &AsyncConnectionConfig) -> RedisResult<Client> {
        let sentinel = Client::open(self.named[number].clone())?;
        let mut sentinel = sentinel
            .get_multiplexed_async_connection_with_config(config)
            .await?;
        let told: Option<(String, u16)> = redis::cmd("SENTINEL")
            .arg("GET-MASTER-ADDR-BY-NAME")
            .arg(&self.master)
            .query_async(&mut sentinel)
            .await?;
        let to = told.and_then(|(host, port)| elsewhere(self.way.addr(), &host, port));
        let to = to.ok_or_else(|| {
            RedisError::from((
                ErrorKind::MasterNameNotFoundBySentinel,
                "the sentinels know no such master",
                self.master.clone(),
            ))
        })?;
        Client::open(self.way.clone().set_addr(to))
    }
}

/// An error if the server at the other end is no master: a sentinel may not know yet.
pub(super) async fn check_role(connection: &mut MultiplexedConnection) -> RedisResult<()> {
    let role: Vec<redis::Value> = redis::cmd("ROLE").query_async(connection).await?;
    let role: Option<String> = role
        .into_iter()
        .next()
        .map(redis::from_redis_value)
        .transpose()?;
    match role.as_deref() {
        Some("master") => Ok(()),
        other => Err(RedisError::from((
            ErrorKind::Server(redis::ServerErrorKind::ReadOnly),
            "the sentinels still name a server that is no master",
            other.unwrap_or("nothing").to_owned(),
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentinels(url: &str) -> RedisResult<Sentinels> {
        Sentinels::new(&Address::new(url), &LinkOptions::default())
    }

    #[test]
    fn credentials_are_the_masters_and_sentinels_have_their_own() {
        let url = "redis+sentinel://user:p%40ss@a,b:7/3?master=prod&sentinel_password=s%3Acret";
        let found = sentinels(url).unwrap();
        assert_eq!(found.address(), "a:26379,b:7?master=prod");
        let settings = found.way.redis_settings();
        assert_eq!(settings.username(), Some("user"));
        assert_eq!(settings.password(), Some("p@ss"));
        assert_eq!(settings.db(), 3);
        for one in &found.named {
            let settings = one.redis_settings();
            assert_eq!(settings.username(), None);
            assert_eq!(settings.password(), Some("s:cret"));
            assert_eq!(settings.db(), 0);
        }
    }

    #[test]
    fn an_address_without_the_masters_name_is_refused() {
        for url in ["redis+sentinel://a/0", "redis+sentinel://a/0?master="] {
            let error = sentinels(url).err().unwrap().to_string();
            assert!(error.contains("?master=NAME"), "{error}");
        }
    }
}
