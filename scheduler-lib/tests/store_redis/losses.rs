//! A server that goes away, comes back, and may have lost what it had.

use std::{fs, time::Duration};

use redis::AsyncCommands;
use tokio::time::sleep;

use crate::{
    fixture::sweep,
    live::Live,
    own_server::{OwnServer, eventually},
};

#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_wiped_store_stops_the_cycle_and_is_not_begun_anew() {
    let server = OwnServer::start(&[]).await;
    let live = Live::start(&server.url()).await;
    let () = server.command("FLUSHALL").await;
    live.says(
        "has lost its layout key polling:{mastodon:0}:layout: it was wiped, or is another database",
    )
    .await;
    live.sends_nothing().await;
    assert_eq!(
        server.command::<u64>("DBSIZE").await,
        0,
        "nothing is written into a wiped store"
    );
}

/// The other database is taken for what it is, and the right one when it is back.
#[tokio::test]
#[ignore = "needs dev/services"]
async fn another_database_stops_the_cycle_until_the_right_one_is_back() {
    let server = OwnServer::start(&[]).await;
    let live = Live::start(&server.url()).await;
    let () = server.command("SWAPDB 0 1").await;
    live.says("has lost its layout key").await;
    live.sends_nothing().await;
    let () = server.command("SWAPDB 0 1").await;
    live.assert_whole(&server).await;
}

/// As when a failover finds a node without data: the primary restarts empty and its replicas empty
/// themselves.
#[tokio::test]
#[ignore = "needs dev/services"]
async fn an_empty_failover_node_stops_the_cycle() {
    let empty = OwnServer::start(&[]).await;
    let server = OwnServer::start(&[]).await;
    let live = Live::start(&server.url()).await;
    server.follow(&empty).await;
    let () = server.command("REPLICAOF NO ONE").await;
    live.says("has lost its layout key").await;
    live.sends_nothing().await;
}

async fn paused(mode: &str) {
    let server = OwnServer::start(&[]).await;
    let live = Live::start(&server.url()).await;
    let () = server.command(&format!("CLIENT PAUSE 3500 {mode}")).await;
    live.says("failed; its outcome is unknown").await;
    live.sends_nothing().await;
    live.assert_whole(&server).await;
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn clients_paused_for_longer_than_the_deadline_lose_nothing() {
    paused("ALL").await;
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn writes_paused_for_longer_than_the_deadline_lose_nothing() {
    paused("WRITE").await;
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_stopped_process_loses_nothing() {
    let server = OwnServer::start(&[]).await;
    let live = Live::start(&server.url()).await;
    server.signal("STOP");
    live.says("failed; its outcome is unknown").await;
    live.sends_nothing().await;
    server.signal("CONT");
    live.assert_whole(&server).await;
}

/// A server that was killed knows no script.
#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_killed_server_that_comes_back_loses_nothing() {
    let mut server = OwnServer::start(&[]).await;
    let live = Live::start(&server.url()).await;
    server.kill();
    live.says("failed; its outcome is unknown").await;
    live.sends_nothing().await;
    server.start_again().await;
    live.assert_whole(&server).await;
    assert_eq!(sweep(&*live.store, 100).await, 0, "nothing to mend");
}

/// Half of what was acknowledged is gone, and the cut is in the middle of a step.
#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_lost_tail_of_the_append_only_file_costs_no_job() {
    let mut server = OwnServer::start(&[]).await;
    let live = Live::start(&server.url()).await;
    let file = server
        .folder()
        .join("appendonlydir/appendonly.aof.1.incr.aof");
    let before = fs::metadata(&file).expect("the file").len();
    live.polls_go_on().await;
    live.polls_go_on().await;
    server.kill();
    let after = fs::metadata(&file).expect("the file").len();
    assert!(after > before + 100, "steps were written");
    let file = fs::File::options()
        .write(true)
        .open(&file)
        .expect("the file");
    file.set_len((before + after) / 2 - 1).expect("cut");
    server.start_again().await;
    live.assert_whole(&server).await;
    assert_eq!(
        sweep(&*live.store, 100).await,
        0,
        "a cut leaves whole steps"
    );
}

/// What the primary acknowledged after its replica was cut off is gone with it.
#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_failover_to_a_replica_that_lagged_costs_no_job() {
    let mut primary = OwnServer::start(&[]).await;
    let replica = OwnServer::start(&[]).await;
    replica.follow(&primary).await;
    let both = format!(
        "redis://127.0.0.1:{},127.0.0.1:{}/",
        primary.port(),
        replica.port()
    );
    let live = Live::start(&both).await;
    let () = replica.command("REPLICAOF 127.0.0.1 1").await;
    let cursor = async |server: &OwnServer| -> i64 {
        let layout = format!("{}layout", live.prefix);
        server
            .raw()
            .await
            .hget(layout, "cursor")
            .await
            .expect("HGET")
    };
    let held = cursor(&replica).await;
    live.polls_go_on().await;
    sleep(Duration::from_secs(2)).await;
    assert!(cursor(&primary).await > held + 1, "the replica lags");
    primary.kill();
    live.says("point the address at the primary").await;
    let () = replica.command("REPLICAOF NO ONE").await;
    live.assert_whole(&replica).await;
    eventually("the cursor is past what was lost", async || {
        cursor(&replica).await > held + 3
    })
    .await;
    assert_eq!(
        sweep(&*live.store, 100).await,
        0,
        "a replica has whole steps"
    );
}

/// A server that starts from a file cut in the middle of a step leaves the rest of that step there,
/// and carries it out at its next start: half a step, at the wrong time.
#[tokio::test]
#[ignore = "needs dev/services"]
async fn half_a_step_done_by_the_server_is_mended() {
    let mut server = OwnServer::start(&[]).await;
    let live = Live::start(&server.url()).await;
    let file = server
        .folder()
        .join("appendonlydir/appendonly.aof.1.incr.aof");
    for _ in 0..3 {
        live.polls_go_on().await;
        server.kill();
        let text = fs::read(&file).expect("the file");
        let begin = text
            .windows(5)
            .rposition(|word| word == b"MULTI")
            .expect("a step");
        let middle = (begin + 150).min(text.len() - 10);
        let file = fs::File::options()
            .write(true)
            .open(&file)
            .expect("the file");
        file.set_len(middle as u64).expect("cut");
        server.start_again().await;
    }
    live.polls_go_on().await;
    server.kill();
    server.start_again().await;
    live.polls_go_on().await;
    sweep(&*live.store, 100).await;
    live.assert_whole(&server).await;
    assert_eq!(sweep(&*live.store, 100).await, 0, "nothing is left to mend");
}
