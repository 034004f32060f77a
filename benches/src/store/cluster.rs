//! The store on the masters of a Redis Cluster: whether each has its share.

use std::{sync::Arc, time::Instant};

use anyhow::{Context as _, ensure};
use polling_model::SlotRing;
use redis::{Client, aio::MultiplexedConnection};
use scheduler_lib::store::RedisStore;

use super::{Phases, Plan, redis::SEED};
use crate::{figure::Figure, jobs};

/// A multiple of the masters.
const SHARDS: usize = 12;

/// Drains and settles over `nodes`, given as `host:port`.
///
/// # Errors
///
/// A node's, and that a step did not do what it is to.
pub async fn measure(nodes: &[String], plan: Plan) -> anyhow::Result<Vec<Figure>> {
    let store = RedisStore::builder(format!("redis://{}/", nodes.join(",")), jobs::channel())
        .ring(SlotRing::MINUTES)
        .max_skew(None)
        .shards(SHARDS)
        .open(plan.start_ms)
        .await
        .context("cannot open the store")?;
    let all = plan.jobs as f64;
    let phases = Phases::new(plan, Arc::new(store), SEED);
    phases.register().await?;
    let mut masters = Vec::new();
    for node in nodes {
        masters.push(connect(node).await?);
    }
    let before = scripts(&mut masters).await?;
    let began = Instant::now();
    phases.drain(1).await?;
    phases.sent().await?;
    phases.settle(1).await?;
    let took_s = began.elapsed().as_secs_f64();
    let after = scripts(&mut masters).await?;
    let done: Vec<f64> = after
        .iter()
        .zip(&before)
        .map(|(after, before)| after - before)
        .collect();
    let even = done.iter().sum::<f64>() / done.len() as f64;
    ensure!(even > 0.0, "no script ran");
    let uneven = done.iter().map(|done| (done / even - 1.0).abs());
    Ok(vec![
        Figure::new("store/cluster", all / took_s, "jobs/s").with("masters", nodes.len()),
        Figure::new("cluster/uneven", 100.0 * uneven.fold(0.0, f64::max), "%")
            .with("scripts", done)
            .with("shards", SHARDS),
    ])
}

async fn connect(node: &str) -> anyhow::Result<MultiplexedConnection> {
    let client = Client::open(format!("redis://{node}/"))?;
    Ok(client.get_multiplexed_async_connection().await?)
}

/// Scripts that each has run.
async fn scripts(masters: &mut [MultiplexedConnection]) -> anyhow::Result<Vec<f64>> {
    let mut all = Vec::new();
    for master in masters {
        let info: String = redis::cmd("INFO")
            .arg("commandstats")
            .query_async(master)
            .await?;
        let calls = info
            .lines()
            .find_map(|line| line.strip_prefix("cmdstat_evalsha:calls="))
            .and_then(|rest| rest.split(',').next());
        all.push(calls.context("no script ran on a master")?.parse()?);
    }
    Ok(all)
}
