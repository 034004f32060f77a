//! A server that misbehaves.

use std::time::Duration;

use redis::AsyncCommands;
use scheduler_lib::store::{
    Next, Settlement, SlotStore, StoreError, Strike, Update, Verdict, conformance::START_MS,
};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

use crate::fixture::{at, builder, channel, clear, id, new_job, on_a_fresh_shard, request, url};

#[tokio::test]
#[ignore = "needs dev/services"]
async fn scripts_are_taught_to_a_server_that_forgot_them() {
    on_a_fresh_shard(async |store, mut raw| {
        store
            .register(vec![new_job("a", 3)], at(0))
            .await
            .expect("register");
        redis::cmd("SCRIPT")
            .arg("FLUSH")
            .exec_async(&mut raw)
            .await
            .expect("SCRIPT FLUSH");
        assert_eq!(
            store
                .drain(request(at(3), 1))
                .await
                .expect("drain")
                .jobs
                .len(),
            1
        );
    })
    .await;
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn too_few_replicas_are_an_error_although_the_write_is_there() {
    let channel = channel();
    let store = builder(&channel)
        .wait_replicas(9, Duration::from_millis(20))
        .open(START_MS)
        .await;
    let store = store.expect("open");
    let error = store
        .register(vec![new_job("a", 3)], at(0))
        .await
        .expect_err("nobody has nine replicas");
    let source = std::error::Error::source(&error)
        .expect("it says why")
        .to_string();
    assert!(
        source.starts_with("0 of 9 replicas acknowledged"),
        "{source}"
    );
    assert_eq!(store.counts().await.expect("counts").registered, 1);
    clear(&channel).await;
}

/// Passes connections on while the switch is on, and keeps them open without a word while it is
/// off.
async fn proxy(target: String, listener: TcpListener, switch: watch::Receiver<bool>) {
    loop {
        let (mut near, _) = listener.accept().await.expect("accept");
        let (target, mut switch) = (target.clone(), switch.clone());
        tokio::spawn(async move {
            let mut far = TcpStream::connect(target).await.expect("the Redis answers");
            tokio::select! {
                biased;
                _ = switch.wait_for(|on| !on) => {}
                _ = copy_bidirectional(&mut near, &mut far) => return,
            }
            std::future::pending::<()>().await;
        });
    }
}

/// A multiplexed connection to a lost peer would hang for ever.
#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_connection_that_went_silent_is_given_up_and_replaced() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let address = listener.local_addr().expect("an address");
    let (switch, switched) = watch::channel(true);
    let target = redis::Client::open(url())
        .expect("an address")
        .get_connection_info()
        .addr()
        .to_string();
    let proxy = tokio::spawn(proxy(target, listener, switched));
    let channel = channel();
    let opened =
        scheduler_lib::store::RedisStore::builder(format!("redis://{address}/"), channel.clone())
            .max_skew(None)
            .timeouts(Duration::from_millis(200), Duration::from_millis(200))
            .open(START_MS)
            .await;
    let store = opened.expect("open");
    switch.send(false).expect("the proxy listens");
    let error = store.counts().await.expect_err("nobody answers");
    assert!(
        matches!(error, StoreError::Unavailable { step: "counts", .. }),
        "{error:?}"
    );
    switch.send(true).expect("the proxy listens");
    assert_eq!(
        store.counts().await.expect("a new connection").registered,
        0
    );
    clear(&channel).await;
    proxy.abort();
}

/// An old record comes back, as after a failover, and is edited as often as the lost one was.
#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_decision_made_before_a_failover_does_not_fit_a_record_edited_after_it() {
    on_a_fresh_shard(async |store, mut raw| {
        store
            .register(vec![new_job("a", 3)], at(0))
            .await
            .expect("register");
        let dispatch = store.drain(request(at(3), 1)).await.expect("drain");
        let dispatch = dispatch.jobs.into_iter().next().expect("one is due");
        let key = format!("{}jobs:1", store.prefix());
        let old: String = raw.hget(&key, "a").await.expect("HGET");
        let update = Update {
            level: Some("gold".parse().expect("a level")),
            ..Update::default()
        };
        store.update(&id("a"), update).await.expect("update");
        let decided_on = store.get(&id("a")).await.expect("get").expect("registered");
        raw.hset::<_, _, _, ()>(&key, "a", old).await.expect("HSET");
        store.run_now(&id("a")).await.expect("run now");

        let settlement = Settlement {
            id: id("a"),
            token: dispatch.token,
            revision: decided_on.state.revision,
            context: None,
            scopes: None,
            activity: None,
            next: Next::Due(at(60)),
            attempts: 0,
            strike: Strike::Clear,
            reason: "polled".to_owned(),
        };
        let verdicts = store.settle(vec![settlement], at(3)).await.expect("settle");
        assert_eq!(verdicts, [Verdict::Edited]);
        let record = store.get(&id("a")).await.expect("get").expect("registered");
        assert!(record.state.run_now);
    })
    .await;
}
