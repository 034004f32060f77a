//! What queues are on: found there, and created.

use std::{sync::Arc, time::Duration};

use polling_model::{ChannelId, SharedObserver, chain};
use polling_transport::{DeadLetter, SharedQueue, redis, sqs};

use super::{
    finding::Finding,
    redrive::{self, Kept, Redrive},
};
use crate::config::{ChannelConfig, Config, Sqs, TransportKind};

/// The clients of everything that queues of a configuration are on.
pub(super) struct Transports {
    /// Without a channel on SQS nobody asks for AWS's settings.
    sqs: Option<sqs::Client>,
    observer: SharedObserver,
}

/// What the queues of one channel are on.
#[derive(Debug)]
pub(super) enum Transport {
    Sqs(sqs::Client, SharedObserver),
    Redis(redis::Client),
}

/// A queue as it should be.
#[derive(Debug)]
pub(super) struct Spec {
    pub(super) name: String,
    pub(super) visibility_timeout: Duration,
    pub(super) dead_letter: Option<DeadLetter>,
}

impl Transports {
    pub(super) async fn new(config: &Config) -> Self {
        let on_sqs = |channel: &ChannelConfig| channel.queues.transport == TransportKind::Sqs;
        let sqs = match config.channels.values().any(on_sqs) {
            true => Some(sqs_client(&config.sqs).await),
            false => None,
        };
        let observer = Arc::new(());
        Self { sqs, observer }
    }

    /// The same, and each request to SQS is told to `observer`.
    pub(super) fn observed(mut self, observer: &SharedObserver) -> Self {
        self.observer = Arc::clone(observer);
        self
    }

    /// That of a channel; nothing is connected yet.
    pub(super) fn of(&self, id: &ChannelId, channel: &ChannelConfig) -> Result<Transport, String> {
        match (channel.queues_redis(), &self.sqs) {
            (Some(url), _) => {
                let client =
                    redis::Client::builder(url.expose(), id.as_str()).consumer("scheduler");
                let client = client
                    .link(channel.link.clone())
                    .build()
                    .map_err(|error| chain(&error))?;
                Ok(Transport::Redis(client))
            }
            (None, Some(client)) => Ok(Transport::Sqs(client.clone(), Arc::clone(&self.observer))),
            // A configuration without an address is refused before.
            (None, None) => Err("its queues are on a Redis without an address".to_owned()),
        }
    }
}

impl Transport {
    /// A queue, and what it does with messages that nobody deletes.
    pub(super) async fn find(&self, name: &str) -> Result<(SharedQueue, Kept), Finding> {
        match self {
            Self::Sqs(client, observer) => {
                let observer = Arc::clone(observer);
                let queue = sqs::SqsQueue::connect_observed(client, name, observer).await;
                let queue = queue.map_err(|error| Finding::from(&error))?;
                let kept = redrive::read(client, name).await;
                let unread = |what| Finding::new(what, "allow GetQueueUrl and GetQueueAttributes");
                Ok((Arc::new(queue), kept.map_err(unread)?))
            }
            Self::Redis(client) => {
                let queue = redis::RedisQueue::connect(client, name).await;
                let queue = queue.map_err(|error| Finding::from(&error))?;
                let kept = Kept {
                    redrive: queue.dead_letter().map(Redrive::from),
                    retention: None,
                };
                Ok((Arc::new(queue), kept))
            }
        }
    }

    /// Creates a queue, unless it exists as specified.
    pub(super) async fn create(&self, spec: Spec) -> Result<(), String> {
        let Spec {
            name,
            visibility_timeout,
            dead_letter,
        } = spec;
        let created = match self {
            Self::Sqs(client, _) => {
                let mut spec = sqs::QueueSpec::new(name, visibility_timeout);
                spec.dead_letter = dead_letter;
                sqs::create_queue(client, &spec).await
            }
            Self::Redis(client) => {
                let mut spec = redis::QueueSpec::new(name, visibility_timeout);
                spec.dead_letter = dead_letter;
                redis::create_queue(client, &spec).await
            }
        };
        created.map_err(|error| chain(&error))
    }
}

/// A client of SQS with the usual AWS settings, and the configured address if there is one.
async fn sqs_client(settings: &Sqs) -> sqs::Client {
    let mut config = sqs::client_config(&sqs::load_config().await);
    if let Some(endpoint) = &settings.endpoint {
        config = config.endpoint_url(endpoint);
    }
    sqs::Client::from_conf(config.build())
}
