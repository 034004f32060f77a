//! What scenarios that break Redis share.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, bail};
use redis::FromRedisValue;
use tokio::time::Instant;

use super::Allow;
use crate::{http, runner::Run, servers::Server};

/// How long readiness may take to say what is wrong.
const SAYS_WITHIN: Duration = Duration::from_secs(15);

/// What is excused where acknowledged writes are undone.
pub(super) fn writes_undone() -> Allow {
    Allow {
        // Each job may be polled once more each time. Most such polls have a dispatch of their own,
        // but of what is drained before the tap sees the store again none is counted.
        polls_per_dispatch: 1.25,
        registrations_undone: true,
        ..Allow::default()
    }
}

/// Runs one command, given by its words, on the server at `url`.
pub(super) async fn command<T: FromRedisValue>(url: &str, words: &str) -> anyhow::Result<T> {
    let mut words_of = words.split(' ');
    let mut command = redis::cmd(words_of.next().unwrap_or_default());
    for word in words_of {
        command.arg(word);
    }
    let client = redis::Client::open(url)?;
    let mut connection = client.get_multiplexed_async_connection().await?;
    let answer = command.query_async(&mut connection).await;
    answer.with_context(|| format!("{words} on {url}"))
}

/// The same on the run's own Redis.
pub(super) async fn on_redis<T: FromRedisValue>(run: &Run, words: &str) -> anyhow::Result<T> {
    command(run.stage.servers.address(Server::Redis), words).await
}

/// The folder of the run's Redis.
pub(super) async fn folder(run: &Run) -> anyhow::Result<PathBuf> {
    let pair: Vec<String> = on_redis(run, "CONFIG GET dir").await?;
    pair.into_iter()
        .nth(1)
        .map(PathBuf::from)
        .context("Redis names no folder")
}

/// Where the server keeps its append-only files, below its folder.
pub(super) const APPEND_ONLY: &str = "appendonlydir";

/// The file that takes what is written now.
pub(super) fn growing_file(folder: &Path) -> anyhow::Result<PathBuf> {
    let mut growing = Vec::new();
    for entry in fs::read_dir(folder.join(APPEND_ONLY))? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(".incr.aof") {
            growing.push(path);
        }
    }
    // While it is rewritten there are two; the one changed last is it.
    growing.sort_by_key(|path| fs::metadata(path).and_then(|data| data.modified()).ok());
    growing.pop().context("Redis has no append-only file")
}

/// Waits until every scheduler's readiness says `words`.
pub(super) async fn says(run: &Run, words: &str) -> anyhow::Result<()> {
    let http = http::client(Duration::from_secs(5))?;
    for scheduler in &run.stage.schedulers {
        let url = format!("{}/readyz", scheduler.url);
        let until = Instant::now() + SAYS_WITHIN;
        loop {
            let said = match http.get(&url).send().await {
                Ok(answer) => answer.text().await.unwrap_or_default(),
                Err(error) => error.to_string(),
            };
            if said.contains(words) {
                break;
            }
            if Instant::now() > until {
                bail!("{url} does not say \"{words}\" but {said}");
            }
            run.calm(Duration::from_millis(200)).await;
        }
    }
    Ok(())
}
