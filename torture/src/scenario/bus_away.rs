//! Kafka is killed or stands still: nothing is completed before its events are delivered.

use std::time::Duration;

use async_trait::async_trait;

use super::{Allow, Scenario};
use crate::{runner::Run, servers::Server};

/// What is done to Kafka.
pub(super) enum BusAway {
    /// SIGKILL, and a start some seconds later.
    Killed,
    /// SIGSTOP and SIGCONT: connections stay open.
    Paused,
}

#[async_trait]
impl Scenario for BusAway {
    fn name(&self) -> &'static str {
        match self {
            Self::Killed => "kafka-killed",
            Self::Paused => "kafka-paused",
        }
    }

    fn about(&self) -> &'static str {
        match self {
            Self::Killed => "Kafka is killed, and back some seconds later, again and again",
            Self::Paused => "Kafka stands still for 12 s at a time, its connections open",
        }
    }

    fn breaks(&self) -> &'static [Server] {
        &[Server::Kafka]
    }

    fn allow(&self) -> Allow {
        Allow {
            // Polled, and not published in time.
            polls_per_dispatch: 1.5,
            ..Allow::default()
        }
    }

    fn length(&self) -> Duration {
        Duration::from_secs(70)
    }

    async fn inject(&self, run: &mut Run) -> anyhow::Result<()> {
        while !run.left().is_zero() {
            match self {
                Self::Killed => {
                    let away = run.faults.begin("kill kafka");
                    run.stage.servers.kill(Server::Kafka).await?;
                    run.calm(Duration::from_secs(4)).await;
                    run.stage.servers.start(Server::Kafka).await?;
                    drop(away);
                }
                Self::Paused => {
                    let away = run.faults.begin("SIGSTOP kafka");
                    run.stage.servers.pause(Server::Kafka).await?;
                    run.calm(Duration::from_secs(12)).await;
                    run.stage.servers.go_on(Server::Kafka).await?;
                    drop(away);
                }
            }
            run.calm_between(8_000, 14_000).await;
        }
        Ok(())
    }
}
