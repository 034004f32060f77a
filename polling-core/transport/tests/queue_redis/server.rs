//! The server that the environment names, and queues of random names on it.

use std::{sync::Arc, time::Duration};

use polling_model::Generator;
use polling_transport::{
    conformance::queue::QueueUnderTest,
    redis::{Client, QueueSpec, RedisQueue, create_queue},
};

/// Long enough for what a case does in between, short enough to wait for.
pub(crate) const VISIBILITY_TIMEOUT: Duration = Duration::from_secs(2);

pub(crate) const MAX_RECEIVES: u32 = 3;

pub(crate) fn url() -> String {
    std::env::var("POLLING_REDIS_URL")
        .expect("POLLING_REDIS_URL is set: eval \"$(dev/services env)\"")
}

/// A client of a space of its own.
pub(crate) fn client() -> Client {
    client_of(&url())
}

pub(crate) fn client_of(url: &str) -> Client {
    let space = format!("test-{:016x}", Generator::from_os().next_u64());
    let client = Client::builder(url, space).build();
    client.expect("an address and a name")
}

/// A queue with a dead-letter queue, both new.
pub(crate) async fn fresh() -> QueueUnderTest {
    let client = client();
    let (queue, dead_letters) = pair(&client, VISIBILITY_TIMEOUT).await;
    QueueUnderTest {
        queue: Arc::new(queue),
        dead_letters: Arc::new(dead_letters),
        max_receives: MAX_RECEIVES,
    }
}

/// The queues `jobs` and `jobs-dead`.
pub(crate) async fn pair(client: &Client, timeout: Duration) -> (RedisQueue, RedisQueue) {
    let dead = QueueSpec::new("jobs-dead", timeout);
    let jobs = QueueSpec::new("jobs", timeout).dead_letter("jobs-dead", MAX_RECEIVES);
    let dead = created(client, &dead).await;
    (created(client, &jobs).await, dead)
}

pub(crate) async fn created(client: &Client, spec: &QueueSpec) -> RedisQueue {
    create_queue(client, spec)
        .await
        .expect("the server creates a queue");
    let queue = RedisQueue::connect(client, &spec.name).await;
    queue.expect("the server finds the queue")
}
