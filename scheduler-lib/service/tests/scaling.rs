//! How many workers there should be, as the service decides and tells it.
#![allow(clippy::unwrap_used)]

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use polling_model::{ManualClock, SharedClock, SlotRing};
use polling_ops::{
    keda::proto::{
        GetMetricsRequest, ScaledObjectRef, external_scaler_client::ExternalScalerClient,
    },
    scaling::ScalingRules,
};
use polling_transport::{SharedQueue, memory::MemoryQueue};
use scheduler::{
    config::{Config, Scaling},
    scaling::{self, Decisions},
};
use scheduler_lib::{Channel, MemoryStore, Registration, Scheduler, policy::JobTypeRules};
use tokio_util::sync::CancellationToken;
use tonic::transport::Endpoint;

const NOW_MS: i64 = 1_800_000_000_000;

const CHANNEL: &str = r#"
[channels.mastodon]
store = "memory"
[channels.mastodon.job_types.posts]
interval = "5m"
"#;

fn parse(scaling: &str) -> Result<Config, String> {
    let config = Config::parse("s.toml", &format!("{scaling}{CHANNEL}"), []);
    config.map_err(|error| error.to_string())
}

fn posts(scaling: &Scaling) -> ScalingRules {
    scaling.channels["mastodon"]["posts"].0.clone()
}

#[test]
fn the_example_spells_out_the_default_rules() {
    let example = scheduler::cli::EXAMPLE_CONFIG;
    let (_, section) = example
        .split_once("[scaling.channels.mastodon.posts]")
        .unwrap();
    let (section, _) = section.split_once("\n\n").unwrap();
    let rules = section.replace("\n# ", "\n");
    let text = format!("[scaling.channels.mastodon.posts]{rules}\n");
    let config = parse(&text).unwrap();
    assert_eq!(posts(&config.scaling), ScalingRules::default());
    // Each of them: a table with an unknown key names those that there are.
    let error = parse("[scaling.channels.mastodon.posts]\nxyzzy = 1\n").unwrap_err();
    let (_, known) = error.split_once("known are ").unwrap();
    for rule in known.split(", ") {
        assert!(
            section.contains(&format!("\n# {rule} = ")),
            "{rule} is not explained"
        );
    }
}

#[test]
fn rules_out_of_bounds_and_unknown_names_are_told() {
    let error = parse("[scaling.channels.mastodon.posts]\nmax = 2\nmin = 3\n").unwrap_err();
    assert_eq!(
        error,
        "s.toml:3: scaling.channels.mastodon.posts.min: it needs 0 to max"
    );
    let error = parse("[scaling.channels.mastodon.post]\n").unwrap_err();
    assert!(error.contains("did you mean \"posts\"?"), "{error}");
    let error = parse("[scaling.channels.mastodom.posts]\n").unwrap_err();
    assert!(error.contains("did you mean \"mastodon\"?"), "{error}");
}

/// A scheduler with so many jobs in its slots, spread over 5 minutes, and so many that wait.
async fn scheduler(clock: &SharedClock, registered: usize, waiting: usize) -> Scheduler {
    let queue =
        |name: &str| -> SharedQueue { MemoryQueue::builder(name, Arc::clone(clock)).build() };
    let work = queue("posts");
    let messages = (0..waiting).map(|number| number.to_string()).collect();
    work.send(messages).await;
    let store = Arc::new(MemoryStore::new(SlotRing::MINUTES, NOW_MS));
    let rules = JobTypeRules::every(Duration::from_secs(300));
    let channel = Channel::builder("mastodon".parse().unwrap(), store)
        .job_type("posts".parse().unwrap(), rules, work)
        .completed(queue("completed"))
        .dead_letter(queue("dead-letter"))
        .build()
        .unwrap();
    let scheduler = Scheduler::builder()
        .clock(Arc::clone(clock))
        .channel(channel)
        .build();
    let registry = scheduler.registry(&"mastodon".parse().unwrap()).unwrap();
    for account in 0..registered {
        let account = account.to_string();
        let job = Registration::new("posts".parse().unwrap(), account.parse().unwrap());
        registry.register(job).await.unwrap();
    }
    scheduler
}

/// What KEDA hears of that scheduler.
async fn workers(registered: usize, waiting: usize) -> f64 {
    let clock: SharedClock = Arc::new(ManualClock::at(NOW_MS));
    let scheduler = scheduler(&clock, registered, waiting).await;
    let text = "[scaling]\nkeda_listen = \"127.0.0.1:0\"\n[scaling.channels.mastodon.posts]\nrate_per_s = 0.1\nmax = 50\n";
    let config = parse(text).unwrap();
    let listener = scaling::listen(&config.scaling).await.unwrap().unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let stop = CancellationToken::new();
    let registries = scaling::registries(&scheduler);
    let decisions = Decisions::new(&config.scaling);
    let told = decisions.clone();
    let running = scaling::run(
        config,
        registries,
        clock,
        Some(listener),
        told,
        None,
        stop.clone(),
    );
    let running = tokio::spawn(running);
    let channel = Endpoint::from_shared(address)
        .unwrap()
        .connect()
        .await
        .unwrap();
    let mut client = ExternalScalerClient::new(channel);
    let names = [("channel", "mastodon"), ("jobType", "posts")];
    let names = names.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let asked = ScaledObjectRef {
        scaler_metadata: BTreeMap::from(names).into_iter().collect(),
        ..ScaledObjectRef::default()
    };
    // The stream's first message comes with the first decision.
    let mut stream = client
        .stream_is_active(asked.clone())
        .await
        .unwrap()
        .into_inner();
    assert!(stream.message().await.unwrap().unwrap().result);
    let request = GetMetricsRequest {
        scaled_object_ref: Some(asked),
        metric_name: "workers".to_owned(),
    };
    let metrics = client.get_metrics(request).await.unwrap().into_inner();
    // Open streams would hold up the end.
    drop((stream, client));
    stop.cancel();
    running.await.unwrap();
    let workers = metrics.metric_values[0].metric_value_float;
    // Who asks the admin server is told the same.
    let decided = decisions.of(&"mastodon".parse().unwrap());
    let [(job_type, decided)] = &decided[..] else {
        panic!("{decided:?}");
    };
    assert_eq!((job_type.as_str(), decided.at_ms), ("posts", NOW_MS));
    assert_eq!(f64::from(decided.decision.workers), workers);
    workers
}

#[tokio::test]
async fn keda_is_told_what_the_slots_and_the_queue_need() {
    assert_eq!(workers(0, 0).await, 1.0);
    // 300 jobs within 300 s are one a second, for workers that do 0.095; none of them is in the first of the slots ahead.
    let slots = workers(300, 0).await;
    assert!((6.0..=12.0).contains(&slots), "{slots}");
    let queue = workers(0, 200).await;
    assert!((35.0..=50.0).contains(&queue), "{queue}");
    assert!(workers(300, 200).await >= slots.max(queue));
}
