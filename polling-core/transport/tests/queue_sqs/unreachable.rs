//! A server that is not there. No service is needed for it not to be.

use std::{error::Error, io::Read, net::TcpListener, time::Duration};

use aws_sdk_sqs::config::{
    BehaviorVersion, Credentials, Region, retry::RetryConfig, timeout::TimeoutConfig,
};
use polling_transport::{
    EntryError, Queue, QueueErrorKind,
    sqs::{Client, ClientConfig, SdkConfig, SqsQueue, client_config},
};

const SECRET: &str = "a-secret-of-this-test";

fn config(endpoint: &str) -> ClientConfig {
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .build();
    client_config(&config)
        .endpoint_url(endpoint)
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("key", SECRET, None, None, "test"))
}

/// An address of this machine where nobody listens.
fn nobodys_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    format!("http://{address}")
}

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        text = format!("{text}: {error}");
        next = error.source();
    }
    text
}

#[tokio::test]
async fn the_error_says_which_queue_which_address_and_what_was_tried() {
    let address = nobodys_address();
    let client = Client::from_conf(config(&address).build());
    let error = SqsQueue::connect(&client, "jobs")
        .await
        .expect_err("nobody is there");
    assert_eq!(error.kind, QueueErrorKind::Unreachable);
    assert_eq!(
        error.to_string(),
        "connect on queue jobs failed: the server cannot be reached"
    );
    let said = chain(&error);
    assert!(
        said.contains(&format!("GetQueueUrl at {address}")),
        "{said}"
    );
    assert!(
        !format!("{said}{error:?}").contains(SECRET),
        "no secret is told"
    );
}

/// A server that takes connections and says nothing must not hold a call for ever.
#[tokio::test]
async fn a_silent_server_runs_into_the_deadline() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = format!("http://{}", silent.local_addr().expect("it is bound"));
    let short = TimeoutConfig::builder().operation_timeout(Duration::from_millis(50));
    let config = config(&address)
        .timeout_config(short.build())
        .retry_config(RetryConfig::disabled());
    let client = Client::from_conf(config.build());
    let error = SqsQueue::connect(&client, "jobs")
        .await
        .expect_err("no answer");
    assert_eq!(error.kind, QueueErrorKind::Timeout, "{}", chain(&error));
}

/// As a server does that is killed while it holds a request.
#[tokio::test]
async fn a_connection_that_closes_without_an_answer_is_no_server() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = format!("http://{}", listener.local_addr().expect("it is bound"));
    let hang_up = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let read = stream.read(&mut [0; 16 * 1024]).expect("a request");
        assert!(read > 0, "the request came");
    });
    let config = config(&address).retry_config(RetryConfig::disabled());
    let client = Client::from_conf(config.build());
    let error = SqsQueue::connect(&client, "jobs")
        .await
        .expect_err("no answer");
    assert_eq!(error.kind, QueueErrorKind::Unreachable, "{}", chain(&error));
    hang_up.join().expect("it hung up");
}

#[tokio::test]
async fn missing_credentials_are_told_from_a_missing_server() {
    let sdk = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .build();
    let config = client_config(&sdk)
        .endpoint_url(nobodys_address())
        .region(Region::new("us-east-1"));
    let client = Client::from_conf(config.build());
    let error = SqsQueue::connect(&client, "jobs")
        .await
        .expect_err("who is asking?");
    assert_eq!(error.kind, QueueErrorKind::Denied, "{}", chain(&error));
    assert!(chain(&error).contains("credentials"), "{}", chain(&error));
}

mod once_connected {
    //! A server of three answers, then gone.

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

    async fn connected_then_alone() -> SqsQueue {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("it is bound"));
        let answers = [
            format!(r#"{{"QueueUrl":"{address}/000000000000/jobs"}}"#),
            r#"{"Attributes":{"VisibilityTimeout":"30"}}"#.to_owned(),
        ];
        let serve = async move {
            for answer in answers {
                let (mut stream, _) = listener.accept().await.expect("a connection");
                // The request is small, and what it says is known.
                let mut request = [0; 8192];
                let _ = stream.read(&mut request).await;
                let head = "HTTP/1.1 200 OK\r\nconnection: close\r\n";
                let kind = "content-type: application/x-amz-json-1.0\r\n";
                let length = answer.len();
                let text = format!("{head}{kind}content-length: {length}\r\n\r\n{answer}");
                stream.write_all(text.as_bytes()).await.expect("written");
            }
        };
        let client = Client::from_conf(config(&address).build());
        let (queue, ()) = tokio::join!(SqsQueue::connect(&client, "jobs"), serve);
        queue.expect("two answers are enough")
    }

    #[tokio::test]
    async fn a_failed_call_leaves_every_entry_unknown_and_the_queue_usable() {
        let queue = connected_then_alone().await;
        let too_large = "x".repeat(256 * 1024 + 1);
        let bodies = vec!["a".to_owned(), too_large, "b".to_owned()];
        for _ in 0..2 {
            let results = queue.send(bodies.clone()).await;
            let [Err(first), Err(large), Err(last)] = &results[..] else {
                panic!("{results:?}");
            };
            assert!(matches!(large, EntryError::Refused { .. }), "{large}");
            for entry in [first, last] {
                let EntryError::Unknown { reason } = entry else {
                    panic!("{entry}");
                };
                assert!(
                    reason.starts_with("the server cannot be reached"),
                    "{reason}"
                );
            }
        }
        let receipt = polling_transport::Receipt("held".to_owned());
        let (acked, extended) =
            tokio::join!(queue.ack(&receipt), queue.extend(&receipt, Duration::ZERO));
        for error in [acked.expect_err("nobody"), extended.expect_err("nobody")] {
            assert_eq!(error.kind, QueueErrorKind::Unreachable, "{}", chain(&error));
        }
    }

    #[tokio::test]
    async fn debug_tells_the_queue_and_no_secret() {
        let queue = connected_then_alone().await;
        let debug = format!("{queue:?}");
        assert!(debug.contains("jobs") && !debug.contains(SECRET), "{debug}");
    }
}
