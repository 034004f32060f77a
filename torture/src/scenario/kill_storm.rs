//! Random processes are killed, servers among them, several at a time.

use async_trait::async_trait;
use rand::{RngExt as _, seq::IndexedRandom as _};

use super::{Allow, Scenario};
use crate::{faults::Lasting, runner::Run, servers::Server, stage::Setting};

/// See the module.
pub(super) struct KillStorm;

/// Who is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victim {
    Scheduler(usize),
    Worker(usize),
    Server(Server),
}

/// Victims of one blow, at most.
const MOST: usize = 3;

#[async_trait]
impl Scenario for KillStorm {
    fn name(&self) -> &'static str {
        "kill-storm"
    }

    fn about(&self) -> &'static str {
        "kill -9 of one to three random processes at a time, servers among them, again and again"
    }

    fn breaks(&self) -> &'static [Server] {
        &Server::ALL
    }

    fn setting(&self) -> Setting {
        Setting {
            schedulers: 3,
            workers: 3,
            ..Setting::default()
        }
    }

    fn allow(&self) -> Allow {
        Allow {
            polls_per_dispatch: 2.0,
            // A job whose worker is killed at each of its receives.
            strikes: 10,
            ..Allow::default()
        }
    }

    async fn inject(&self, run: &mut Run) -> anyhow::Result<()> {
        while !run.left().is_zero() {
            let mut dead: Vec<(Victim, Lasting)> = Vec::new();
            for victim in victims(run) {
                dead.push((victim, kill(run, victim).await?));
            }
            run.calm_between(200, 3_000).await;
            for (victim, lasting) in dead {
                start(run, victim).await?;
                drop(lasting);
            }
            run.calm_between(1_000, 6_000).await;
        }
        Ok(())
    }
}

fn victims(run: &mut Run) -> Vec<Victim> {
    let schedulers = (0..run.stage.schedulers.len()).map(Victim::Scheduler);
    let workers = (0..run.stage.workers.len()).map(Victim::Worker);
    let servers = Server::ALL.into_iter().map(Victim::Server);
    let all: Vec<_> = schedulers.chain(workers).chain(servers).collect();
    let count = run.random.random_range(1..=MOST);
    all.sample(&mut run.random, count).copied().collect()
}

async fn kill(run: &mut Run, victim: Victim) -> anyhow::Result<Lasting> {
    let kind = match victim {
        Victim::Scheduler(_) => "kill scheduler",
        Victim::Worker(_) => "kill worker",
        Victim::Server(Server::Redis) => "kill redis",
        Victim::Server(Server::Sqs) => "kill sqs",
        Victim::Server(Server::Kafka) => "kill kafka",
    };
    let lasting = run.faults.begin(kind);
    match victim {
        Victim::Scheduler(at) => run.stage.schedulers[at].process.kill().await?,
        Victim::Worker(at) => run.stage.workers[at].kill().await?,
        Victim::Server(server) => run.stage.servers.kill(server).await?,
    }
    Ok(lasting)
}

/// A process that finds its servers away at its start ends; like a service manager, the storm
/// starts it again, at the latest when all is healed.
async fn start(run: &mut Run, victim: Victim) -> anyhow::Result<()> {
    match victim {
        Victim::Scheduler(at) => run.stage.schedulers[at].process.start_again(&[]),
        Victim::Worker(at) => run.stage.workers[at].start_again(&[]),
        Victim::Server(server) => run.stage.servers.start(server).await,
    }
}
