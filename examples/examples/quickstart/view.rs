//! The cycle as it runs: a compact live view on a terminal, plain lines elsewhere.

use std::{io::IsTerminal, time::Duration};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use scheduler_lib::store::Counts as Jobs;

use crate::tally::Counts;

/// What one frame shows.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) elapsed: Duration,
    pub(crate) tally: Counts,
    pub(crate) jobs: Jobs,
    pub(crate) queued: u64,
    pub(crate) polling: u64,
    pub(crate) completed: u64,
}

/// Where frames go.
pub(crate) enum View {
    Live {
        bars: MultiProgress,
        time: ProgressBar,
        lines: Vec<ProgressBar>,
    },
    Lines {
        last: Option<Duration>,
    },
}

/// Time between two plain lines.
const LINE_EVERY: Duration = Duration::from_secs(5);

impl View {
    pub(crate) fn new(length: Duration) -> Self {
        if !std::io::stderr().is_terminal() {
            return Self::Lines { last: None };
        }
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        let bar = bars.add(ProgressBar::new(length.as_millis() as u64));
        bar.set_style(style("  [{bar:48.cyan/blue}] {msg}").progress_chars("━━╌"));
        let line = || {
            let line = bars.add(ProgressBar::new_spinner());
            line.set_style(style("  {msg}"));
            line
        };
        let lines = (0..3).map(|_| line()).collect();
        Self::Live {
            bars,
            time: bar,
            lines,
        }
    }

    pub(crate) fn draw(&mut self, snapshot: &Snapshot) {
        match self {
            Self::Live { time, lines, .. } => {
                time.set_position(snapshot.elapsed.as_millis() as u64);
                time.set_message(format!("{} s", snapshot.elapsed.as_secs()));
                for (line, text) in lines.iter().zip(frame(snapshot)) {
                    line.set_message(text);
                }
            }
            Self::Lines { last } => {
                if last.is_none_or(|last| snapshot.elapsed >= last + LINE_EVERY) {
                    *last = Some(snapshot.elapsed);
                    #[allow(clippy::print_stderr)]
                    {
                        eprintln!(
                            "{:>3} s  {}",
                            snapshot.elapsed.as_secs(),
                            frame(snapshot).join("  |  ")
                        );
                    }
                }
            }
        }
    }

    pub(crate) fn finish(&mut self) {
        if let Self::Live { bars, time, lines } = self {
            lines.iter().for_each(ProgressBar::finish);
            time.finish();
            // What follows begins on a line of its own.
            let _ = bars.println("");
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// The cycle in the order in which a job goes through it, then what came of it.
fn frame(snapshot: &Snapshot) -> [String; 3] {
    let Snapshot { tally, jobs, .. } = snapshot;
    let errors: Vec<_> = tally
        .errors
        .iter()
        .map(|(class, count)| format!("{class} {count}"))
        .collect();
    [
        format!(
            "slots {:>4} → queued {:>3} → polling {:>3} → completed {:>3} → slots   (held {})",
            jobs.slots, snapshot.queued, snapshot.polling, snapshot.completed, jobs.held
        ),
        format!(
            "cycles {}, events {}, lateness p99 {} ms",
            tally.cycles,
            tally.events,
            tally.lateness(99)
        ),
        format!(
            "errors: {}",
            if errors.is_empty() {
                "none".to_owned()
            } else {
                errors.join(", ")
            }
        ),
    ]
}
