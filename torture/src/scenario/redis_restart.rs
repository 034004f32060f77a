//! Redis is killed and comes back with what it had, and knows no script any more.

use std::time::Duration;

use async_trait::async_trait;

use super::Scenario;
use crate::{runner::Run, servers::Server};

/// See the module.
pub(super) struct RedisRestart;

#[async_trait]
impl Scenario for RedisRestart {
    fn name(&self) -> &'static str {
        "redis-restart"
    }

    fn about(&self) -> &'static str {
        "every 8 to 12 s Redis is killed or stopped, and comes back a moment later"
    }

    fn breaks(&self) -> &'static [Server] {
        &[Server::Redis]
    }

    async fn inject(&self, run: &mut Run) -> anyhow::Result<()> {
        let mut kill = true;
        while !run.left().is_zero() {
            let away = run
                .faults
                .begin(if kill { "kill redis" } else { "stop redis" });
            if kill {
                run.stage.servers.kill(Server::Redis).await?;
            } else {
                run.stage.servers.stop(Server::Redis).await?;
            }
            run.calm(Duration::from_secs(2)).await;
            run.stage.servers.start(Server::Redis).await?;
            drop(away);
            kill = !kill;
            run.calm_between(6_000, 10_000).await;
        }
        Ok(())
    }
}
