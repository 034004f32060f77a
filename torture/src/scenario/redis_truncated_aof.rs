//! Redis is killed, and the last seconds of acknowledged writes are gone.

use std::{fs, time::Duration};

use async_trait::async_trait;

use super::{
    Allow, Scenario,
    redis_server::{folder, growing_file, on_redis, writes_undone},
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
        writes_undone()
    }

    async fn inject(&self, run: &mut Run) -> anyhow::Result<()> {
        let folder = folder(run).await?;
        let () = on_redis(run, "CONFIG SET auto-aof-rewrite-percentage 0").await?;
        while !run.left().is_zero() {
            let file = growing_file(&folder)?;
            let kept = fs::metadata(&file)?.len() as usize;
            run.calm(UNDONE).await;
            let away = run.faults.begin("kill redis, writes undone");
            run.stage.servers.kill(Server::Redis).await?;
            // One cut in its middle would be left half in the file, and be half done at the start
            // after the next: the sweep's work, and not what is shown here.
            let kept = end_of_whole_steps(&fs::read(&file)?, kept);
            let file = fs::File::options().write(true).open(&file)?;
            file.set_len(kept as u64)?;
            run.watch.goes_back();
            run.stage.servers.start(Server::Redis).await?;
            drop(away);
            run.calm_between(6_000, 10_000).await;
        }
        Ok(())
    }
}

/// Where the last command ends, within the first `limit` bytes of an append-only file, that is no
/// part of a transaction: as Redis writes down what a script did.
fn end_of_whole_steps(file: &[u8], limit: usize) -> usize {
    let (mut at, mut end, mut within) = (0, 0, false);
    while let Some((next, name)) = command(&file[..limit.min(file.len())], at) {
        match name.to_ascii_uppercase().as_slice() {
            b"MULTI" => within = true,
            b"EXEC" => within = false,
            _ => {}
        }
        at = next;
        if !within {
            end = at;
        }
    }
    end
}

/// The command at `at`: where it ends, and its first word. None if it does not end.
fn command(file: &[u8], at: usize) -> Option<(usize, &[u8])> {
    let (mut at, words) = number(file, at, b'*')?;
    let mut name: &[u8] = &[];
    for word in 0..words {
        let (begin, length) = number(file, at, b'$')?;
        let text = file.get(begin..begin + length)?;
        if word == 0 {
            name = text;
        }
        at = begin + length + 2;
    }
    (at <= file.len()).then_some((at, name))
}

/// The number of a line that begins with `mark`, and where the next line begins.
fn number(file: &[u8], at: usize, mark: u8) -> Option<(usize, usize)> {
    let line = file.get(at..)?.split(|byte| *byte == b'\n').next()?;
    let digits = line.strip_prefix(&[mark])?.strip_suffix(b"\r")?;
    let number = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some((at + line.len() + 1, number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_cut_between_two_steps() {
        let set = "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$2\r\n\r\n\r\n";
        let step = format!("*1\r\n$5\r\nMULTI\r\n{set}{set}*1\r\n$4\r\nEXEC\r\n");
        let file = format!("{set}{step}{set}");
        for limit in 0..=file.len() {
            let whole = [0, set.len(), set.len() + step.len(), file.len()];
            let end = whole.into_iter().rfind(|end| *end <= limit);
            assert_eq!(
                Some(end_of_whole_steps(file.as_bytes(), limit)),
                end,
                "{limit}"
            );
        }
    }
}
