//! The server that the environment names, and queues of random names on it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use aws_sdk_sqs::{
    config::{
        ConfigBag, Intercept, RuntimeComponents, interceptors::BeforeTransmitInterceptorContextRef,
    },
    error::BoxError,
};
use polling_model::Generator;
use polling_transport::{
    conformance::queue::QueueUnderTest,
    sqs::{self, Client, QueueSpec, SqsQueue},
};

/// Long enough for what a case does in between, short enough to wait for.
pub(crate) const VISIBILITY_TIMEOUT: Duration = Duration::from_secs(2);

pub(crate) const MAX_RECEIVES: u32 = 3;

/// A client of the server, and the requests that it sends.
pub(crate) async fn counted_client() -> (Client, Requests) {
    let endpoint = std::env::var("POLLING_SQS_ENDPOINT")
        .expect("POLLING_SQS_ENDPOINT is set: eval \"$(dev/services env)\"");
    let requests = Requests::default();
    let config = sqs::client_config(&sqs::load_config().await)
        .endpoint_url(endpoint)
        .interceptor(requests.clone());
    (Client::from_conf(config.build()), requests)
}

pub(crate) fn random_name(prefix: &str) -> String {
    format!("{prefix}-{:016x}", Generator::from_os().next_u64())
}

/// A queue with a dead-letter queue, both new.
pub(crate) async fn fresh() -> QueueUnderTest {
    let (client, _) = counted_client().await;
    let dead_letters = connect_new(&client, &random_name("dead"), None).await;
    let queue = connect_new(&client, &random_name("jobs"), Some(&dead_letters)).await;
    QueueUnderTest {
        queue: Arc::new(queue),
        dead_letters: Arc::new(dead_letters),
        max_receives: MAX_RECEIVES,
    }
}

pub(crate) async fn connect_new(
    client: &Client,
    name: &str,
    dead_letters: Option<&SqsQueue>,
) -> SqsQueue {
    let mut spec = QueueSpec::new(name, VISIBILITY_TIMEOUT);
    if let Some(dead_letters) = dead_letters {
        spec = spec.dead_letter(polling_transport::Queue::name(dead_letters), MAX_RECEIVES);
    }
    let created = sqs::create_queue(client, &spec).await;
    created.expect("the server creates a queue");
    SqsQueue::connect(client, name)
        .await
        .expect("the server finds the queue")
}

/// How many requests were sent, by operation, retries included.
#[derive(Debug, Clone, Default)]
pub(crate) struct Requests(Arc<Mutex<BTreeMap<String, usize>>>);

impl Requests {
    pub(crate) fn count(&self, operation: &str) -> usize {
        let counts = self.0.lock().expect("no holder panics");
        counts.get(operation).copied().unwrap_or(0)
    }
}

impl Intercept for Requests {
    fn name(&self) -> &'static str {
        "Requests"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let target = context.request().headers().get("x-amz-target");
        let operation = target.unwrap_or("none").trim_start_matches("AmazonSQS.");
        let mut counts = self.0.lock().expect("no holder panics");
        *counts.entry(operation.to_owned()).or_default() += 1;
        Ok(())
    }
}
