//! What is written: for people, or for programs.

use std::{
    io::{self, Write},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use crate::table::{Colour, Table};

/// How often a terminal is told how far a long command is.
const TICK: Duration = Duration::from_millis(200);

/// Where to write, and how.
pub(crate) struct Output<'a> {
    pub(crate) out: &'a mut dyn Write,
    pub(crate) err: &'a mut dyn Write,
    pub(crate) colours: bool,
    pub(crate) progress: bool,
    pub(crate) json: bool,
}

impl Output<'_> {
    /// A document of JSON, to be read by people, too.
    pub(crate) fn document(&mut self, value: &impl Serialize) -> io::Result<()> {
        let text = serde_json::to_string_pretty(value).map_err(io::Error::from)?;
        writeln!(self.out, "{text}")
    }

    /// One of many values, each on a line.
    pub(crate) fn json_line(&mut self, value: &impl Serialize) -> io::Result<()> {
        let text = serde_json::to_string(value).map_err(io::Error::from)?;
        writeln!(self.out, "{text}")
    }

    pub(crate) fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{text}")
    }

    /// Beside the output.
    pub(crate) fn note(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.err, "{text}")
    }

    pub(crate) fn table(&mut self, table: &Table) -> io::Result<()> {
        table.write(self.out, self.colours)
    }

    pub(crate) fn paint(&self, colour: Colour, text: &str) -> String {
        colour.paint(text, self.colours)
    }

    /// How far a long command is; of so many, if that is known. Only on a terminal.
    pub(crate) fn bar(&self, of: Option<u64>) -> ProgressBar {
        self.bar_of("jobs", of)
    }

    /// The same, of something else than jobs.
    pub(crate) fn bar_of(&self, what: &'static str, of: Option<u64>) -> ProgressBar {
        let (bar, style) = match of {
            Some(all) => (
                ProgressBar::new(all),
                "{bar:30} {pos}/{len} {msg}, {per_sec}, {elapsed}",
            ),
            None => (
                ProgressBar::no_length(),
                "{spinner} {pos} {msg}, {per_sec}, {elapsed}",
            ),
        };
        bar.set_message(what);
        if !self.progress || self.json {
            bar.set_draw_target(ProgressDrawTarget::hidden());
            return bar;
        }
        bar.set_style(
            ProgressStyle::with_template(style).expect("the template is checked by a test"),
        );
        bar.enable_steady_tick(TICK);
        bar
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_have_templates_that_can_be_drawn() {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let output = Output {
            out: &mut out,
            err: &mut err,
            colours: false,
            progress: true,
            json: false,
        };
        for of in [None, Some(3)] {
            let bar = output.bar(of);
            bar.inc(2);
            assert_eq!(bar.position(), 2);
            bar.finish_and_clear();
        }
    }
}
