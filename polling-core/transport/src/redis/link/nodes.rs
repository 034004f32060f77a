//! Which server to connect to.

use std::sync::{Mutex, MutexGuard, PoisonError};

use redis::{Client, ConnectionInfo, RedisError, RedisResult};

use super::{
    address::{each_host, elsewhere, host_and_port},
    options::LinkOptions,
};

/// Port of a server whose address has none.
const DEFAULT_PORT: u16 = 6_379;

/// The servers that an address names, and the one among all of a cluster that owns the hash slot.
pub(super) struct Nodes {
    named: Vec<ConnectionInfo>,
    choice: Mutex<Choice>,
}

#[derive(Default)]
struct Choice {
    /// Of those named, by number.
    named: usize,
    /// Where a node of a cluster pointed to; comes first.
    owner: Option<ConnectionInfo>,
}

impl Nodes {
    /// Takes `redis://user:password@host:port,host:port/database` apart.
    pub(super) fn new(url: &str, options: &LinkOptions) -> RedisResult<Self> {
        let named = each_host(url, DEFAULT_PORT)
            .iter()
            .map(|url| options.connection_info(url))
            .collect::<RedisResult<Vec<_>>>()?;
        Ok(Self {
            named,
            choice: Mutex::default(),
        })
    }

    /// Hosts and ports, without credentials.
    pub(super) fn address(&self) -> String {
        let hosts: Vec<_> = self
            .named
            .iter()
            .map(|one| one.addr().to_string())
            .collect();
        hosts.join(",")
    }

    /// A client of the server to connect to now.
    pub(super) fn client(&self) -> RedisResult<Client> {
        let choice = self.choice();
        let node = choice.owner.as_ref().unwrap_or(&self.named[choice.named]);
        Client::open(node.clone())
    }

    /// The server did not do: the next one is tried.
    pub(super) fn turn(&self) {
        let mut choice = self.choice();
        // A known owner that is gone says nothing about those named.
        if choice.owner.take().is_none() {
            choice.named = (choice.named + 1) % self.named.len();
        }
    }

    /// Goes where `MOVED` points to.
    pub(super) fn follow(&self, moved: &RedisError) {
        let Some((host, port)) = moved.redirect_node().and_then(|(to, _)| host_and_port(to)) else {
            return;
        };
        let mut choice = self.choice();
        let from = choice.owner.as_ref().unwrap_or(&self.named[choice.named]);
        choice.owner = elsewhere(from.addr(), host, port).map(|addr| from.clone().set_addr(addr));
    }

    fn choice(&self) -> MutexGuard<'_, Choice> {
        // Nothing panics while it is held.
        self.choice.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of the server that is asked next.
    fn address(nodes: &Nodes) -> String {
        let client = nodes.client().unwrap();
        client.get_connection_info().addr().to_string()
    }

    #[test]
    fn a_server_that_does_not_do_makes_room_for_the_next() {
        let nodes = Nodes::new("redis://a:1,b:2/", &LinkOptions::default()).unwrap();
        assert_eq!(nodes.address(), "a:1,b:2");
        let order: Vec<_> = (0..3)
            .map(|_| {
                let one = address(&nodes);
                nodes.turn();
                one
            })
            .collect();
        assert_eq!(order, ["a:1", "b:2", "a:1"]);
    }

    #[test]
    fn moved_is_followed_until_the_owner_is_gone() {
        let nodes = Nodes::new("redis://a:1/", &LinkOptions::default()).unwrap();
        let reply = redis::parse_redis_value(b"-MOVED 123 c:6380\r\n").unwrap();
        nodes.follow(&reply.extract_error().unwrap_err());
        assert_eq!(address(&nodes), "c:6380");
        let reply = redis::parse_redis_value(b"-MOVED 123 :6381\r\n").unwrap();
        nodes.follow(&reply.extract_error().unwrap_err());
        assert_eq!(address(&nodes), "c:6381");
        nodes.turn();
        assert_eq!(address(&nodes), "a:1");
    }
}
