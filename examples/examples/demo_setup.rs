//! Makes what the programs of `dev/demo` share: three queues on SQS, and a topic in Kafka.
//!
//! In production an infrastructure tool does this; neither scheduler nor worker has the right to.

use std::time::Duration;

use anyhow::{Context as _, anyhow};
use clap::Parser;
use polling_core::transport::sqs::{self, QueueSpec};
use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    types::RDKafkaErrorCode,
};

/// How long creating the topic may take.
const DEADLINE: Duration = Duration::from_secs(15);

/// Creates the queues and the topic of a demo, unless they exist.
#[derive(Debug, Parser)]
struct Options {
    /// The queue of jobs.
    #[arg(long)]
    work_queue: String,
    /// The queue of completions.
    #[arg(long)]
    completed_queue: String,
    /// The queue to which both move what is received too often.
    #[arg(long)]
    dead_letter_queue: String,
    /// Seconds that a received message stays invisible.
    #[arg(long, default_value_t = 10)]
    visibility_s: u64,
    /// Receives before a message goes to the dead-letter queue.
    #[arg(long, default_value_t = 5)]
    max_receives: u32,
    /// The topic of the events.
    #[arg(long)]
    topic: String,
    /// Its partitions.
    #[arg(long, default_value_t = 4)]
    partitions: i32,
    /// The SQS endpoint; AWS's own unless set.
    #[arg(long, env = "POLLING_SQS_ENDPOINT")]
    sqs_endpoint: Option<String>,
    /// Kafka's brokers, host:port.
    #[arg(long, env = "POLLING_KAFKA_BROKERS")]
    kafka_brokers: String,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    create_queues(&options).await?;
    create_topic(&options)
        .await
        .with_context(|| format!("cannot create topic {}", options.topic))
}

async fn create_queues(options: &Options) -> anyhow::Result<()> {
    let mut config = sqs::client_config(&sqs::load_config().await);
    if let Some(endpoint) = &options.sqs_endpoint {
        config = config.endpoint_url(endpoint);
    }
    let client = sqs::Client::from_conf(config.build());
    let visibility = Duration::from_secs(options.visibility_s);
    let dead = &options.dead_letter_queue;
    sqs::create_queue(&client, &QueueSpec::new(dead, visibility)).await?;
    for name in [&options.work_queue, &options.completed_queue] {
        let spec = QueueSpec::new(name, visibility).dead_letter(dead, options.max_receives);
        sqs::create_queue(&client, &spec).await?;
    }
    Ok(())
}

/// Its records bear the time at which the broker appended them, so that the checker can tell
/// whether an event was there before its poll was completed.
async fn create_topic(options: &Options) -> anyhow::Result<()> {
    let mut settings = ClientConfig::new();
    settings.set("bootstrap.servers", &options.kafka_brokers);
    let admin: AdminClient<DefaultClientContext> = settings.create()?;
    let topic = NewTopic::new(
        &options.topic,
        options.partitions,
        TopicReplication::Fixed(1),
    )
    .set("message.timestamp.type", "LogAppendTime");
    let deadlines = AdminOptions::new()
        .request_timeout(Some(DEADLINE))
        .operation_timeout(Some(DEADLINE));
    for created in admin.create_topics([&topic], &deadlines).await? {
        match created {
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((_, code)) => return Err(anyhow!(code)),
        }
    }
    Ok(())
}
