//! What happened, line by line, stamped with simulated time.

use std::{
    fmt::Write as _,
    sync::{Mutex, PoisonError},
};

use polling_model::Clock;
use polling_transport::TokioClock;

/// Writes lines, or nothing: a run without a trace is much faster, and takes the same course.
#[derive(Debug)]
pub(crate) struct Trace {
    clock: TokioClock,
    began_ms: i64,
    lines: Option<Mutex<String>>,
}

impl Trace {
    pub(crate) fn new(clock: TokioClock, on: bool) -> Self {
        Self {
            began_ms: clock.now_ms(),
            clock,
            lines: on.then(Mutex::default),
        }
    }

    /// UTC milliseconds.
    pub(crate) fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// Since the beginning of the run, milliseconds.
    pub(crate) fn elapsed_ms(&self) -> i64 {
        self.clock.now_ms() - self.began_ms
    }

    /// `text` is asked for only if somebody reads it.
    pub(crate) fn line(&self, text: impl FnOnce() -> String) {
        let Some(lines) = &self.lines else {
            return;
        };
        let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
        // Writing to a string cannot fail.
        let _ = writeln!(lines, "{} {}", stamp(self.elapsed_ms()), text());
    }

    pub(crate) fn take(&self) -> String {
        let Some(lines) = &self.lines else {
            return String::new();
        };
        std::mem::take(&mut *lines.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Simulated time as people read it: `02:05:59.250`.
#[must_use]
pub fn stamp(elapsed_ms: i64) -> String {
    let (seconds, ms) = (elapsed_ms / 1000, elapsed_ms % 1000);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{hours:02}:{minutes:02}:{seconds:02}.{ms:03}")
}
