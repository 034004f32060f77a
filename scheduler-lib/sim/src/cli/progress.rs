//! A bar where somebody watches, a line now and then where not.

use std::{
    io::{IsTerminal as _, Write as _, stderr},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};

/// Between two lines.
const PAUSE: Duration = Duration::from_secs(30);

struct Done {
    minutes: u64,
    told: Instant,
}

pub(super) struct Progress {
    bar: ProgressBar,
    minutes: u64,
    done: Mutex<Done>,
    watched: bool,
}

impl Progress {
    pub(super) fn new(minutes: u64) -> anyhow::Result<Self> {
        let style = ProgressStyle::with_template(
            "{bar:40} {human_pos} of {human_len} minutes, {per_sec}, {eta} left",
        )?;
        Ok(Self {
            bar: ProgressBar::new(minutes).with_style(style),
            minutes,
            done: Mutex::new(Done {
                minutes: 0,
                told: Instant::now(),
            }),
            watched: stderr().is_terminal(),
        })
    }

    pub(super) fn add(&self, minutes: u64) {
        self.bar.inc(minutes);
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        done.minutes += minutes;
        if !self.watched && done.told.elapsed() >= PAUSE {
            done.told = Instant::now();
            // Nobody needs it; whether it can be written does not matter.
            let _ = writeln!(stderr(), "{} of {} minutes", done.minutes, self.minutes);
        }
    }

    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }
}
