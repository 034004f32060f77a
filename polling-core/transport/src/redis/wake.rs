//! Waiting for a message without asking again and again.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use redis::{Cmd, RedisResult};
use tokio::{
    sync::Notify,
    task::AbortHandle,
    time::{Instant, sleep, timeout_at},
};

use super::link::Link;

/// Who waits for messages of one queue, and a task that listens on a connection of its own while
/// somebody does: the server answers nothing else on a connection that waits.
///
/// Whoever sends leaves a token in a list, at most one; the listener takes it and wakes one who
/// waits. That is a hint: a token can be lost with the process that took it, so whoever waits
/// looks again after a while.
pub(super) struct Wakes {
    shared: Arc<Shared>,
    listener: AbortHandle,
}

struct Shared {
    waiting: AtomicUsize,
    wanted: Notify,
    arrivals: Notify,
}

impl Wakes {
    /// Listens on the list at `key` as soon as somebody waits, `quiet` at a time.
    pub(super) fn start(link: Link, key: String, quiet: Duration) -> Self {
        let shared = Arc::new(Shared {
            waiting: AtomicUsize::new(0),
            wanted: Notify::new(),
            arrivals: Notify::new(),
        });
        let listener = tokio::spawn(listen(link, key, quiet, shared.clone())).abort_handle();
        Self { shared, listener }
    }

    /// Waits for a message to be there, until `until` at most.
    pub(super) async fn wait(&self, until: Instant) {
        let _waiting = Waiting::new(&self.shared.waiting);
        self.shared.wanted.notify_one();
        let _ = timeout_at(until, self.shared.arrivals.notified()).await;
    }
}

impl Drop for Wakes {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

/// One who waits, counted.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn listen(link: Link, key: String, quiet: Duration, shared: Arc<Shared>) {
    let take = command("BLPOP", &key, quiet.as_secs_f64());
    let give_back = command("RPUSH", &key, "");
    loop {
        shared.wanted.notified().await;
        let taken: RedisResult<Option<(String, String)>> = link.query_delayed(&take, quiet).await;
        match taken {
            Ok(Some(_)) if shared.waiting.load(Ordering::SeqCst) > 0 => {
                shared.arrivals.notify_one();
            }
            // Whoever waited has left: it is for another process.
            Ok(Some(_)) => {
                let _: RedisResult<()> = link.query(&give_back).await;
            }
            Ok(None) => {}
            Err(error) => {
                tracing::debug!(%error, address = link.address(), "listening for messages failed");
                sleep(quiet).await;
            }
        }
    }
}

fn command(name: &str, key: &str, argument: impl redis::ToRedisArgs) -> Cmd {
    let mut command = redis::cmd(name);
    command.arg(key).arg(argument);
    command
}
