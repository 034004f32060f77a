//! A server that answers reads and refuses writes: nothing is leased, readiness says why, and the
//! cycle resumes by itself.

use std::{fs, os::unix::fs::symlink, path::Path};

use crate::{
    live::{Live, builder},
    own_server::{OwnServer, eventually},
};

/// Breaks a server under a running scheduler, and mends it.
async fn under(
    arguments: &[&str],
    says: &str,
    fault: impl AsyncFnOnce(&OwnServer),
    heal: impl AsyncFnOnce(&OwnServer),
) {
    let server = OwnServer::start(arguments).await;
    let live = Live::start(&server.url()).await;
    fault(&server).await;
    live.says(says).await;
    live.sends_nothing().await;
    live.store.counts().await.expect("reads still work");
    live.assert_no_lease_without_a_send(&server).await;
    heal(&server).await;
    live.assert_whole(&server).await;
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_server_without_memory_stops_the_cycle_until_it_has_some() {
    under(
        &[],
        "refuses writes (OOM command not allowed when used memory > 'maxmemory'.): free memory, or raise its maxmemory",
        async |server| server.command("CONFIG SET maxmemory 1").await,
        async |server| server.command("CONFIG SET maxmemory 0").await,
    )
    .await;
}

/// A snapshot that cannot be put in its place: a folder stands there.
#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_server_whose_snapshot_failed_stops_the_cycle_until_one_succeeds() {
    let obstacle = |server: &OwnServer| server.folder().join("dump.rdb");
    under(
        &["--appendonly", "no", "--save", "3600 1"],
        "refuses writes (MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
        async |server| {
            fs::create_dir_all(obstacle(server).join("full")).expect("a folder");
            snapshot(server, "err").await;
        },
        async |server| {
            fs::remove_dir_all(obstacle(server)).expect("the folder");
            snapshot(server, "ok").await;
        },
    )
    .await;
}

/// Takes a snapshot that ends as told.
async fn snapshot(server: &OwnServer, ends: &str) {
    let () = server.command("BGSAVE").await;
    let ends = format!("rdb_last_bgsave_status:{ends}");
    eventually(&ends, async || {
        let info: String = server.command("INFO persistence").await;
        info.contains("rdb_bgsave_in_progress:0") && info.contains(&ends)
    })
    .await;
}

/// An append-only file that cannot grow.
#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_server_whose_disk_is_full_stops_the_cycle_until_it_is_not() {
    if !Path::new("/dev/full").exists() {
        return;
    }
    under(
        &["--appendfsync", "everysec", "--aof-use-rdb-preamble", "no"],
        "refuses writes (MISCONF",
        async |server| point_increment(server, Some(Path::new("/dev/full"))).await,
        async |server| point_increment(server, None).await,
    )
    .await;
}

/// Makes the server's next append-only file a link to `target`, or a file again.
async fn point_increment(server: &OwnServer, target: Option<&Path>) {
    let folder = server.folder().join("appendonlydir");
    // Redis opens `….aof.N.incr.aof` when it rewrites; the number is one more than the last.
    let last = fs::read_dir(&folder)
        .expect("appendonlydir")
        .filter_map(|entry| {
            let name = entry
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("a name");
            name.strip_suffix(".incr.aof")?
                .rsplit('.')
                .next()?
                .parse::<u32>()
                .ok()
        });
    let next = last.max().unwrap_or(0) + 1;
    let path = folder.join(format!("appendonly.aof.{next}.incr.aof"));
    if let Some(target) = target {
        symlink(target, path).expect("a link");
    }
    let () = server.command("BGREWRITEAOF").await;
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_server_that_became_a_replica_stops_the_cycle_until_it_is_primary_again() {
    let primary = OwnServer::start(&[]).await;
    let server = OwnServer::start(&[]).await;
    let live = Live::start(&server.url()).await;
    // It keeps its data: the other is its copy first.
    primary.follow(&server).await;
    let () = primary.command("REPLICAOF NO ONE").await;
    server.follow(&primary).await;
    live.says("refuses writes (READONLY You can't write against a read only replica.): point the address at the primary").await;
    live.sends_nothing().await;
    live.store.counts().await.expect("reads still work");
    live.assert_no_lease_without_a_send(&server).await;
    let () = server.command("REPLICAOF NO ONE").await;
    live.assert_whole(&server).await;
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_server_without_its_replicas_stops_the_cycle_until_they_are_back() {
    let replica = OwnServer::start(&[]).await;
    under(
        &["--min-replicas-max-lag", "3"],
        "refuses writes (NOREPLICAS Not enough good replicas to write.): bring its replicas back",
        async |server| server.command("CONFIG SET min-replicas-to-write 1").await,
        async |server| replica.follow(server).await,
    )
    .await;
}

/// Set while the scheduler runs: found by the drain, though no write is refused yet.
#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_server_told_to_evict_stops_the_cycle_until_told_otherwise() {
    under(
        &["--maxmemory", "100mb"],
        "has maxmemory-policy allkeys-lru: when full it would throw jobs away; set it to noeviction",
        async |server| {
            let () = server.command("CONFIG SET maxmemory-policy allkeys-lru").await;
            // The drain looks once in a while.
            tokio::time::sleep(std::time::Duration::from_millis(5_500)).await;
        },
        async |server| server.command("CONFIG SET maxmemory-policy noeviction").await,
    )
    .await;
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_server_that_evicts_is_not_opened() {
    let server = OwnServer::start(&["--maxmemory-policy", "volatile-ttl"]).await;
    let error = builder(&server.url()).open(0).await.expect_err("it evicts");
    assert!(
        error.to_string().contains("maxmemory-policy volatile-ttl"),
        "{error}"
    );
    assert_eq!(
        server.command::<u64>("DBSIZE").await,
        0,
        "nothing was created"
    );
}
