//! Redis answers nobody for longer than a step waits, and then goes on with what it was asked.

use std::time::Duration;

use async_trait::async_trait;

use super::{Scenario, redis_server::on_redis};
use crate::{runner::Run, servers::Server};

/// A step waits for five seconds.
const PAUSE: Duration = Duration::from_millis(6_500);

/// See the module.
pub(super) struct RedisPaused;

#[async_trait]
impl Scenario for RedisPaused {
    fn name(&self) -> &'static str {
        "redis-paused"
    }

    fn about(&self) -> &'static str {
        "Redis is paused for longer than a step waits, by CLIENT PAUSE and SIGSTOP in turn"
    }

    fn breaks(&self) -> &'static [Server] {
        &[Server::Redis]
    }

    async fn inject(&self, run: &mut Run) -> anyhow::Result<()> {
        let mut by_client = true;
        while !run.left().is_zero() {
            let paused = run.faults.begin(if by_client {
                "CLIENT PAUSE"
            } else {
                "SIGSTOP redis"
            });
            if by_client {
                let () = on_redis(run, &format!("CLIENT PAUSE {} ALL", PAUSE.as_millis())).await?;
                run.calm(PAUSE).await;
            } else {
                run.stage.servers.pause(Server::Redis).await?;
                run.calm(PAUSE).await;
                run.stage.servers.go_on(Server::Redis).await?;
            }
            drop(paused);
            by_client = !by_client;
            run.calm_between(6_000, 10_000).await;
        }
        Ok(())
    }
}
