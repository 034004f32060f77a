//! Redis fails to write its snapshot and refuses all writes (MISCONF): it can be read, and not be
//! written.

use std::{fs, time::Duration};

use anyhow::{bail, ensure};
use async_trait::async_trait;

use super::{
    Scenario,
    redis_server::{folder, on_redis, says},
};
use crate::{runner::Run, servers::Server};

/// How long a snapshot may take.
const SNAPSHOT: u32 = 100;

/// Redis refuses writes after a failed snapshot only if it is told to take them at times.
async fn save_points(run: &Run, points: &str) -> anyhow::Result<()> {
    let client = redis::Client::open(run.stage.servers.address(Server::Redis))?;
    let mut connection = client.get_multiplexed_async_connection().await?;
    let mut set = redis::cmd("CONFIG");
    set.arg("SET").arg("save").arg(points);
    Ok(set.exec_async(&mut connection).await?)
}

/// Takes a snapshot, which ends as told.
async fn snapshot(run: &Run, ends: &str) -> anyhow::Result<()> {
    let () = on_redis(run, "BGSAVE").await?;
    for _ in 0..SNAPSHOT {
        run.calm(Duration::from_millis(100)).await;
        let info: String = on_redis(run, "INFO persistence").await?;
        if info.contains("rdb_bgsave_in_progress:0") {
            let ended = info.contains(&format!("rdb_last_bgsave_status:{ends}"));
            ensure!(ended, "the snapshot does not end {ends}");
            return Ok(());
        }
    }
    bail!("the snapshot takes too long")
}

/// See the module.
pub(super) struct RedisCannotWrite;

#[async_trait]
impl Scenario for RedisCannotWrite {
    fn name(&self) -> &'static str {
        "redis-cannot-write"
    }

    fn about(&self) -> &'static str {
        "Redis cannot save for 6 s at a time: readiness says so, and it resumes by itself"
    }

    fn breaks(&self) -> &'static [Server] {
        &[Server::Redis]
    }

    async fn inject(&self, run: &mut Run) -> anyhow::Result<()> {
        let obstacle = folder(run).await?.join("dump.rdb");
        save_points(run, "3600 1000000").await?;
        while !run.left().is_zero() {
            // A folder where the snapshot belongs.
            if obstacle.is_file() {
                fs::remove_file(&obstacle)?;
            }
            fs::create_dir_all(obstacle.join("full"))?;
            snapshot(run, "err").await?;
            let failing = run.faults.begin("redis cannot save");
            says(run, "refuses writes (MISCONF").await?;
            run.calm(Duration::from_secs(6)).await;
            fs::remove_dir_all(&obstacle)?;
            snapshot(run, "ok").await?;
            drop(failing);
            run.calm_between(6_000, 10_000).await;
        }
        save_points(run, "").await?;
        Ok(())
    }
}
