//! Redis servers of a test's own, which it may break: on a free port, in a folder that goes with
//! them.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use polling_model::Generator;
use redis::{FromRedisValue, aio::MultiplexedConnection};
use tokio::time::{Instant, sleep};

/// Longest wait for a server to answer, or for anything that a test waits for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct OwnServer {
    port: u16,
    folder: PathBuf,
    arguments: Vec<String>,
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
    /// A server with `arguments` on top of: no snapshots, an append-only file written at each
    /// command, nothing evicted.
    pub(crate) async fn start(arguments: &[&str]) -> Self {
        let folder =
            std::env::temp_dir().join(format!("own-redis-{}", Generator::from_os().nonce()));
        fs::create_dir(&folder).expect("a folder");
        let arguments: Vec<String> = arguments.iter().map(|&one| one.to_owned()).collect();
        // A port found free may be taken by another test: then the server ends, and another is
        // tried.
        for _ in 0..10 {
            let port = free_port();
            let mut process = spawn(port, &folder, &arguments);
            if answers(port, &mut process).await {
                return Self {
                    port,
                    folder,
                    arguments,
                    process,
                };
            }
        }
        panic!("no redis-server starts: {}", log(&folder));
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    pub(crate) async fn raw(&self) -> MultiplexedConnection {
        let client = redis::Client::open(self.url()).expect("an address");
        let connection = client.get_multiplexed_async_connection().await;
        connection.expect("the server answers")
    }

    /// One command by its words.
    pub(crate) async fn command<T: FromRedisValue>(&self, words: &str) -> T {
        let mut words = words.split(' ');
        let mut command = redis::cmd(words.next().expect("a command"));
        for word in words {
            command.arg(word);
        }
        let answer = command.query_async(&mut self.raw().await).await;
        answer.unwrap_or_else(|error| panic!("{command:?}: {error}"))
    }

    /// Ends it as a crash does.
    pub(crate) fn kill(&mut self) {
        self.process.kill().expect("kill");
        self.process.wait().expect("wait");
    }

    /// Starts it again, with the data it had.
    pub(crate) async fn start_again(&mut self) {
        self.process = spawn(self.port, &self.folder, &self.arguments);
        assert!(
            answers(self.port, &mut self.process).await,
            "{}",
            log(&self.folder)
        );
    }

    /// Makes it a replica of another, and waits until it has all.
    pub(crate) async fn follow(&self, primary: &Self) {
        let () = self
            .command(&format!("REPLICAOF 127.0.0.1 {}", primary.port))
            .await;
        eventually("the replica follows", async || {
            let info: String = self.command("INFO replication").await;
            info.contains("master_link_status:up")
        })
        .await;
    }

    /// Sends it a signal, such as `STOP`.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.process.id().to_string();
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &id])
            .status();
        assert!(sent.expect("kill").success());
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        // Ended already by a test that killed it; the folder is all that is left.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

pub(crate) fn free_port() -> u16 {
    // Below 55536, so that a cluster's bus, at 10,000 more, has a port too.
    loop {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
        let port = listener.local_addr().expect("an address").port();
        if port < 55_000 {
            return port;
        }
    }
}

fn spawn(port: u16, folder: &Path, arguments: &[String]) -> Child {
    let log = fs::File::options()
        .create(true)
        .append(true)
        .open(folder.join("log"));
    Command::new("redis-server")
        .args([
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "yes",
            "--appendfsync",
            "always",
        ])
        .args([
            "--maxmemory-policy",
            "noeviction",
            "--repl-diskless-sync-delay",
            "0",
        ])
        .args([
            "--port",
            &port.to_string(),
            "--dir",
            folder.to_str().expect("a plain path"),
        ])
        .args(arguments)
        .stdout(log.expect("a log"))
        .stderr(Stdio::inherit())
        .stdin(Stdio::null())
        .spawn()
        .expect("redis-server is installed: dev/services up redis")
}

fn log(folder: &Path) -> String {
    fs::read_to_string(folder.join("log")).unwrap_or_default()
}

/// Waits until the server answers; false if it ends instead.
async fn answers(port: u16, process: &mut Child) -> bool {
    let client = redis::Client::open(format!("redis://127.0.0.1:{port}/")).expect("an address");
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
