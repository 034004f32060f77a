//! A Redis server of a test's own, which it may break: on a free port, in a folder that goes with
//! it.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use polling_model::Generator;
use redis::{Client, FromRedisValue};
use tokio::time::{Instant, sleep};

/// Longest wait for a server to answer, or for anything that a test waits for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct OwnServer {
    port: u16,
    folder: PathBuf,
    arguments: &'static [&'static str],
    process: Child,
}

/// Waits until `done`; fails with `what` after [`PATIENCE`].
pub(crate) async fn eventually(what: &str, mut done: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !done().await {
        assert!(Instant::now() < end, "not within {PATIENCE:?}: {what}");
        sleep(Duration::from_millis(20)).await;
    }
}

impl OwnServer {
    /// A server that writes each command to its append-only file, and evicts nothing.
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// A cluster of one node: it refuses a script that needs keys of several slots, as any does.
    pub(crate) async fn start_cluster() -> Self {
        let server = Self::start_with(&["--cluster-enabled", "yes"]).await;
        let () = server.command("CLUSTER ADDSLOTSRANGE 0 16383").await;
        eventually("the cluster is complete", async || {
            let info: String = server.command("CLUSTER INFO").await;
            info.contains("cluster_state:ok")
        })
        .await;
        server
    }

    async fn start_with(arguments: &'static [&'static str]) -> Self {
        let name = format!("own-redis-{:016x}", Generator::from_os().next_u64());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder).expect("a folder");
        // A port found free may be taken by another test: then the server ends, and another is
        // tried.
        for _ in 0..10 {
            let port = free_port();
            let mut process = spawn(port, &folder, arguments);
            if answers(port, &mut process).await {
                return Self {
                    port,
                    folder,
                    arguments,
                    process,
                };
            }
        }
        panic!("no redis-server starts");
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// One command by its words.
    pub(crate) async fn command<T: FromRedisValue>(&self, words: &str) -> T {
        command(&self.url(), words).await
    }

    /// Ends it as a crash does.
    pub(crate) fn kill(&mut self) {
        self.process.kill().expect("kill");
        self.process.wait().expect("wait");
    }

    /// Starts it again, with the data it had.
    pub(crate) async fn start_again(&mut self) {
        self.process = spawn(self.port, &self.folder, self.arguments);
        assert!(answers(self.port, &mut self.process).await, "it starts");
    }
}

/// One command by its words, on a connection of its own.
pub(crate) async fn command<T: FromRedisValue>(url: &str, words: &str) -> T {
    let client = Client::open(url).expect("an address");
    let connection = client.get_multiplexed_async_connection().await;
    let mut connection = connection.expect("the server answers");
    let mut words = words.split(' ');
    let mut command = redis::cmd(words.next().expect("a command"));
    for word in words {
        command.arg(word);
    }
    let answer = command.query_async(&mut connection).await;
    answer.unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        // Ended already by a test that killed it; the folder is all that is left.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn free_port() -> u16 {
    // Below 55536, so that a cluster's bus, at 10,000 more, has a port too.
    loop {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
        let port = listener.local_addr().expect("an address").port();
        if port < 55_000 {
            return port;
        }
    }
}

fn spawn(port: u16, folder: &Path, arguments: &[&str]) -> Child {
    let always = [
        "--appendonly",
        "yes",
        "--appendfsync",
        "always",
        "--save",
        "",
    ];
    Command::new("redis-server")
        .args(["--bind", "127.0.0.1", "--maxmemory-policy", "noeviction"])
        .args(always)
        .args(["--port", &port.to_string()])
        .args(["--dir", folder.to_str().expect("a plain path")])
        .args(arguments)
        .stdout(Stdio::null())
        .stdin(Stdio::null())
        .spawn()
        .expect("redis-server is installed: dev/services up redis")
}

/// Waits until the server answers; false if it ends instead.
async fn answers(port: u16, process: &mut Child) -> bool {
    let client = Client::open(format!("redis://127.0.0.1:{port}/")).expect("an address");
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        if process.try_wait().expect("a process of ours").is_some() {
            return false;
        }
        if let Ok(mut connection) = client.get_multiplexed_async_connection().await
            && redis::cmd("PING").exec_async(&mut connection).await.is_ok()
        {
            return true;
        }
        sleep(Duration::from_millis(20)).await;
    }
    let _ = process.kill();
    let _ = process.wait();
    false
}
