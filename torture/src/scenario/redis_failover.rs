//! A replica that was cut off takes over: what the primary acknowledged since is gone with it.

use std::{fs, path::PathBuf, time::Duration};

use anyhow::{Context as _, bail, ensure};
use async_trait::async_trait;

use super::{
    Allow, Scenario,
    redis_server::{APPEND_ONLY, command, folder, writes_undone},
};
use crate::{
    process::{Process, Program},
    runner::Run,
    servers::Server,
    stage::ports,
};

/// Of so long the writes are lost.
const UNDONE: Duration = Duration::from_secs(5);

/// How long the replica may take to start, to follow, and to end.
const PATIENCE: Duration = Duration::from_secs(20);

struct Replica {
    url: String,
    folder: PathBuf,
    process: Process,
}

impl Replica {
    /// A replica that has all and has it on disk.
    async fn start(run: &Run, number: u32) -> anyhow::Result<Self> {
        let primary = run.stage.servers.address(Server::Redis);
        let port = primary.trim_end_matches('/').rsplit(':').next();
        let port = port.context("no port in Redis's address")?;
        let address = ports::free()?;
        let folder = run.stage.folder.join(format!("replica-{number}"));
        fs::create_dir_all(&folder)?;
        let dir = folder.display().to_string();
        let own = address.port().to_string();
        let args = [
            "--bind",
            "127.0.0.1",
            "--port",
            &own,
            "--dir",
            &dir,
            "--appendonly",
            "yes",
            "--save",
            "",
            "--replicaof",
            &format!("127.0.0.1 {port}"),
        ];
        let process = Process::start(Program {
            name: format!("replica-{number}"),
            path: "redis-server".into(),
            args: args.iter().map(|arg| (*arg).to_owned()).collect(),
            env: Vec::new(),
            folder: run.stage.folder.clone(),
        })?;
        let url = format!("redis://{address}/");
        for _ in 0..PATIENCE.as_millis() / 100 {
            run.calm(Duration::from_millis(100)).await;
            let Ok(info) = command::<String>(&url, "INFO").await else {
                continue;
            };
            let on_disk = info.contains("aof_enabled:1")
                && info.contains("aof_rewrite_in_progress:0")
                && info.contains("aof_rewrite_scheduled:0");
            if info.contains("master_link_status:up") && on_disk {
                return Ok(Self {
                    url,
                    folder,
                    process,
                });
            }
        }
        bail!("the replica does not follow within {PATIENCE:?}")
    }

    /// Ends it; the folder of its data.
    async fn end(mut self) -> anyhow::Result<PathBuf> {
        let ended = self.process.terminate(PATIENCE).await?;
        ensure!(ended, "the replica does not end");
        Ok(self.folder)
    }
}

/// See the module.
pub(super) struct RedisFailover;

#[async_trait]
impl Scenario for RedisFailover {
    fn name(&self) -> &'static str {
        "redis-failover"
    }

    fn about(&self) -> &'static str {
        "a replica that lags by 5 s takes over from a killed Redis"
    }

    fn breaks(&self) -> &'static [Server] {
        &[Server::Redis]
    }

    fn allow(&self) -> Allow {
        writes_undone()
    }

    async fn inject(&self, run: &mut Run) -> anyhow::Result<()> {
        let folder = folder(run).await?;
        let mut number = 0;
        while !run.left().is_zero() {
            number += 1;
            let replica = Replica::start(run, number).await?;
            let () = command(&replica.url, "REPLICAOF 127.0.0.1 1").await?;
            run.calm(UNDONE).await;
            let away = run.faults.begin("failover to a replica that lags");
            run.stage.servers.kill(Server::Redis).await?;
            let data = replica.end().await?;
            // Its data at the primary's address: clients find it as they would behind a moved name.
            fs::remove_dir_all(folder.join(APPEND_ONLY))?;
            fs::rename(data.join(APPEND_ONLY), folder.join(APPEND_ONLY))?;
            run.watch.goes_back();
            run.stage.servers.start(Server::Redis).await?;
            drop(away);
            run.calm_between(6_000, 10_000).await;
        }
        Ok(())
    }
}
