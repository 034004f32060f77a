//! Which server to connect to.

use redis::{Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisError, RedisResult};

/// The server that an address names, or the node of its cluster that has the channel's keys.
///
/// They share a hash tag, so one node has them all: the one to which the others point with `MOVED`.
/// `ASK` is not followed: while a slot moves key by key, a script would take a key that has not
/// arrived for one that does not exist.
pub(super) struct Route {
    named: ConnectionInfo,
    /// Where a node pointed to.
    owner: Option<ConnectionInfo>,
    /// Number of the last connection.
    connected: u64,
    /// Number of the last connection that leads nowhere any more.
    failed: u64,
}

impl Route {
    pub(super) fn new(url: &str) -> RedisResult<Self> {
        Ok(Self {
            named: url.into_connection_info()?,
            owner: None,
            connected: 0,
            failed: 0,
        })
    }

    /// Host and port, without credentials.
    pub(super) fn address(&self) -> String {
        self.named.addr().to_string()
    }

    /// A client of the server to connect to now.
    pub(super) fn client(&self) -> RedisResult<Client> {
        Client::open(self.owner.as_ref().unwrap_or(&self.named).clone())
    }

    pub(super) fn next_number(&mut self) -> u64 {
        self.connected += 1;
        self.connected
    }

    /// Whether the connection with that number is still to be used.
    pub(super) fn leads(&self, number: u64) -> bool {
        number > self.failed
    }

    /// The connection `used`, 0 if there was none, leads nowhere: the next goes to the address.
    pub(super) fn give_up(&mut self, used: u64) {
        if self.fails(used) {
            self.owner = None;
        }
    }

    /// The node at the end of the connection `used` points elsewhere.
    pub(super) fn follow(&mut self, used: u64, moved: &RedisError) {
        let Some((host, port)) = moved.redirect_node().and_then(|(to, _)| host_and_port(to)) else {
            return;
        };
        if self.fails(used) {
            let from = self.owner.as_ref().unwrap_or(&self.named);
            self.owner = elsewhere(from.addr(), host, port).map(|to| from.clone().set_addr(to));
        }
    }

    /// Many steps share a connection and its end: the first of them says where to go.
    fn fails(&mut self, used: u64) -> bool {
        let is_first = used == 0 || used > self.failed;
        self.failed = self.failed.max(used);
        is_first
    }
}

fn host_and_port(text: &str) -> Option<(&str, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    Some((host.trim_matches(['[', ']']), port.parse().ok()?))
}

/// The same way of connecting to another server. No host means the same host.
fn elsewhere(from: &ConnectionAddr, host: &str, port: u16) -> Option<ConnectionAddr> {
    let host_or = |same: &String| match host {
        "" => same.clone(),
        host => host.to_owned(),
    };
    let mut to = from.clone();
    match &mut to {
        ConnectionAddr::Tcp(same, at) => (*same, *at) = (host_or(same), port),
        ConnectionAddr::TcpTls {
            host: same,
            port: at,
            ..
        } => (*same, *at) = (host_or(same), port),
        // A socket of this machine, or what a later client knows: no cluster is behind it.
        _ => return None,
    }
    Some(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(reply: &[u8]) -> RedisError {
        let reply = redis::parse_redis_value(reply).unwrap();
        reply.extract_error().unwrap_err()
    }

    fn address(route: &Route) -> String {
        let client = route.client().unwrap();
        client.get_connection_info().addr().to_string()
    }

    #[test]
    fn a_node_that_points_elsewhere_is_followed_until_the_owner_is_gone() {
        let mut route = Route::new("redis://user:hunter2@a:1/").unwrap();
        assert_eq!(route.next_number(), 1);
        route.follow(1, &moved(b"-MOVED 42 c:6380\r\n"));
        assert_eq!(address(&route), "c:6380");
        let password = |route: &Route| {
            let client = route.client().unwrap();
            client
                .get_connection_info()
                .redis_settings()
                .password()
                .map(str::to_owned)
        };
        assert_eq!(password(&route).as_deref(), Some("hunter2"));
        // Who shared the connection says the same, too late.
        route.follow(1, &moved(b"-MOVED 42 stale:1\r\n"));
        assert_eq!(address(&route), "c:6380");
        assert_eq!(route.next_number(), 2);
        route.follow(2, &moved(b"-MOVED 42 :6381\r\n"));
        assert_eq!(address(&route), "c:6381");
        route.give_up(1);
        assert_eq!(address(&route), "c:6381");
        route.give_up(0);
        assert_eq!(address(&route), "a:1");
    }
}
