//! `measure cycle`.

use std::time::Duration;

use benches::{
    cycle::{self, Load},
    figure::Figure,
};
use clap::{Args, ValueEnum};
use polling_model::Topic;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Adapters {
    /// All in memory.
    Memory,
    /// Redis Streams as queues, beside the store: POLLING_REDIS_URL.
    #[cfg(feature = "redis")]
    Streams,
    /// SQS, Redis and Kafka: POLLING_REDIS_URL, POLLING_SQS_ENDPOINT, POLLING_KAFKA_BROKERS.
    #[cfg(feature = "servers")]
    Servers,
}

/// How much is asked of a cycle.
#[derive(Debug, Args)]
pub(super) struct CycleLoad {
    /// Registered jobs, each due every second: more than can be polled in one.
    #[arg(long, default_value_t = 400_000)]
    jobs: usize,
    /// Seconds that are counted.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Each poll brings an event.
    #[arg(long)]
    events: bool,
    /// Jobs that the worker polls at once.
    #[arg(long, default_value_t = 256)]
    concurrency: usize,
    /// Milliseconds between two looks of the scheduler at the slots.
    #[arg(long, default_value_t = 10)]
    tick_ms: u64,
    /// Tasks that settle completions.
    #[arg(long, default_value_t = 2)]
    settlers: usize,
}

impl CycleLoad {
    pub(super) fn load(&self) -> Load {
        Load {
            jobs: self.jobs,
            warm_up_at_most: Duration::from_secs(60),
            measured: Duration::from_secs(self.seconds),
            events: self.events,
            concurrency: self.concurrency,
            tick: Duration::from_millis(self.tick_ms),
            settlers: self.settlers,
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct Cycle {
    /// Over which queues, store and bus; servers have to be empty.
    #[arg(long, value_enum, default_value_t = Adapters::Memory)]
    over: Adapters,
    #[command(flatten)]
    load: CycleLoad,
    /// Threads of the runtime.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    #[cfg(feature = "redis")]
    #[command(flatten)]
    at: super::addresses::Addresses,
}

impl Cycle {
    pub(super) fn measure(&self) -> anyhow::Result<()> {
        super::print(self.threads, self.figures())
    }

    async fn figures(&self) -> anyhow::Result<Vec<Figure>> {
        let (load, topic) = (self.load.load(), Topic::new("posts")?);
        let requests = cycle::Requests::default();
        match self.over {
            Adapters::Memory => {
                let name = match load.events {
                    true => "cycle/in-process-with-events",
                    false => "cycle/in-process",
                };
                let ports = cycle::in_process(&topic);
                Ok(vec![
                    cycle::run(name, &load, &ports, &topic, &requests).await?,
                ])
            }
            #[cfg(feature = "redis")]
            Adapters::Streams => {
                let ports = cycle::streams(self.at.redis()?).await?;
                let name = "cycle/streams";
                Ok(vec![
                    cycle::run(name, &load, &ports, &topic, &requests).await?,
                ])
            }
            #[cfg(feature = "servers")]
            Adapters::Servers => {
                let name = "cycle/servers";
                let ports = self.at.servers()?.ports(&topic, &requests).await?;
                Ok(vec![
                    cycle::run(name, &load, &ports, &topic, &requests).await?,
                ])
            }
        }
    }
}
