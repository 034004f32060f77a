//! How far the replay is, on a terminal.

use std::io;

use indicatif::{ProgressBar, ProgressStyle};

pub(super) struct Progress(ProgressBar);

impl Progress {
    /// Of `runs` replays. It shows nothing unless stderr is a terminal.
    pub(super) fn new(runs: u64) -> anyhow::Result<Self> {
        let style = "{bar:30} {pos}/{len} {elapsed} {msg}";
        let bar = ProgressBar::new(runs);
        Ok(Self(bar.with_style(ProgressStyle::with_template(style)?)))
    }

    pub(super) fn begin(&self, trace: &str, policy: &str) {
        self.0.set_message(format!("{trace} {policy}"));
        self.0.tick();
    }

    pub(super) fn done(&self) {
        self.0.inc(1);
    }

    /// Writes something else without tearing the bar.
    pub(super) fn aside(&self, write: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        self.0.suspend(write)
    }

    pub(super) fn end(&self) {
        self.0.finish_and_clear();
    }
}
