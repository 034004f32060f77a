//! One process and the points at which it dies, one after the other.

use std::time::Duration;

use anyhow::bail;
use polling_model::KillPoint;
use tokio::time::sleep;

use super::Kills;
use crate::{faults::FaultLog, process::Process};

/// How long a process may take until it comes to its point.
const REACH: Duration = Duration::from_secs(90);

/// Starts for one kill, at most.
const STARTS: u32 = 5;

/// A worker has polls under way when it is told to end.
const AT_WORK: Duration = Duration::from_secs(4);

/// Kills the process at each point, so many times; then lets it live.
pub(super) async fn play(
    process: &mut Process,
    points: &[KillPoint],
    kills: u32,
    faults: &FaultLog,
) -> anyhow::Result<Kills> {
    let mut done = Kills::new();
    for point in points {
        process.kill().await?;
        let mut count = 0;
        while count < kills && die(process, *point, count).await? {
            faults.injected("kill point");
            count += 1;
        }
        done.insert(*point, count);
    }
    process.kill().await?;
    process.start_again(&[])?;
    Ok(done)
}

/// Kills the process at `first` and at `then` in turn, so many times; then lets it live. How often
/// it died at `then`.
pub(super) async fn play_in_turn(
    process: &mut Process,
    first: KillPoint,
    then: KillPoint,
    kills: u32,
    faults: &FaultLog,
) -> anyhow::Result<u32> {
    process.kill().await?;
    let mut count = 0;
    while count < kills && die(process, first, count).await? && die(process, then, count).await? {
        faults.injected("kill point");
        count += 1;
    }
    process.kill().await?;
    process.start_again(&[])?;
    Ok(count)
}

/// Starts the process until it dies at the point. False if it did not come there in time. One that
/// ends by itself, such as a scheduler whose servers do not answer at its start, is started again,
/// as a service manager would.
async fn die(process: &mut Process, point: KillPoint, turn: u32) -> anyhow::Result<bool> {
    // Not always the first time: by then a process has more under way.
    let hits = if is_frequent(point) { 1 + turn % 3 } else { 1 };
    let kill_at = format!("{point}:{hits}");
    for start in 1..=STARTS {
        process.start_again(&[("POLLING_KILL_AT", &kill_at)])?;
        if point == KillPoint::WorkerGivenBack {
            // On a busy machine it may take longer until it is at work.
            sleep(AT_WORK * start).await;
            if process.runs() {
                process.tell_to_end()?;
            }
        }
        match process.aborted(REACH).await {
            Some(true) => return Ok(true),
            Some(false) => {}
            None => return Ok(false),
        }
    }
    let program = process.program();
    bail!("{} ends by itself: {}", program.name, program.last_words())
}

/// Whether the regular work comes there again and again.
fn is_frequent(point: KillPoint) -> bool {
    let label = point.as_str();
    let rare = [
        "registry-",
        "dead-letter",
        "refused",
        "claimed",
        "reaped",
        "given-back",
    ];
    !rare.iter().any(|part| label.contains(part))
}
