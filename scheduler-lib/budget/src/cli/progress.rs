//! How far the run is, on a terminal.

use indicatif::{ProgressBar, ProgressStyle};

pub(super) struct Progress(ProgressBar);

impl Progress {
    /// Of so many slots. It shows nothing unless stderr is a terminal.
    pub(super) fn new(slots: u64) -> anyhow::Result<Self> {
        let style = "{bar:30} {pos}/{len} slots, {elapsed}";
        let bar = ProgressBar::new(slots);
        bar.tick();
        Ok(Self(bar.with_style(ProgressStyle::with_template(style)?)))
    }

    pub(super) fn reached(&self, slot: u64) {
        self.0.set_position(slot);
    }

    pub(super) fn end(&self) {
        self.0.finish_and_clear();
    }
}
