//! Making queues: as often as one likes, and never over another's settings.

use std::{error::Error, time::Duration};

use polling_transport::{
    DeadLetter, EntryError, Queue, QueueErrorKind,
    redis::{QueueSpec, RedisQueue, create_queue},
};

use crate::server::{client, created};

const TIMEOUT: Duration = Duration::from_secs(30);

#[tokio::test]
#[ignore = "needs dev/services"]
async fn creating_twice_is_creating_once_and_connecting_reads_the_settings() {
    let client = client();
    let specs = [
        QueueSpec::new("dead", TIMEOUT),
        QueueSpec::new("jobs", TIMEOUT).dead_letter("dead", 3),
    ];
    for spec in specs.iter().chain(&specs) {
        create_queue(&client, spec)
            .await
            .expect("created, or there");
    }
    let queue = RedisQueue::connect(&client, "jobs")
        .await
        .expect("it exists");
    assert_eq!(
        (queue.name(), queue.visibility_timeout()),
        ("jobs", TIMEOUT)
    );
    let dead_letter = DeadLetter {
        queue: "dead".to_owned(),
        max_receives: 3,
    };
    assert_eq!(queue.dead_letter(), Some(dead_letter));
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_queue_with_other_settings_is_left_alone_and_the_error_names_them() {
    let client = client();
    created(&client, &QueueSpec::new("dead", TIMEOUT)).await;
    created(&client, &QueueSpec::new("jobs", TIMEOUT)).await;
    let other = QueueSpec::new("jobs", TIMEOUT * 2).dead_letter("dead", 3);
    let error = create_queue(&client, &other).await.expect_err("it differs");
    assert_eq!(error.kind, QueueErrorKind::Conflict);
    assert!(error.to_string().contains("jobs"), "{error}");
    let said = error.source().expect("the differences").to_string();
    let differences = "visibility_timeout is 30000 ms, wanted 60000 ms; dead_letter is not set, \
                       wanted dead after 3 receives";
    assert_eq!(said, differences);
    let queue = RedisQueue::connect(&client, "jobs")
        .await
        .expect("it exists");
    assert_eq!(
        (queue.visibility_timeout(), queue.dead_letter()),
        (TIMEOUT, None)
    );
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_missing_queue_is_named() {
    let client = client();
    let error = RedisQueue::connect(&client, "missing")
        .await
        .expect_err("it is missing");
    assert_eq!(error.kind, QueueErrorKind::NoSuchQueue);
    assert!(error.to_string().contains("missing"), "{error}");

    let spec = QueueSpec::new("jobs", TIMEOUT).dead_letter("missing", 3);
    let error = create_queue(&client, &spec)
        .await
        .expect_err("no dead-letter queue");
    assert_eq!(error.kind, QueueErrorKind::NoSuchQueue);
    let attempt = error.source().expect("which one");
    let said = attempt.source().expect("the server's words").to_string();
    assert!(said.contains("missing"), "{said}");
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn spaces_do_not_see_each_others_queues() {
    created(&client(), &QueueSpec::new("jobs", TIMEOUT)).await;
    let error = RedisQueue::connect(&client(), "jobs")
        .await
        .expect_err("another space");
    assert_eq!(error.kind, QueueErrorKind::NoSuchQueue);
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_queue_takes_no_more_than_its_capacity() {
    let client = client();
    let queue = created(&client, &QueueSpec::new("jobs", TIMEOUT).capacity(3)).await;
    let send = async |count| queue.send(vec!["x".to_owned(); count]).await;
    let results = send(5).await;
    assert_eq!(results[..3], [Ok(()), Ok(()), Ok(())]);
    for result in &results[3..] {
        let Err(EntryError::Unknown { reason }) = result else {
            panic!("there was no room: {result:?}");
        };
        assert!(reason.contains("full"), "{reason}");
    }
    // In flight counts, acknowledged does not.
    let held = queue.receive(1, Duration::ZERO).await.expect("received");
    assert!(send(1).await[0].is_err());
    queue.ack(&held[0].receipt).await.expect("acknowledged");
    assert_eq!(send(1).await, [Ok(())]);
}
