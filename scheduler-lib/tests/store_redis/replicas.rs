//! Writes that wait for replicas.

use std::{error::Error, time::Duration};

use scheduler_lib::store::{Registered, SlotStore};

use crate::{
    fixture::{at, id, new_job},
    live::builder,
    own_server::OwnServer,
};

#[tokio::test]
#[ignore = "needs dev/services"]
async fn registrations_and_removals_wait_for_a_replica() {
    let primary = OwnServer::start(&[]).await;
    let mut replica = OwnServer::start(&[]).await;
    replica.follow(&primary).await;
    // Those that there are get their time, however busy the machine; others are not waited for.
    let (patient, hasty) = (Duration::from_secs(4), Duration::from_millis(500));
    let store = |replicas, wait| {
        builder(&primary.url())
            .max_skew(None)
            .wait_replicas(replicas, wait)
            .open(at(0))
    };
    let one = store(1, patient).await.expect("open");
    assert_eq!(
        one.register(vec![new_job("a", 3)], at(0))
            .await
            .expect("a replica has it"),
        [Registered::Created]
    );
    let on_replica: bool = replica
        .command(&format!("HEXISTS {}jobs:1 a", one.prefix()))
        .await;
    assert!(on_replica, "the answer came after the replica's");

    let two = store(2, hasty).await.expect("open");
    let error = two
        .remove(&id("a"))
        .await
        .expect_err("there is one replica");
    let source = error.source().expect("it says why").to_string();
    assert!(
        source.starts_with("1 of 2 replicas acknowledged"),
        "{source}"
    );
    assert_eq!(
        two.get(&id("a")).await.expect("get"),
        None,
        "the primary has removed it"
    );

    replica.kill();
    let none = store(1, hasty).await.expect("open");
    let error = none
        .register(vec![new_job("b", 3)], at(0))
        .await
        .expect_err("no replica is left");
    let source = error.source().expect("it says why").to_string();
    assert!(
        source.starts_with("0 of 1 replicas acknowledged"),
        "{source}"
    );
}
