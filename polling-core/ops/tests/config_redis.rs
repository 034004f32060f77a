//! Settings from a hash in a real Redis.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use polling_model::Generator;
use polling_ops::config::{RedisSource, Source as _};
use polling_transport::redis::link::{Link, LinkOptions};
use redis::cmd;
use tokio::time::timeout;

#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_hash_is_told_at_once_and_whenever_it_changes() {
    let url = std::env::var("POLLING_REDIS_URL").expect("POLLING_REDIS_URL is set");
    let key = format!("polling-test:{}", Generator::from_os().next_u64());
    let link = Link::new(&url, &LinkOptions::default()).unwrap();
    let mut source = RedisSource::new(&url, &LinkOptions::default(), &key).unwrap();
    assert!(source.next().await.unwrap().is_empty());
    for text in ["5m", "6m"] {
        let set = cmd("HSET").arg(&key).arg("a/b").arg(text).to_owned();
        let () = link.query(&set).await.unwrap();
        let found = timeout(Duration::from_secs(10), source.next()).await;
        assert_eq!(found.expect("in time").unwrap()["a/b"], text);
    }
    let () = link.query(cmd("DEL").arg(&key)).await.unwrap();
    let () = link
        .query(cmd("SET").arg(&key).arg("no hash"))
        .await
        .unwrap();
    assert!(source.next().await.is_err());
    let () = link.query(cmd("DEL").arg(&key)).await.unwrap();
    assert!(
        source.next().await.unwrap().is_empty(),
        "told after an error"
    );
}
