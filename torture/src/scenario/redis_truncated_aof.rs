//! Redis is killed, and the last seconds of acknowledged writes are gone.

use std::{fs, time::Duration};

use async_trait::async_trait;

use super::{
    Allow, Scenario,
    redis_server::{folder, growing_file, new_history, on_redis},
};
use crate::{runner::Run, servers::Server};

/// Of so long the writes are lost.
const UNDONE: Duration = Duration::from_secs(5);

/// See the module.
pub(super) struct RedisTruncatedAof;

#[async_trait]
impl Scenario for RedisTruncatedAof {
    fn name(&self) -> &'static str {
        "redis-truncated-aof"
    }

    fn about(&self) -> &'static str {
        "Redis is killed and comes back without its last 5 s of acknowledged writes"
    }

    fn breaks(&self) -> &'static [Server] {
        &[Server::Redis]
    }

    fn allow(&self) -> Allow {
        Allow {
            // What was polled in the seconds that are undone is polled once more.
            polls_per_dispatch: 2.0,
            registrations_undone: true,
            ..Allow::default()
        }
    }

    async fn inject(&self, run: &mut Run) -> anyhow::Result<()> {
        let folder = folder(run).await?;
        let () = on_redis(run, "CONFIG SET auto-aof-rewrite-percentage 0").await?;
        while !run.left().is_zero() {
            let file = growing_file(&folder)?;
            let kept = fs::metadata(&file)?.len();
            run.calm(UNDONE).await;
            let away = run.faults.begin("kill redis, writes undone");
            run.stage.servers.kill(Server::Redis).await?;
            // Redis writes whole steps, so this is the end of one. One cut in its middle would be
            // left half in the file, and be half done at the start after the next: the sweep's work.
            fs::File::options().write(true).open(&file)?.set_len(kept)?;
            new_history(run).await;
            run.stage.servers.start(Server::Redis).await?;
            drop(away);
            run.calm_between(6_000, 10_000).await;
        }
        Ok(())
    }
}
