//! A failover that sentinels decide on.

use std::{
    fs,
    process::{Child, Command, Stdio},
};

use redis::Value;
use scheduler_lib::store::{RedisStore, StoreError, conformance::START_MS};

use crate::{
    fixture::channel,
    live::Live,
    own_server::{OwnServer, eventually, free_port},
};

/// One of three that watch a primary as quickly as they can.
struct Sentinel {
    port: u16,
    process: Child,
}

impl Sentinel {
    async fn start(primary: &OwnServer) -> Self {
        let (port, watched) = (free_port(), primary.port());
        let file = primary.folder().join(format!("sentinel-{port}.conf"));
        let settings = format!(
            "port {port}\nbind 127.0.0.1\nlogfile {log}\nsentinel monitor prod 127.0.0.1 {watched} 2\n\
             sentinel down-after-milliseconds prod 500\nsentinel failover-timeout prod 2000\n",
            log = primary
                .folder()
                .join(format!("sentinel-{port}.log"))
                .display(),
        );
        fs::write(&file, settings).expect("a file");
        let process = Command::new("redis-server")
            .arg(&file)
            .arg("--sentinel")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server is installed: dev/services up redis");
        let sentinel = Self { port, process };
        eventually("the sentinel answers", async || {
            sentinel.told().await.is_some()
        })
        .await;
        sentinel
    }

    /// What it knows about the primary, in words.
    async fn told(&self) -> Option<String> {
        let client = redis::Client::open(format!("redis://127.0.0.1:{}/", self.port));
        let client = client.expect("an address");
        let mut connection = client.get_multiplexed_async_connection().await.ok()?;
        let mut ask = redis::cmd("SENTINEL");
        let told: Value = ask
            .arg("MASTER")
            .arg("prod")
            .query_async(&mut connection)
            .await
            .ok()?;
        let words: Vec<String> = redis::from_redis_value(told).ok()?;
        Some(words.join(" "))
    }
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Sentinels end every connection to a server whose role they change.
async fn replication(server: &OwnServer) -> String {
    let client = redis::Client::open(server.url()).expect("an address");
    let Ok(mut connection) = client.get_multiplexed_async_connection().await else {
        return String::new();
    };
    let mut info = redis::cmd("INFO");
    let told = info.arg("replication").query_async(&mut connection);
    told.await.unwrap_or_default()
}

fn url(sentinels: &[Sentinel], master: &str) -> String {
    // A host where none listens is passed over.
    let hosts = sentinels
        .iter()
        .map(|one| format!("127.0.0.1:{}", one.port));
    let hosts: Vec<_> = ["127.0.0.1:1".to_owned()]
        .into_iter()
        .chain(hosts)
        .collect();
    format!("redis+sentinel://{}/0?master={master}", hosts.join(","))
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_failover_by_sentinels_is_followed() {
    let mut primary = OwnServer::start(&[]).await;
    let replica = OwnServer::start(&[]).await;
    replica.follow(&primary).await;
    let mut sentinels = Vec::new();
    for _ in 0..3 {
        sentinels.push(Sentinel::start(&primary).await);
    }
    eventually(
        "the sentinels know each other, and the replica",
        async || {
            let mut ready = 0;
            for sentinel in &sentinels {
                let told = sentinel.told().await.unwrap_or_default();
                let knows = |words| told.contains(words);
                ready += usize::from(knows("num-slaves 1") && knows("num-other-sentinels 2"));
            }
            ready == sentinels.len()
        },
    )
    .await;

    let live = Live::start(&url(&sentinels, "prod")).await;
    primary.kill();
    eventually("the replica is made the primary", async || {
        replication(&replica).await.contains("role:master")
    })
    .await;
    live.assert_whole(&replica).await;

    // The old primary is back, as a replica: nobody is led to it.
    primary.start_again().await;
    eventually("the old primary follows the new one", async || {
        let info = replication(&primary).await;
        info.contains("role:slave") && info.contains("master_link_status:up")
    })
    .await;
    live.assert_whole(&replica).await;

    let unknown = RedisStore::builder(url(&sentinels, "other"), channel());
    let error = unknown.open(START_MS).await.expect_err("nobody knows it");
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
    let chain = polling_model::chain(&error);
    assert!(chain.contains("know no such master"), "{chain}");
    assert!(chain.contains("?master=other"), "{chain}");
}
