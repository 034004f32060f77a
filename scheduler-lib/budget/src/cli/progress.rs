//! How far the run is, on a terminal.

use indicatif::{ProgressBar, ProgressStyle};

pub(super) struct Progress(ProgressBar);

impl Progress {
    /// Of so many windows. It shows nothing unless stderr is a terminal.
    pub(super) fn new(windows: u64) -> anyhow::Result<Self> {
        let style = "{bar:30} {pos}/{len} windows, {elapsed}";
        let bar = ProgressBar::new(windows);
        bar.tick();
        Ok(Self(bar.with_style(ProgressStyle::with_template(style)?)))
    }

    pub(super) fn done(&self) {
        self.0.inc(1);
    }

    pub(super) fn end(&self) {
        self.0.finish_and_clear();
    }
}
