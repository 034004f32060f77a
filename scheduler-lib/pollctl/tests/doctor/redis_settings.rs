//! What can be wrong with a Redis.

use std::{fs, sync::atomic::Ordering::Relaxed};

use redis::Value;

use crate::{
    own_server::OwnServer,
    scene::{Scene, config},
};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dev/services"]
async fn a_redis_that_evicts_is_named_and_its_mend_mends_it() {
    let scene = Scene::start().await;
    let () = scene
        .redis
        .command("CONFIG SET maxmemory-policy allkeys-lru")
        .await;
    let mend = scene
        .names("problem", "maxmemory-policy allkeys-lru", "noeviction")
        .await;
    scene.apply(&mend).await;
    scene.is_well().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dev/services"]
async fn a_redis_that_keeps_nothing_on_disk_is_named_and_its_mend_mends_it() {
    let scene = Scene::start().await;
    let () = scene.redis.command("CONFIG SET appendonly no").await;
    let mend = scene
        .names("warning", "has appendonly off", "CONFIG SET appendonly yes")
        .await;
    scene.apply(&mend).await;
    scene.is_well().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dev/services"]
async fn a_snapshot_that_fails_is_named_and_its_mend_mends_it() {
    let scene = Scene::start().await;
    // A folder where the snapshot is to be.
    let in_the_way = scene.redis.folder().join("dump.rdb");
    fs::create_dir(&in_the_way).unwrap();
    let () = scene.redis.command("BGSAVE").await;
    crate::own_server::eventually("the snapshot has failed", async || {
        let info: String = scene.redis.command("INFO persistence").await;
        info.contains("rdb_last_bgsave_status:err")
    })
    .await;
    let mend = scene
        .names("warning", "its last snapshot failed", "room on its disk")
        .await;
    fs::remove_dir(&in_the_way).unwrap();
    scene.apply(&mend).await;
    scene.is_well().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dev/services"]
async fn a_redis_without_memory_is_named_with_its_mend() {
    let scene = Scene::start().await;
    let () = scene.redis.command("CONFIG SET maxmemory 1").await;
    scene
        .names("problem", "refuses writes (OOM", "raise its maxmemory")
        .await;
    let () = scene.redis.command("CONFIG SET maxmemory 1gb").await;
    scene.is_well().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dev/services"]
async fn after_a_failover_the_replica_is_named_and_the_primary_is_the_mend() {
    let scene = Scene::start().await;
    let primary = OwnServer::start(&[]).await;
    primary.follow(&scene.redis).await;
    let () = primary.command("REPLICAOF NO ONE").await;
    scene.redis.follow(&primary).await;
    scene
        .names("problem", "is a replica: it takes no writes", "primary")
        .await;
    let queues = "transport = \"redis\"";
    let moved = config(&scene.channel, &primary.url(), queues, "");
    scene.again(&moved).await.is_well().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dev/services"]
async fn a_missing_password_is_named_and_the_right_one_is_the_mend() {
    let scene = Scene::start().await;
    let () = scene.redis.command("CONFIG SET requirepass hunter2").await;
    scene
        .names(
            "problem",
            "uth",
            "user and password into the channel's redis",
        )
        .await;
    let address = scene.redis.url().replace("://", "://:hunter2@");
    let right = config(&scene.channel, &address, "transport = \"redis\"", "");
    let scene = scene.again(&right).await;
    scene.is_well().await;
    let told = scene.doctor().await;
    assert!(!told.text.contains("hunter2"), "{}", told.text);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dev/services"]
async fn a_right_that_the_user_lacks_is_named_and_acl_log_tells_which() {
    let scene = Scene::start().await;
    let () = scene
        .redis
        .command("ACL SETUSER scheduler on >PASSWORD ~polling:* +@all")
        .await;
    let address = scene.redis.url().replace("://", "://scheduler:PASSWORD@");
    let as_user = config(&scene.channel, &address, "transport = \"redis\"", "");
    let scene = scene.again(&as_user).await;
    scene.is_well().await;
    let () = scene.redis.command("ACL SETUSER scheduler -hset").await;
    let () = scene.redis.command("ACL LOG RESET").await;
    scene
        .names("problem", "forbids its user what it needs", "`ACL LOG`")
        .await;
    let log: Value = scene.redis.command("ACL LOG 1").await;
    assert!(format!("{log:?}").contains("hset"), "{log:?}");
    let () = scene.redis.command("ACL SETUSER scheduler +hset").await;
    scene.is_well().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dev/services"]
async fn a_hash_slot_that_no_node_has_is_named_and_its_mend_mends_it() {
    let node = OwnServer::start(&["--cluster-enabled", "yes"]).await;
    let () = node.command("CLUSTER ADDSLOTSRANGE 0 16383").await;
    crate::own_server::eventually("the cluster is up", async || {
        let info: String = node.command("CLUSTER INFO").await;
        info.contains("cluster_state:ok")
    })
    .await;
    let scene = Scene::on(node).await;
    let () = scene.redis.command("CLUSTER DELSLOTSRANGE 0 16383").await;
    let mend = scene
        .names("problem", "Hash slot not served", "redis-cli --cluster fix")
        .await;
    scene.apply(&mend).await;
    scene.is_well().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dev/services"]
async fn a_redis_that_is_gone_is_named_and_its_start_is_the_mend() {
    let mut scene = Scene::start().await;
    scene.redis.kill();
    let mend = format!("start the Redis at 127.0.0.1:{}", scene.redis.port());
    scene.names("problem", "outcome is unknown", &mend).await;
    scene.redis.start_again().await;
    scene.is_well().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dev/services"]
async fn clocks_that_differ_are_named_and_one_time_is_the_mend() {
    let scene = Scene::start().await;
    scene.clock.0.store(7_000, Relaxed);
    scene
        .names("problem", "ahead of that of the Redis", "NTP")
        .await;
    scene.clock.0.store(-2_500, Relaxed);
    scene
        .names("warning", "behind that of the Redis", "NTP")
        .await;
    scene.clock.0.store(0, Relaxed);
    scene.is_well().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dev/services"]
async fn a_channel_that_somebody_stopped_is_named_and_its_mend_mends_it() {
    let scene = Scene::start().await;
    scene
        .pollctl(&["channel", "stop", "--yes", "--reason", "a try"])
        .await;
    let what = "the channel is stopped (a try)";
    let mend = scene.names("warning", what, "channel start").await;
    let command = mend.split('`').nth(1).unwrap();
    let words: Vec<_> = command.split(' ').skip(1).collect();
    scene.pollctl(&words).await;
    scene.is_well().await;
}
