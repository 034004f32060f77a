//! What changes while the worker runs: how many jobs at once, its paces.

use std::{fs, path::PathBuf, sync::Arc};

use anyhow::Context as _;
use clap::Args;
use polling_core::{
    Generator, SystemClock, Worker,
    worker::{Tuner, Tuning},
};
use polling_ops::{
    config::{
        Below, Catalog, Consul, Fault, FileSource, Layers, RedisSource, Setting, Settings, Table,
    },
    health::{Check, checks},
};

use crate::{health::Probes, metrics::Metrics, options::Secret};

/// Where values come from that lie over those of the other options, the strongest last. With none they stay as they are.
#[derive(Debug, Args)]
pub(crate) struct Sources {
    /// A TOML file that is read again when it changes.
    #[arg(long, env = "SETTINGS_FILE")]
    settings_file: Option<PathBuf>,
    /// A Redis with the hash `polling:settings`.
    #[arg(long, env = "SETTINGS_REDIS", hide_env_values = true)]
    settings_redis: Option<Secret>,
    /// Consul's address, such as `http://127.0.0.1:8500`.
    #[arg(long, env = "SETTINGS_CONSUL")]
    settings_consul: Option<String>,
    /// What the keys in Consul are below.
    #[arg(long, env = "SETTINGS_CONSUL_PREFIX", default_value = "polling")]
    settings_consul_prefix: String,
    /// A file with a token that may read them.
    #[arg(long, env = "SETTINGS_CONSUL_TOKEN_FILE")]
    settings_consul_token_file: Option<PathBuf>,
    /// A file in which what they said last is kept for the next start.
    #[arg(long, env = "SETTINGS_KEEP")]
    settings_keep: Option<PathBuf>,
    /// Channel and job type: the worker's keys are below `CHANNEL/JOB_TYPE/worker`.
    #[arg(
        long,
        env = "SETTINGS_OF",
        value_name = "CHANNEL/JOB_TYPE",
        default_value = "demo/items"
    )]
    settings_of: String,
}

impl Sources {
    const fn are_given(&self) -> bool {
        self.settings_file.is_some()
            || self.settings_redis.is_some()
            || self.settings_consul.is_some()
    }

    fn consul(&self, address: &str) -> anyhow::Result<Consul> {
        let token = self.settings_consul_token_file.as_ref();
        let read = |file: &PathBuf| {
            let read = fs::read_to_string(file);
            read.with_context(|| format!("{} cannot be read", file.display()))
        };
        let token = token.map(read).transpose()?;
        let prefix = format!("{}/{}", self.settings_consul_prefix, self.root());
        let consul = Consul::builder(address).prefix(prefix);
        Ok(consul
            .token(token.map(|token| token.trim().to_owned()))
            .build()?)
    }

    fn root(&self) -> String {
        format!("{}/worker", self.settings_of)
    }
}

/// Has `worker` take up what `sources` say, for as long as the process lives. What cannot take effect is told by the probe,
/// which stays ready, in the log, and as metrics.
pub(crate) fn follow(
    sources: &Sources,
    worker: &Worker,
    probes: &Probes,
    #[cfg_attr(not(feature = "metrics"), expect(unused_variables))] metrics: &Metrics,
) -> anyhow::Result<()> {
    if !sources.are_given() {
        probes.settings.found(Check::new("settings", || true));
        return Ok(());
    }
    let tuner = worker.tuner();
    let mut building = Settings::over(layers(&tuner)?, Arc::new(SystemClock), Generator::from_os());
    if let Some(file) = &sources.settings_file {
        building = building.source(Below::new(&sources.root(), FileSource::new(file)));
    }
    if let Some(url) = &sources.settings_redis {
        let source = RedisSource::new(&url.0, &Default::default(), "polling:settings")?;
        building = building.source(Below::new(&sources.root(), source));
    }
    if let Some(address) = &sources.settings_consul {
        building = building.source(sources.consul(address)?.source());
    }
    if let Some(file) = &sources.settings_keep {
        building = building.keep(file);
    }
    let (settings, following) = building.start();
    probes.settings.found(checks::settings(&settings));
    #[cfg(feature = "metrics")]
    metrics.watch_settings(&settings);
    tokio::spawn(following);
    let tuning = tuner.follow(settings.watch(), |current| Tuning::clone(&current.value));
    tokio::spawn(tuning);
    Ok(())
}

/// Over what the worker was built with, and by its own rules.
fn layers(tuner: &Tuner) -> anyhow::Result<Layers<Tuning>> {
    let settings = [
        ("concurrency", "concurrency", "Jobs at once"),
        (
            "replicas",
            "replicas",
            "Workers that share the paces, this one included",
        ),
        (
            "publish_rate",
            "publish_rate",
            "Events per second, over all jobs",
        ),
        (
            "paces/{scope}/rate_per_s",
            "paces.{scope}.rate_per_s",
            "Calls of the scope per second, of all workers",
        ),
        (
            "paces/{scope}/burst",
            "paces.{scope}.burst",
            "Calls of the scope at once, of all workers",
        ),
    ];
    let settings = settings.map(|(key, path, help)| Setting::new(key, path, help));
    let base = Table::try_from(tuner.tuning())?;
    let tuner = tuner.clone();
    let check = move |tuning: &Tuning| {
        let fault = tuner.check(tuning).err();
        let fault = fault.map(|error| Fault::at(error.field().split('.'), error.to_string()));
        fault.into_iter().collect()
    };
    Ok(Layers::new(base, Catalog::new(settings.into()), check)?)
}

#[cfg(test)]
mod tests {
    use std::{num::NonZeroU32, time::Duration};

    use clap::Parser;
    use polling_core::{
        WorkerConfig, poller_fn,
        rate_limit::{Quota, Scope},
        transport::memory::{MemoryBus, MemoryQueue},
    };
    use tokio::time::{sleep, timeout};

    use super::*;

    #[derive(Parser)]
    struct Given {
        #[command(flatten)]
        sources: Sources,
    }

    fn worker() -> Worker {
        let queue = |name| MemoryQueue::builder(name, Arc::new(SystemClock)).build();
        let config = WorkerConfig {
            concurrency: 8,
            ..WorkerConfig::default()
        };
        Worker::builder()
            .config(config)
            .work(queue("work"))
            .completed(queue("completed"))
            .bus(Arc::new(MemoryBus::new()))
            .pace(Scope::app(), Quota::per_second(NonZeroU32::MIN))
            .poller(poller_fn(async |_| Ok(Default::default())))
            .build()
            .unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_worker_takes_up_what_a_file_says_and_a_probe_tells_what_is_wrong() {
        let name = format!("worker-settings-{}.toml", Generator::from_os().next_u64());
        let file = std::env::temp_dir().join(name);
        let path = file.to_str().unwrap();
        let given = Given::parse_from(["", "--settings-file", path, "--settings-of", "acme/posts"]);
        let (worker, probes) = (worker(), Probes::new().unwrap());
        follow(&given.sources, &worker, &probes, &Metrics::new()).unwrap();
        let tuner = worker.tuner();
        let is = async |concurrency, rate_per_s: f64| {
            let holds = || {
                let tuning = tuner.tuning();
                (tuning.concurrency, tuning.paces["app"].rate_per_s) == (concurrency, rate_per_s)
            };
            let until = async {
                while !holds() {
                    sleep(Duration::from_millis(10)).await;
                }
            };
            timeout(Duration::from_secs(5), until).await.unwrap();
        };
        is(8, 1.0).await;
        let write = |text: &str| fs::write(&file, format!("[acme.posts.worker]\n{text}")).unwrap();
        write("concurrency = 3\npaces.app.rate_per_s = 2.5");
        is(3, 2.5).await;
        // What is wrong of it stays as it was; the rest is taken up.
        write("concurrency = 0\npaces.app.rate_per_s = 4\npaces.tenant.rate_per_s = 1");
        is(3, 4.0).await;
        let report = probes.health.readiness().await;
        let reason = report.checks["settings"].reason.as_deref().unwrap();
        assert!(reason.contains("concurrency is refused"), "{reason}");
        fs::remove_file(&file).unwrap();
    }
}
