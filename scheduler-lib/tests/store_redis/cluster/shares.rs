//! Masters with equal ranges of hash slots have equal shares: of the jobs, and of the work.

use scheduler_lib::store::{
    Dispatch, Next, RedisStore, Settlement, SlotStore, Strike, conformance::START_MS,
};

use super::Cluster;
use crate::fixture::{at, new_job, request};

const JOBS: usize = 12_000;

/// How far a share may be from the mean of all.
const UNEVEN: f64 = 0.05;

fn settlement(dispatch: Dispatch) -> Settlement {
    Settlement {
        id: dispatch.record.id,
        token: dispatch.token,
        revision: dispatch.record.state.revision,
        context: None,
        scopes: None,
        activity: None,
        next: Next::Due(at(30)),
        attempts: 0,
        strike: Strike::Clear,
        reason: "polled".to_owned(),
    }
}

/// Microseconds are of a machine that does other things, too: calls are counted.
async fn scripts(cluster: &Cluster) -> Vec<f64> {
    let mut calls = Vec::new();
    for node in &cluster.nodes {
        let stats: String = node.command("INFO commandstats").await;
        let line = stats
            .lines()
            .find(|line| line.starts_with("cmdstat_evalsha:"));
        let count = line.and_then(|line| line.split(['=', ',']).nth(1)?.parse().ok());
        calls.push(count.unwrap_or(0.0));
    }
    calls
}

fn assert_even(what: &str, shares: &[f64]) {
    let mean = shares.iter().sum::<f64>() / shares.len() as f64;
    for share in shares {
        let apart = (share / mean - 1.0).abs();
        assert!(mean > 0.0 && apart < UNEVEN, "{what}: {shares:?}");
    }
}

#[tokio::test]
#[ignore = "needs dev/services"]
#[expect(clippy::print_stdout, reason = "the shares are the figure")]
async fn every_master_has_an_equal_share_of_jobs_and_work() {
    let cluster = Cluster::start().await;
    let store = RedisStore::builder(cluster.url(), "mastodon".parse().expect("a channel"))
        .max_skew(None)
        .shards(6)
        .open(START_MS)
        .await
        .expect("the store opens");
    let jobs = (0..JOBS).map(|number| new_job(&format!("posts:{number}"), 1));
    let registered = store.register(jobs.collect(), at(0)).await;
    assert_eq!(registered.expect("register").len(), JOBS);
    let mut of_masters = vec![0.0; 3];
    for shard in store.shards() {
        let owner = cluster.owner(cluster.slot(shard.prefix()).await).await;
        of_masters[owner] += shard.counts().await.expect("counts").registered as f64;
    }
    let before = scripts(&cluster).await;
    let (mut nonce, mut settled) = (0, 0);
    loop {
        nonce += 1;
        let drained = store.drain(request(at(1), nonce)).await.expect("drain");
        let (note, ids): (_, Vec<_>) = (
            drained.jobs.first().map(|job| job.token.nonce),
            drained
                .jobs
                .iter()
                .map(|job| job.record.id.clone())
                .collect(),
        );
        if let Some(note) = note {
            store.sent(note, &ids).await.expect("sent");
        }
        settled += drained.jobs.len();
        let settlements = drained.jobs.into_iter().map(settlement);
        let settling = store.settle(settlements.collect(), at(1)).await;
        settling.expect("settle");
        if !drained.more {
            break;
        }
    }
    assert_eq!(settled, JOBS);
    let after = scripts(&cluster).await;
    let work: Vec<_> = after
        .iter()
        .zip(&before)
        .map(|(after, before)| after - before)
        .collect();
    println!("jobs {of_masters:?}, scripts of draining and settling {work:?}");
    assert_even("jobs", &of_masters);
    assert_even("scripts", &work);
}
