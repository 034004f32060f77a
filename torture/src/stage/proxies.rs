//! A proxy before each server, between it and what is tested.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
};

use anyhow::{Context as _, anyhow};
use reqwest::Url;

use crate::{
    proxy::{Faults, KafkaPorts, Protocol, Proxy},
    servers::{Server, Servers},
};

/// A proxy before each server. Since Kafka tells its clients one address, there can be only one
/// stage with proxies at a time.
#[derive(Debug)]
pub struct Proxies(BTreeMap<Server, Proxied>);

#[derive(Debug)]
struct Proxied {
    proxy: Proxy,
    /// How its clients write its address.
    address: String,
}

impl Proxies {
    /// Starts them; none breaks anything yet.
    ///
    /// # Errors
    ///
    /// When a server's address is none that can be proxied, or Kafka's proxy has its port taken.
    pub async fn start(servers: &Servers, seed: u64) -> anyhow::Result<Self> {
        let mut proxies = BTreeMap::new();
        for server in Server::ALL {
            let proxied = start(server, servers.address(server), seed).await;
            let cannot = || format!("no proxy before {} can be started", server.name());
            proxies.insert(server, proxied.with_context(cannot)?);
        }
        Ok(Self(proxies))
    }

    /// The proxy before a server.
    #[must_use]
    pub fn of(&self, server: Server) -> &Proxy {
        &self.0[&server].proxy
    }

    /// What clients are to take for the server's address.
    #[must_use]
    pub fn address(&self, server: Server) -> &str {
        &self.0[&server].address
    }

    /// Nothing is broken from now on.
    ///
    /// # Errors
    ///
    /// When a proxy has ended.
    pub async fn heal(&self) -> anyhow::Result<()> {
        for proxied in self.0.values() {
            proxied.proxy.set(Faults::default()).await?;
        }
        Ok(())
    }

    /// Faults injected so far, such as `redis cut-reply`; those that were not are there, too.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<String, u64> {
        let named = |(server, proxied): (&Server, &Proxied)| {
            let name = server.name();
            let counts = proxied.proxy.counts().into_iter();
            let named = counts.map(|(fault, count)| (format!("{name} {fault}"), count));
            named.collect::<Vec<_>>()
        };
        self.0.iter().flat_map(named).collect()
    }
}

async fn start(server: Server, address: &str, seed: u64) -> anyhow::Result<Proxied> {
    let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let protocol = match server {
        Server::Redis => Protocol::Redis,
        Server::Sqs => Protocol::Http,
        Server::Kafka => {
            let ports = KafkaPorts::of(address)?;
            let proxy = Proxy::start(ports.listen, ports.upstream, Protocol::Kafka, seed).await?;
            let address = proxy.address().to_string();
            return Ok(Proxied { proxy, address });
        }
    };
    let mut url = Url::parse(address)?;
    let upstream = url.socket_addrs(|| None)?;
    let upstream = upstream.first().context("no such host")?;
    let proxy = Proxy::start(any_port, *upstream, protocol, seed).await?;
    url.set_port(Some(proxy.address().port()))
        .and_then(|()| url.set_ip_host(proxy.address().ip()))
        .map_err(|()| anyhow!("{address} has no host and port"))?;
    let address = url.as_str().trim_end_matches('/').to_owned();
    Ok(Proxied { proxy, address })
}
