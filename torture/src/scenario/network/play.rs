//! Breaking, and counting what was broken.

use std::time::Duration;

use anyhow::Context as _;
use tokio::time::Instant;

use crate::{proxy::Faults, runner::Run, servers::Server};

/// How often what was injected is counted while it is.
const COUNT_INTERVAL: Duration = Duration::from_millis(500);

/// What is broken before some servers.
pub(super) struct Injection {
    pub(super) servers: &'static [Server],
    pub(super) faults: fn() -> Faults,
    /// Open connections are reset at the beginning, too.
    pub(super) reset_open: bool,
}

/// Breaks for so long, but not beyond the end of the run, and mends.
pub(super) async fn inject(
    run: &Run,
    name: &str,
    injection: &Injection,
    duration: Duration,
) -> anyhow::Result<()> {
    let lasting = run.faults.begin(name);
    let until = Instant::now() + duration.min(run.left());
    let proxies = run
        .stage
        .proxies
        .as_ref()
        .context("the stage has no proxies")?;
    for server in injection.servers {
        let proxy = proxies.of(*server);
        proxy.set((injection.faults)()).await?;
        if injection.reset_open {
            proxy.reset_open();
        }
    }
    while Instant::now() < until {
        run.calm(COUNT_INTERVAL).await;
        count(run);
    }
    proxies.heal().await?;
    count(run);
    drop(lasting);
    Ok(())
}

fn count(run: &Run) {
    let counts = run.stage.proxies.as_ref().map(|proxies| proxies.counts());
    for (fault, count) in counts.unwrap_or_default() {
        run.faults.set_count(&fault, count);
    }
}
