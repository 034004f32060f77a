//! On which connection `WAIT` goes, seen from the server.
#![cfg(feature = "redis")]

use std::time::Duration;

use polling_model::{ChannelId, Generator, Nonce};
use redis::AsyncCommands;
use scheduler_lib::store::{NewJob, RedisStore, SlotStore};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

const START_MS: i64 = 1_700_000_040_000;

/// No other test waits for so many.
const REPLICAS: &str = "9731";

/// `WAIT` answers for the writes of its own connection: on another one it says that all is
/// replicated when nothing is.
#[tokio::test]
#[ignore = "needs dev/services"]
async fn waiting_follows_the_write_on_its_connection() {
    let url = std::env::var("POLLING_REDIS_URL").expect("POLLING_REDIS_URL names a Redis");
    let client = redis::Client::open(url.as_str()).expect("an address");
    let address = client.get_connection_info().addr().to_string();
    let channel: ChannelId = format!("test-{}", Generator::from_os().nonce())
        .parse()
        .expect("a valid channel");
    let replicas = REPLICAS.parse().expect("a number");
    let store = RedisStore::builder(&url, channel)
        .max_skew(None)
        .wait_replicas(replicas, Duration::from_millis(20))
        .open(START_MS)
        .await
        .expect("open");

    let mut monitor = BufReader::new(TcpStream::connect(address).await.expect("connect"));
    monitor.write_all(b"MONITOR\r\n").await.expect("MONITOR");
    let mut seen = Vec::new();
    let mut lines = monitor.lines();
    assert_eq!(
        lines.next_line().await.expect("an answer").as_deref(),
        Some("+OK")
    );
    let error = store.register(vec![new_job()], START_MS).await;
    error.expect_err("nobody has so many replicas");
    let prefix = store.prefix();
    while let Some(line) = lines.next_line().await.expect("a line") {
        let ours = line.contains(prefix) && line.contains("\"EVALSHA\"");
        let waits = line.contains(&format!("\"WAIT\" \"{REPLICAS}\""));
        if ours || waits {
            seen.push(sender(&line).to_owned());
        }
        if waits {
            break;
        }
    }
    assert!(seen.len() >= 2, "the write and the wait: {seen:?}");
    assert_eq!(seen.last(), seen.get(seen.len() - 2), "two connections");

    let mut raw = client
        .get_multiplexed_async_connection()
        .await
        .expect("connect");
    let keys: Vec<String> = raw.keys(format!("{prefix}*")).await.expect("KEYS");
    raw.unlink::<_, ()>(keys).await.expect("UNLINK");
}

/// Of a line such as `+1700000000.123456 [0 127.0.0.1:5000] "WAIT" "1" "20"`.
fn sender(line: &str) -> &str {
    let inside = line
        .split_once('[')
        .and_then(|(_, rest)| rest.split_once(']'));
    inside.map_or("", |(sender, _)| sender)
}

fn new_job() -> NewJob {
    NewJob {
        id: "a".parse().expect("a valid id"),
        job_type: "posts".parse().expect("a valid job type"),
        account: "42".parse().expect("a valid account"),
        level: "basic".parse().expect("a valid level"),
        cushion: None,
        context: Default::default(),
        incarnation: Nonce(1),
        due: [START_MS + 60_000; 2],
    }
}
