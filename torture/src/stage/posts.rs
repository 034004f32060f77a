//! Who posts when: a trace for the fake channel, in which only some of its accounts post.

use std::{fmt::Write as _, fs, path::Path, time::Duration};

use anyhow::Context as _;
use rand::{RngExt as _, rngs::StdRng};

/// Writes a trace of bursts at random times over `length`.
///
/// # Errors
///
/// When the file cannot be written.
pub(super) fn write(
    path: &Path,
    random: &mut StdRng,
    accounts: u32,
    per_minute: f64,
    length: Duration,
) -> anyhow::Result<()> {
    let length_s = length.as_secs().max(1);
    let posts = (f64::from(accounts) * per_minute * length.as_secs_f64() / 60.0) as usize;
    // The channel presses the trace's whole length into the time that it is told.
    let mut moments = vec![(0, 0), (length_s, 0)];
    while moments.len() < posts {
        let account = random.random_range(0..accounts.max(1));
        let at_s = random.random_range(0..=length_s);
        for _ in 0..random.random_range(1..=4) {
            moments.push((at_s, account));
        }
    }
    moments.sort_unstable();
    let mut text = String::from("account,unix_seconds\n");
    for (at_s, account) in moments {
        writeln!(text, "{account},{}", 1_000_000 + at_s).context("a string takes everything")?;
    }
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
