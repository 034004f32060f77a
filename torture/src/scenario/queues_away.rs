//! SQS is away for minutes, or comes back without anything that it had accepted.

use std::time::Duration;

use async_trait::async_trait;

use super::{Allow, Scenario};
use crate::{runner::Run, servers::Server, stage::bounds};

/// SQS is stopped, and comes back with what it had.
pub(super) struct SqsDown;

#[async_trait]
impl Scenario for SqsDown {
    fn name(&self) -> &'static str {
        "sqs-down"
    }

    fn about(&self) -> &'static str {
        "SQS is stopped for two thirds of the time, longer than every lease"
    }

    fn breaks(&self) -> &'static [Server] {
        &[Server::Sqs]
    }

    fn allow(&self) -> Allow {
        Allow {
            polls_per_dispatch: 1.5,
            strikes: 20,
            ..Allow::default()
        }
    }

    fn length(&self) -> Duration {
        Duration::from_secs(90)
    }

    async fn inject(&self, run: &mut Run) -> anyhow::Result<()> {
        let away = run.faults.begin("stop sqs");
        run.stage.servers.stop(Server::Sqs).await?;
        run.calm(run.left() * 2 / 3).await;
        run.stage.servers.start(Server::Sqs).await?;
        drop(away);
        run.calm(run.left()).await;
        Ok(())
    }
}

/// How long messages pile up before they are lost; shorter than their visibility timeout.
const FILLING: Duration = Duration::from_secs(3);

/// SQS forgets: queues in memory, killed.
pub(super) struct SqsLosesMessages;

#[async_trait]
impl Scenario for SqsLosesMessages {
    fn name(&self) -> &'static str {
        "sqs-loses-messages"
    }

    fn about(&self) -> &'static str {
        "SQS is killed and comes back empty: every job in flight comes back by the reaper"
    }

    fn breaks(&self) -> &'static [Server] {
        &[Server::Sqs]
    }

    fn setting(&self) -> crate::stage::Setting {
        crate::stage::Setting {
            sqs_persistent: false,
            ..crate::stage::Setting::default()
        }
    }

    fn allow(&self) -> Allow {
        Allow {
            polls_per_dispatch: 1.2,
            ..Allow::default()
        }
    }

    fn length(&self) -> Duration {
        bounds::LOST_AND_FOUND + Duration::from_secs(20)
    }

    async fn inject(&self, run: &mut Run) -> anyhow::Result<()> {
        let reaped = run.watch.counts().reaped;
        let forgotten = run.faults.begin("sqs loses all messages");
        // Workers that receive would leave it little to lose.
        for worker in &mut run.stage.workers {
            worker.pause()?;
        }
        run.calm(FILLING).await;
        run.stage.servers.kill(Server::Sqs).await?;
        for worker in &mut run.stage.workers {
            worker.go_on()?;
        }
        run.stage.servers.start(Server::Sqs).await?;
        run.stage.create_queues().await?;
        drop(forgotten);
        // Until leases end, however short the run was to be.
        run.at_least(bounds::LOST_AND_FOUND);
        run.calm(run.left()).await;
        let reaped = run.watch.counts().reaped - reaped;
        run.found.check(
            "jobs of lost messages are reaped",
            reaped > 0,
            format!("{reaped} reaped"),
        );
        Ok(())
    }
}
