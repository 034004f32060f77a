//! `measure servers`, `measure raw` and `measure kafka`.

use anyhow::Context as _;
use benches::{
    ceiling,
    cycle::{self, Requests},
    figure::Figure,
    rounds::{self, Round},
};
use clap::Args;
use polling_model::Topic;

use super::{addresses::Addresses, cycle::CycleLoad};

/// The full cycle and its calls without it, in turns.
#[derive(Debug, Args)]
pub(super) struct Servers {
    #[command(flatten)]
    load: CycleLoad,
    /// Rounds that count, after one in which the servers become warm.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    #[command(flatten)]
    at: Addresses,
}

impl Servers {
    pub(super) fn measure(&self) -> anyhow::Result<()> {
        super::print(2, self.figures())
    }

    async fn figures(&self) -> anyhow::Result<Vec<Figure>> {
        self.round()
            .await
            .context("while the servers become warm")?;
        let mut rounds = Vec::new();
        for _ in 0..self.rounds {
            rounds.push(self.round().await?);
        }
        let Round { ours, ceiling } = rounds::middle(rounds).context("no round")?;
        let asked = ours.details.get("requests_per_job");
        let asked = asked.and_then(serde_json::Value::as_f64).unwrap_or(0.0);
        let asked = Figure::new("sqs/requests-per-job", asked, "requests");
        Ok(vec![ours, ceiling, asked])
    }

    /// As many jobs of each, while as many messages wait.
    async fn round(&self) -> anyhow::Result<Round> {
        let (servers, load) = (self.at.servers()?, self.load.load());
        let (topic, requests) = (Topic::new("posts")?, Requests::default());
        let ports = servers.ports(&topic, &requests).await?;
        let ours = cycle::run("cycle/servers", &load, &ports, &topic, &requests).await?;
        drop(ports);
        servers.clear().await?;
        let jobs = (ours.value * load.measured.as_secs_f64()) as usize;
        let ceiling = ceiling::servers::measure(&servers, jobs, load.jobs).await?;
        Ok(Round { ours, ceiling })
    }
}

/// The calls of the full cycle without it.
#[derive(Debug, Args)]
pub(super) struct Raw {
    /// Cycles whose calls are made.
    #[arg(long, default_value_t = 20_000)]
    jobs: usize,
    /// Messages that wait in the work queue meanwhile.
    #[arg(long, default_value_t = 8_000)]
    waiting: usize,
    #[command(flatten)]
    at: Addresses,
}

impl Raw {
    pub(super) fn measure(&self) -> anyhow::Result<()> {
        super::print(2, async {
            let servers = self.at.servers()?;
            let ceiling = ceiling::servers::measure(&servers, self.jobs, self.waiting);
            Ok(vec![ceiling.await?])
        })
    }
}

#[derive(Debug, Args)]
pub(super) struct Kafka {
    /// Events, each of 200 bytes.
    #[arg(long, default_value_t = 600_000)]
    events: usize,
    #[command(flatten)]
    at: Addresses,
}

impl Kafka {
    pub(super) fn measure(&self) -> anyhow::Result<()> {
        super::print(2, async {
            ceiling::kafka::measure(self.at.kafka()?, self.events).await
        })
    }
}
