//! What a run takes of the machine, as Linux tells it.

use std::{fs, time::Instant};

/// Ticks of a second in `/proc`: the same on every Linux, whatever its kernel was built with.
const TICKS_PER_S: f64 = 100.0;

/// Measures from its creation on.
#[derive(Debug)]
pub(super) struct Meter {
    began: Instant,
    cpu_s: Option<f64>,
}

impl Meter {
    pub(super) fn start() -> Self {
        Self {
            began: Instant::now(),
            cpu_s: cpu_s(),
        }
    }

    pub(super) fn elapsed_s(&self) -> f64 {
        self.began.elapsed().as_secs_f64().max(f64::EPSILON)
    }

    /// Seconds that all threads computed for; `None` where nobody tells. On a machine that others
    /// share it says more than the time that passed.
    pub(super) fn cpu_s(&self) -> Option<f64> {
        let used_s = cpu_s()? - self.cpu_s?;
        (used_s > 0.0).then_some(used_s)
    }
}

fn cpu_s() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The program's name, in brackets, may hold anything; user and system time are the 12th and
    // 13th of what follows it.
    let (_, rest) = stat.rsplit_once(')')?;
    let times = rest.split_whitespace().skip(11).take(2);
    let ticks: f64 = times.filter_map(|ticks| ticks.parse::<f64>().ok()).sum();
    Some(ticks / TICKS_PER_S)
}

/// Most memory that the process has had so far, mebibytes.
pub(super) fn peak_memory_mib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024)
}
