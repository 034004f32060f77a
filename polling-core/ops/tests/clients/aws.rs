//! `aws-sdk-sqs`, by its fluent methods.

use std::time::Duration;

use aws_sdk_sqs::{
    Client, Error,
    config::{BehaviorVersion, Credentials, Region},
    types::{MessageAttributeValue, QueueAttributeName, SendMessageBatchRequestEntry},
};
use polling_ops::{clients::aws::Monitor, metrics::Metrics};
use tokio::time::timeout;

use crate::{address, told};

const QUEUE: &str = "clients-orders";

async fn client(endpoint: String, monitor: Monitor) -> Client {
    let shared = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("local", "local", None, None, "test"))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .load()
        .await;
    let config = aws_sdk_sqs::config::Builder::from(&shared).endpoint_url(endpoint);
    Client::from_conf(config.interceptor(monitor).build())
}

/// A program as a user writes it.
async fn program(client: &Client) -> Result<(), Error> {
    let queue = client.create_queue().queue_name(QUEUE).send().await?;
    let url = queue.queue_url.unwrap();
    client.purge_queue().queue_url(&url).send().await?;
    client.list_queues().queue_name_prefix(QUEUE).send().await?;
    client.get_queue_url().queue_name(QUEUE).send().await?;
    client
        .set_queue_attributes()
        .queue_url(&url)
        .attributes(QueueAttributeName::VisibilityTimeout, "30")
        .send()
        .await?;
    client
        .get_queue_attributes()
        .queue_url(&url)
        .attribute_names(QueueAttributeName::All)
        .send()
        .await?;
    let kind = MessageAttributeValue::builder()
        .data_type("String")
        .string_value("test");
    client
        .send_message()
        .queue_url(&url)
        .message_body("one")
        .message_attributes("kind", kind.build()?)
        .send()
        .await?;
    let two = SendMessageBatchRequestEntry::builder()
        .id("2")
        .message_body("two")
        .build()?;
    client
        .send_message_batch()
        .queue_url(&url)
        .entries(two)
        .send()
        .await?;
    let received = client
        .receive_message()
        .queue_url(&url)
        .wait_time_seconds(5)
        .send()
        .await?;
    let receipt = received.messages.unwrap()[0]
        .receipt_handle
        .clone()
        .unwrap();
    client
        .change_message_visibility()
        .queue_url(&url)
        .receipt_handle(&receipt)
        .visibility_timeout(60)
        .send()
        .await?;
    client
        .delete_message()
        .queue_url(&url)
        .receipt_handle(&receipt)
        .send()
        .await?;
    client.delete_queue().queue_url(&url).send().await?;
    Ok(())
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn each_operation_is_told() {
    let metrics = Metrics::new();
    let monitor = Monitor::new("orders", metrics.observer());
    let client = client(address("POLLING_SQS_ENDPOINT"), monitor).await;
    program(&client).await.unwrap();

    let nowhere = format!(
        "{}/000000000000/clients-none",
        address("POLLING_SQS_ENDPOINT")
    );
    let missing = client
        .send_message()
        .queue_url(&nowhere)
        .message_body("x")
        .send()
        .await;
    let error = missing.unwrap_err().into_service_error();
    assert_eq!(error.meta().code(), Some("QueueDoesNotExist"));

    let queue = client
        .create_queue()
        .queue_name("clients-empty")
        .send()
        .await
        .unwrap();
    let url = queue.queue_url.unwrap();
    let hanging = client
        .receive_message()
        .queue_url(&url)
        .wait_time_seconds(5)
        .send();
    timeout(Duration::from_millis(100), hanging)
        .await
        .unwrap_err();

    let told = told(&metrics, "orders").await;
    for operation in [
        "CreateQueue",
        "PurgeQueue",
        "ListQueues",
        "GetQueueUrl",
        "SetQueueAttributes",
        "GetQueueAttributes",
        "SendMessage",
        "SendMessageBatch",
        "ReceiveMessage",
        "ChangeMessageVisibility",
        "DeleteMessage",
        "DeleteQueue",
    ] {
        assert!(
            told.calls.get(operation) >= Some(&1),
            "{operation}: {told:?}"
        );
        assert!(told.seconds[operation] > 0.0, "{operation}: {told:?}");
        assert!(
            told.requests.get(operation) >= Some(&1),
            "{operation}: {told:?}"
        );
    }
    let errors: Vec<_> = told.errors.keys().map(String::as_str).collect();
    assert_eq!(errors, ["ReceiveMessage cancelled", "SendMessage refused"]);
    assert_eq!(told.calls["ReceiveMessage"], 2);
}

/// No server listens there: the SDK tries again, which is one call with several attempts.
#[tokio::test]
async fn a_server_that_is_away_is_one_call_of_several_attempts() {
    let metrics = Metrics::new();
    let monitor = Monitor::new("away", metrics.observer());
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let client = client(format!("http://{closed}"), monitor).await;
    client.list_queues().send().await.unwrap_err();
    let told = told(&metrics, "away").await;
    assert_eq!(told.calls["ListQueues"], 1);
    assert_eq!(told.errors["ListQueues connection"], 1);
    assert_eq!(
        told.requests["ListQueues"], 3,
        "the SDK's own number of attempts"
    );
}
