//! Redis's own benchmark, with a command of ours.

use std::str;

use anyhow::{Context as _, ensure};
use tokio::process::Command;

/// So many times the same command, over so many connections: commands a second.
pub(super) async fn commands_per_s(
    address: &str,
    command: &[u8],
    connections: usize,
    repeats: usize,
) -> anyhow::Result<f64> {
    let (host, port) = address.rsplit_once(':').context("not host:port")?;
    let output = Command::new("redis-benchmark")
        .args(["-h", host, "-p", port, "--csv"])
        .args(["-c", &connections.to_string(), "-n", &repeats.to_string()])
        .args(arguments(command)?)
        .output()
        .await
        .context("redis-benchmark cannot be run")?;
    ensure!(output.status.success(), "redis-benchmark has failed");
    let text = str::from_utf8(&output.stdout)?;
    // "test","rps","avg_latency_ms","min…","p50…","p95…","p99…","max…"
    let line = text
        .lines()
        .last()
        .context("redis-benchmark tells nothing")?;
    let rate = line.trim_matches('"').rsplit("\",\"").nth(6);
    Ok(rate.context("a strange line of redis-benchmark")?.parse()?)
}

/// The words of a command of the protocol: all of ours are text.
fn arguments(command: &[u8]) -> anyhow::Result<Vec<&str>> {
    let text = str::from_utf8(command).context("a command that is not text")?;
    // A line with its length comes before each.
    Ok(text.split("\r\n").skip(2).step_by(2).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_taken_apart_into_its_words() {
        let words = arguments(b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$2\r\nbc\r\n").unwrap();
        assert_eq!(words, ["SET", "a", "bc"]);
    }
}
