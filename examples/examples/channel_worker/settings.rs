//! How many jobs run at once, from Consul, while the worker runs.

use std::sync::Arc;

use clap::Args;
use polling_core::{Generator, SystemClock, Worker, worker::Tuning};
use polling_ops::{
    config::{Catalog, Consul, Fault, Layers, Setting, Settings, Table},
    metrics::Metrics,
};

/// Where values come from that lie over the options.
#[derive(Debug, Clone, Args)]
pub(crate) struct Source {
    /// Consul's address, such as http://127.0.0.1:8500.
    #[arg(long, requires = "settings_prefix")]
    settings_consul: Option<String>,
    /// What the worker's keys are below, such as polling/mastodon/posts/worker.
    #[arg(long)]
    settings_prefix: Option<String>,
}

/// Has `worker` take up what Consul holds, for as long as the process lives.
pub(crate) fn follow(source: &Source, worker: &Worker, metrics: &Metrics) -> anyhow::Result<()> {
    let Some(address) = &source.settings_consul else {
        return Ok(());
    };
    let prefix = source.settings_prefix.clone().unwrap_or_default();
    let consul = Consul::builder(address).prefix(prefix).build()?;
    let tuner = worker.tuner();
    let check = {
        let tuner = tuner.clone();
        move |tuning: &Tuning| {
            let fault = tuner.check(tuning).err();
            let fault = fault.map(|error| Fault::at(error.field().split('.'), error.to_string()));
            fault.into_iter().collect()
        }
    };
    let concurrency = Setting::new("concurrency", "concurrency", "Polls at once");
    let base = Table::try_from(tuner.tuning())?;
    let layers = Layers::new(base, Catalog::new(vec![concurrency]), check)?;
    let settings = Settings::over(layers, Arc::new(SystemClock), Generator::from_os());
    let (settings, following) = settings.source(consul.source()).start();
    metrics.watch_settings(&settings);
    tokio::spawn(following);
    let tuning = tuner.follow(settings.watch(), |current| Tuning::clone(&current.value));
    tokio::spawn(tuning);
    Ok(())
}
