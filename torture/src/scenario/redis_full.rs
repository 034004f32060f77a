//! Redis has no memory left: it can be read, and not be written.

use std::time::Duration;

use async_trait::async_trait;

use super::{
    Scenario,
    redis_server::{on_redis, says},
};
use crate::{runner::Run, servers::Server};

/// See the module.
pub(super) struct RedisFull;

#[async_trait]
impl Scenario for RedisFull {
    fn name(&self) -> &'static str {
        "redis-full"
    }

    fn about(&self) -> &'static str {
        "Redis is out of memory for 6 s at a time: readiness says so, and it resumes by itself"
    }

    fn breaks(&self) -> &'static [Server] {
        &[Server::Redis]
    }

    async fn inject(&self, run: &mut Run) -> anyhow::Result<()> {
        while !run.left().is_zero() {
            let full = run.faults.begin("redis out of memory");
            let () = on_redis(run, "CONFIG SET maxmemory 1").await?;
            says(run, "refuses writes (OOM").await?;
            run.calm(Duration::from_secs(6)).await;
            let () = on_redis(run, "CONFIG SET maxmemory 0").await?;
            drop(full);
            run.calm_between(6_000, 10_000).await;
        }
        Ok(())
    }
}
