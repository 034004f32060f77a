//! Where servers are.

use anyhow::Context as _;
use clap::Args;

/// As `dev/services env` names them.
#[derive(Debug, Args)]
pub(super) struct Addresses {
    #[arg(long, env = "POLLING_REDIS_URL", hide_env_values = true)]
    redis: Option<String>,
    #[cfg(feature = "servers")]
    #[arg(long, env = "POLLING_SQS_ENDPOINT")]
    sqs: Option<String>,
    #[cfg(feature = "servers")]
    #[arg(long, env = "POLLING_KAFKA_BROKERS")]
    kafka: Option<String>,
}

impl Addresses {
    pub(super) fn redis(&self) -> anyhow::Result<&str> {
        self.redis
            .as_deref()
            .context("POLLING_REDIS_URL is not set")
    }

    #[cfg(feature = "servers")]
    pub(super) fn kafka(&self) -> anyhow::Result<&str> {
        let kafka = self.kafka.as_deref();
        kafka.context("POLLING_KAFKA_BROKERS is not set")
    }

    #[cfg(feature = "servers")]
    pub(super) fn servers(&self) -> anyhow::Result<benches::cycle::Servers> {
        let sqs = self.sqs.clone();
        Ok(benches::cycle::Servers {
            redis: self.redis()?.to_owned(),
            sqs: sqs.context("POLLING_SQS_ENDPOINT is not set")?,
            kafka: self.kafka()?.to_owned(),
        })
    }
}
