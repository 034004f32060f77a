//! The life of the service: open, serve, run, stop.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context;
use polling_model::{SharedClock, SystemClock};
use polling_ops::{health::checks, metrics::Metrics, prometheus};
use scheduler_web::{Recent, Web};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tokio_util::sync::CancellationToken;

use crate::{
    assemble::assemble,
    check,
    config::Config,
    metrics, probes,
    scaling::{self, Decisions},
    settings,
};

/// How long requests under way may take once the scheduler has stopped.
const ADMIN_GRACE: Duration = Duration::from_secs(2);

/// Takes the admin address, so that a second start on it fails before anything else is done.
///
/// # Errors
///
/// That the address is taken or not this machine's.
pub async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("admin.listen {address} cannot be listened on"))
}

/// Opens what the configuration names and runs until `stop` is cancelled.
///
/// # Errors
///
/// When a server cannot be used, or a loop of the scheduler has ended on its own.
pub async fn run(
    config: &Config,
    listener: TcpListener,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let probes = probes::listen(&config.health).await?;
    let keda = scaling::listen(&config.scaling).await?;
    let clock: SharedClock = Arc::new(SystemClock);
    let metrics = Metrics::with_objectives(&config.objectives());
    let recent = Arc::new(Recent::new(Arc::clone(&clock)));
    let opened = tokio::select! {
        biased;
        () = stop.cancelled() => return Ok(()),
        opened = assemble(config, Arc::clone(&clock), &metrics, recent.clone()) => opened,
    };
    let scheduler = opened.context("the scheduler cannot start")?;
    metrics::watch(&metrics, &scheduler, config, &clock);
    let pushing = metrics::push(&metrics, config, &clock, &stop)?;
    let registries = scaling::registries(&scheduler);
    let settings = settings::follow(config, registries.clone(), &clock, &stop)?;
    if let Some(settings) = &settings {
        metrics.watch_settings(settings.followed());
    }
    let decisions = Decisions::new(&config.scaling);
    let scaled = config.scaling.channels.keys().cloned();
    metrics::watch_workers(&metrics, &decisions, scaled, &clock);
    let scaling = scaling::run(
        config.clone(),
        registries,
        Arc::clone(&clock),
        keda,
        decisions.clone(),
        settings.clone(),
        stop.clone(),
    );
    let scaling = tokio::spawn(scaling);
    let mut web = Web::builder(&scheduler, Arc::clone(&clock))
        .options(config.admin.clone())
        .recent(recent);
    if let Some(settings) = settings {
        web = web
            .health(checks::settings(settings.followed()))
            .settings(Arc::new(settings));
    }
    let web = web
        .check(check::of(config.clone(), Arc::clone(&clock)))
        .scaling(scaling::told(decisions, clock))
        .build();
    let channels: Vec<_> = scheduler.channels().map(ToString::to_string).collect();
    let address = listener.local_addr()?;
    tracing::info!(%address, channels = channels.join(","), "the scheduler runs");
    let probes = probes.map(|at| probes::serve(at, web.health().clone(), stop.clone()));
    let router = web.router_beside(prometheus::router(metrics));
    let server = tokio::spawn(scheduler_web::serve(listener, router, stop.clone()));
    scheduler.run(stop.clone().cancelled_owned()).await;
    let asked_to = stop.is_cancelled();
    stop.cancel();
    if tokio::time::timeout(ADMIN_GRACE, server).await.is_err() {
        tracing::warn!("requests under way did not end in time");
    }
    // Each ends by itself within its own grace.
    let endings = [probes, Some(scaling)].into_iter().flatten();
    for ending in endings.chain(pushing) {
        let _ = ending.await;
    }
    anyhow::ensure!(
        asked_to,
        "a loop of the scheduler has ended on its own, see the log; start again"
    );
    tracing::info!("the scheduler has stopped");
    Ok(())
}

/// Cancels the returned token at the first SIGTERM or SIGINT; the second ends the process at once.
///
/// # Errors
///
/// When the signals cannot be listened to.
pub fn stop_on_signals() -> anyhow::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be listened to")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be listened to")?;
    let first = stop.clone();
    tokio::spawn(async move {
        loop {
            let code = tokio::select! {
                biased;
                _ = terminate.recv() => 128 + SignalKind::terminate().as_raw_value(),
                _ = interrupt.recv() => 128 + SignalKind::interrupt().as_raw_value(),
            };
            if first.is_cancelled() {
                tracing::warn!("a second signal: ending at once");
                std::process::exit(code);
            }
            tracing::info!("stopping; a second signal ends at once");
            first.cancel();
        }
    });
    Ok(stop)
}
