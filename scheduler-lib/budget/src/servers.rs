//! The run on real servers: every replica has connections of its own to Redis, SQS and Kafka.

use std::{env, sync::Arc, time::Duration};

use anyhow::Context as _;
use polling_core::WorkerConfig;
use polling_model::{ChannelId, Clock as _, Generator, SharedClock, SystemClock, Topic};
use polling_transport::{
    SharedQueue,
    kafka::{self, KafkaBus},
    sqs::{self, QueueSpec, SqsQueue},
};
use scheduler_lib::{Limits, ledger::RedisLedger, store::RedisStore};

use crate::{
    cast,
    channel::Channel,
    meter::Meter,
    run::{Bounds, Ports, Run, registry},
    scenario::Scenario,
};

/// How long a message stays with the worker that received it.
const VISIBILITY: Duration = Duration::from_secs(10);

/// Partitions of the run's topic.
const PARTITIONS: u16 = 4;

/// Where the servers are.
#[derive(Debug, Clone)]
pub struct Servers {
    redis: String,
    sqs: String,
    kafka: String,
}

impl Servers {
    /// Those that `dev/services env` names.
    ///
    /// # Errors
    ///
    /// That one is not named.
    pub fn from_env() -> anyhow::Result<Self> {
        let address = |name: &str| {
            env::var(name)
                .with_context(|| format!("{name} is not set: eval \"$(dev/services env)\""))
        };
        Ok(Self {
            redis: address("POLLING_REDIS_URL")?,
            sqs: address("POLLING_SQS_ENDPOINT")?,
            kafka: address("POLLING_KAFKA_BROKERS")?,
        })
    }
}

/// Plays a scenario in real time, under a name of its own: its queues, topic and keys stay. Tells
/// `progress` after each slot how many have passed.
///
/// # Errors
///
/// That a server does not answer when the run is prepared.
pub async fn play(
    mut scenario: Scenario,
    servers: &Servers,
    progress: impl Fn(u64),
) -> anyhow::Result<(Scenario, Meter)> {
    let run = format!("budget{:08x}", Generator::from_os().next_u64() >> 32);
    scenario.channel = ChannelId::new(&run).context("the run's name")?;
    let topic = Topic::new(format!("{run}-posts")).context("the run's topic")?;
    prepare(&run, servers, &topic).await?;
    let mut ports = Vec::new();
    for _ in 0..scenario.schedulers + scenario.workers {
        ports.push(connect(&scenario, &run, servers).await?);
    }
    let clock: SharedClock = Arc::new(SystemClock);
    let bounds = bounds(&scenario);
    let registry = registry(&scenario, clock.clone(), &bounds.limits, &ports[0]);
    cast::register(&scenario, &registry)
        .await
        .context("cannot register the jobs")?;
    scenario.start_ms = clock.now_ms();
    let run = Run {
        channel: Arc::new(Channel::new(
            &scenario,
            clock.clone(),
            ports[0].store.clone(),
        )),
        scenario,
        clock,
        bounds,
        topic: Some(topic),
    };
    run.play(&ports, progress).await;
    Ok((run.scenario.clone(), run.channel.meter()))
}

fn bounds(scenario: &Scenario) -> Bounds {
    Bounds {
        limits: Limits::of_seconds(),
        worker: WorkerConfig {
            concurrency: scenario.concurrency,
            replicas: scenario.workers as u32,
            rate_limit_wait: scenario.slot(),
            poll_timeout: Duration::from_secs(5),
            publish_timeout: Duration::from_secs(10),
            complete_timeout: Duration::from_secs(5),
            receive_wait: Duration::from_secs(1),
            shutdown_grace: Duration::from_secs(5),
            ..WorkerConfig::default()
        },
    }
}

/// The run's queues, by what they are for.
fn queue(run: &str, of: &str) -> String {
    format!("{run}-{of}")
}

async fn client(servers: &Servers) -> sqs::Client {
    let config = sqs::load_config().await;
    let config = config.into_builder().endpoint_url(&servers.sqs).build();
    sqs::client(&config)
}

async fn prepare(run: &str, servers: &Servers, topic: &Topic) -> anyhow::Result<()> {
    let client = client(servers).await;
    let dead = queue(run, "dead");
    let max_receives = Limits::of_seconds().max_receives;
    let redriven = |of| QueueSpec::new(queue(run, of), VISIBILITY).dead_letter(&dead, max_receives);
    for spec in [
        QueueSpec::new(&dead, VISIBILITY),
        redriven("work"),
        redriven("completed"),
    ] {
        sqs::create_queue(&client, &spec)
            .await
            .with_context(|| format!("cannot create {} at {}", spec.name, servers.sqs))?;
    }
    kafka::create_topic(&servers.kafka, topic, PARTITIONS, 1)
        .await
        .with_context(|| format!("cannot create {topic} at {}", servers.kafka))
}

async fn connect(scenario: &Scenario, run: &str, servers: &Servers) -> anyhow::Result<Ports> {
    let client = client(servers).await;
    let queue = async |of: &str| {
        let name = queue(run, of);
        let connected = SqsQueue::connect(&client, &name).await;
        let queue: SharedQueue = Arc::new(connected.with_context(|| name)?);
        anyhow::Ok(queue)
    };
    let store = RedisStore::builder(&servers.redis, scenario.channel.clone()).ring(scenario.ring);
    let store = store.open(SystemClock.now_ms()).await;
    let ledger = RedisLedger::builder(&servers.redis, scenario.channel.clone()).build();
    let bus = KafkaBus::builder(&servers.kafka).build();
    Ok(Ports {
        store: Arc::new(store.context("cannot open the store in Redis")?),
        ledger: Arc::new(ledger.context("cannot use the ledger in Redis")?),
        work: queue("work").await?,
        completed: queue("completed").await?,
        dead_letter: queue("dead").await?,
        bus: Arc::new(bus.context("cannot use Kafka")?),
    })
}
