//! Makes a topic whose records bear the time at which the broker appended them, so that
//! `check_demo` can tell whether an event was there before its poll was completed.
//!
//! In production an infrastructure tool makes topics; a worker has no right to.

use std::time::Duration;

use anyhow::{Context as _, anyhow};
use clap::Parser;
use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    types::RDKafkaErrorCode,
};

/// How long it may take.
const DEADLINE: Duration = Duration::from_secs(15);

/// Creates a topic, unless it exists.
#[derive(Debug, Parser)]
struct Options {
    /// Its name.
    topic: String,
    /// Its partitions.
    #[arg(long, default_value_t = 4)]
    partitions: i32,
    /// Kafka's brokers, host:port.
    #[arg(long, env = "POLLING_KAFKA_BROKERS")]
    brokers: String,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    create(&options)
        .await
        .with_context(|| format!("cannot create {} at {}", options.topic, options.brokers))
}

async fn create(options: &Options) -> anyhow::Result<()> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &options.brokers);
    let admin: AdminClient<DefaultClientContext> = config.create()?;
    let copies = TopicReplication::Fixed(1);
    let topic = NewTopic::new(&options.topic, options.partitions, copies)
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
