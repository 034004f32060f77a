//! Making queues: as often as one likes, and never over another's settings.

use std::{error::Error, time::Duration};

use polling_transport::{
    Queue, QueueErrorKind,
    sqs::{QueueSpec, SqsQueue, create_queue},
};

use crate::server::{counted_client, random_name};

const TIMEOUT: Duration = Duration::from_secs(30);

#[tokio::test]
#[ignore = "needs dev/services"]
async fn creating_twice_is_creating_once() {
    let (client, requests) = counted_client().await;
    let (dead, jobs) = (random_name("dead"), random_name("jobs"));
    let specs = [
        QueueSpec::new(&dead, TIMEOUT),
        QueueSpec::new(&jobs, TIMEOUT).dead_letter(&dead, 3),
    ];
    for spec in specs.iter().chain(&specs) {
        create_queue(&client, spec)
            .await
            .expect("created, or there");
    }
    assert_eq!(requests.count("CreateQueue"), 2);
    let queue = SqsQueue::connect(&client, &jobs).await.expect("it exists");
    assert_eq!(
        (queue.name(), queue.visibility_timeout()),
        (&*jobs, TIMEOUT)
    );
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_queue_with_other_settings_is_left_alone_and_the_error_names_them() {
    let (client, _) = counted_client().await;
    let (dead, jobs) = (random_name("dead"), random_name("jobs"));
    create_queue(&client, &QueueSpec::new(&dead, TIMEOUT))
        .await
        .expect("created");
    create_queue(&client, &QueueSpec::new(&jobs, TIMEOUT))
        .await
        .expect("created");
    let other = QueueSpec::new(&jobs, TIMEOUT * 2).dead_letter(&dead, 3);
    let error = create_queue(&client, &other).await.expect_err("it differs");
    assert_eq!(error.kind, QueueErrorKind::Conflict);
    assert!(error.to_string().contains(&jobs), "{error}");
    let said = error.source().expect("the differences").to_string();
    assert!(
        said.contains("VisibilityTimeout is 30, wanted 60"),
        "{said}"
    );
    assert!(said.contains("RedrivePolicy is not set, wanted"), "{said}");
    let queue = SqsQueue::connect(&client, &jobs).await.expect("it exists");
    assert_eq!(queue.visibility_timeout(), TIMEOUT);
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_missing_queue_is_named() {
    let (client, _) = counted_client().await;
    let missing = random_name("missing");
    let error = SqsQueue::connect(&client, &missing)
        .await
        .expect_err("it is missing");
    assert_eq!(error.kind, QueueErrorKind::NoSuchQueue);
    assert!(error.to_string().contains(&missing), "{error}");

    let spec = QueueSpec::new(random_name("jobs"), TIMEOUT).dead_letter(&missing, 3);
    let error = create_queue(&client, &spec)
        .await
        .expect_err("no dead-letter queue");
    assert_eq!(error.kind, QueueErrorKind::NoSuchQueue);
    let said = error.source().expect("which one").to_string();
    assert!(said.contains(&missing), "{said}");
}
