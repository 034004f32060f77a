//! What this process has used, as Linux tells.

use std::fs;

use anyhow::Context as _;

/// Clock ticks of `/proc` in a second: the same on every Linux that runs Rust.
const TICKS_PER_S: u64 = 100;

/// Processor time of all threads so far, microseconds.
///
/// # Errors
///
/// That `/proc` cannot be read.
pub fn cpu_us() -> anyhow::Result<u64> {
    let stat = fs::read_to_string("/proc/self/stat").context("no /proc/self/stat")?;
    // What stands before may hold spaces: the program's name.
    let (_, fields) = stat
        .rsplit_once(") ")
        .context("a strange /proc/self/stat")?;
    let mut times = fields.split(' ').skip(11).map(str::parse::<u64>);
    let mut next = || times.next().context("too short a /proc/self/stat");
    Ok((next()?? + next()??) * 1_000_000 / TICKS_PER_S)
}

/// Resident memory, bytes.
///
/// # Errors
///
/// That `/proc` cannot be read.
pub fn resident_bytes() -> anyhow::Result<u64> {
    let status = fs::read_to_string("/proc/self/status").context("no /proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
    Ok(number
        .context("no VmRSS in /proc/self/status")?
        .parse::<u64>()?
        * 1024)
}
