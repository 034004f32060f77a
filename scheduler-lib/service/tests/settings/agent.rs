//! A Consul of a test's own, that may be killed.

use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::Duration,
};

use polling_ops::config::Consul;
use tokio::time::{Instant, sleep};

/// Longest wait for the first answer.
const START_DEADLINE: Duration = Duration::from_secs(60);

/// An agent that keeps everything in memory. Ended when dropped.
pub(crate) struct Agent {
    child: Child,
    ports: [u16; 3],
}

/// One that was killed.
pub(crate) struct Dead {
    ports: [u16; 3],
}

impl Agent {
    /// On ports that are free.
    pub(crate) fn start() -> Self {
        let listeners = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let ports = listeners.map(|listener| listener.local_addr().unwrap().port());
        Self::start_on(ports)
    }

    fn start_on(ports: [u16; 3]) -> Self {
        let program = std::env::var_os("POLLING_TEST_CONSUL_BIN");
        let program = program.expect("POLLING_TEST_CONSUL_BIN names the program `consul`");
        let local = "agent -dev -bind 127.0.0.1 -client 127.0.0.1 -log-level error";
        let closed = "-serf-wan-port -1 -dns-port -1 -grpc-port -1 -grpc-tls-port -1";
        let [http, gossip, server] = ports.map(|port| port.to_string());
        let child = Command::new(program)
            .args(local.split(' ').chain(closed.split(' ')))
            .args(["-http-port", &http, "-serf-lan-port", &gossip])
            .args(["-server-port", &server])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, ports }
    }

    pub(crate) fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports[0])
    }

    /// Waits until it has elected itself.
    pub(crate) async fn answers(&self, consul: &Consul) {
        let begin = Instant::now();
        while let Err(error) = consul.list().await {
            assert!(begin.elapsed() < START_DEADLINE, "{error}");
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// At once, as a machine that loses its power.
    pub(crate) fn kill(self) -> Dead {
        Dead { ports: self.ports }
    }
}

impl Dead {
    /// At the same address, without its data.
    pub(crate) fn restart(self) -> Agent {
        Agent::start_on(self.ports)
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
