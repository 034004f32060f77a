//! Which server to connect to.

use redis::{AsyncConnectionConfig, RedisError, RedisResult, aio::MultiplexedConnection};

use super::{
    address::Address,
    nodes::Nodes,
    options::LinkOptions,
    sentinel::{Sentinels, check_role},
};

/// What an address names.
pub(super) enum Servers {
    /// The servers themselves, or nodes of a cluster.
    Nodes(Nodes),
    /// Those who know which server it is.
    Sentinels(Sentinels),
}

impl Servers {
    pub(super) fn new(url: &str, options: &LinkOptions) -> RedisResult<Self> {
        let address = Address::new(url);
        Ok(match address.names_sentinels() {
            true => Self::Sentinels(Sentinels::new(&address, options)?),
            false => Self::Nodes(Nodes::new(url, options)?),
        })
    }

    /// Hosts and ports, without credentials.
    pub(super) fn address(&self) -> String {
        match self {
            Self::Nodes(nodes) => nodes.address(),
            Self::Sentinels(sentinels) => sentinels.address(),
        }
    }

    /// Connects to the server that is to be used now.
    pub(super) async fn connect(
        &self,
        config: &AsyncConnectionConfig,
    ) -> RedisResult<MultiplexedConnection> {
        let client = match self {
            Self::Nodes(nodes) => nodes.client()?,
            Self::Sentinels(sentinels) => sentinels.client(config).await?,
        };
        let mut connection = client
            .get_multiplexed_async_connection_with_config(config)
            .await?;
        if let Self::Sentinels(_) = self {
            check_role(&mut connection).await?;
        }
        Ok(connection)
    }

    /// The server did not do: the next one is tried. Sentinels are asked anyway.
    pub(super) fn turn(&self) {
        if let Self::Nodes(nodes) = self {
            nodes.turn();
        }
    }

    /// Goes where `MOVED` points to.
    pub(super) fn follow(&self, moved: &RedisError) {
        if let Self::Nodes(nodes) = self {
            nodes.follow(moved);
        }
    }
}
