//! What a person sees meanwhile: a live table on a terminal, lines otherwise.

use std::{
    collections::BTreeMap,
    io::{IsTerminal as _, Write as _},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{task::JoinHandle, time::interval};

use crate::{
    clock::now_ms,
    faults::FaultLog,
    oracle::watch::{Counts, Sightings},
    report::counted,
};

/// Between two pictures on a terminal.
const REDRAW: Duration = Duration::from_millis(500);

/// Between two lines elsewhere.
const LINE: Duration = Duration::from_secs(10);

/// Shared by all who have something to show.
#[derive(Debug, Clone, Default)]
pub struct Board(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    rows: BTreeMap<String, Row>,
    /// Lines on the terminal that the next picture replaces.
    drawn: usize,
    terminal: bool,
}

#[derive(Debug)]
struct Row {
    began_ms: i64,
    phase: String,
    faults: FaultLog,
    watch: Sightings,
}

/// Shows until dropped.
#[derive(Debug)]
pub struct Painter {
    board: Board,
    task: JoinHandle<()>,
}

impl Board {
    /// Starts to show, on standard error.
    #[must_use]
    pub fn paint(&self) -> Painter {
        let terminal = std::io::stderr().is_terminal();
        self.inner().terminal = terminal;
        let board = self.clone();
        let task = tokio::spawn(async move {
            let mut ticks = interval(if terminal { REDRAW } else { LINE });
            loop {
                ticks.tick().await;
                board.draw();
            }
        });
        Painter {
            board: self.clone(),
            task,
        }
    }

    /// Adds a stage.
    pub fn add(&self, stage: &str, faults: FaultLog, watch: Sightings) {
        let row = Row {
            began_ms: now_ms(),
            phase: "starting".to_owned(),
            faults,
            watch,
        };
        self.inner().rows.insert(stage.to_owned(), row);
    }

    /// What a stage is at.
    pub fn phase(&self, stage: &str, phase: &str) {
        if let Some(row) = self.inner().rows.get_mut(stage) {
            phase.clone_into(&mut row.phase);
        }
    }

    /// Removes a stage.
    pub fn remove(&self, stage: &str) {
        self.inner().rows.remove(stage);
    }

    /// Says something that stays, above the table.
    pub fn say(&self, line: &str) {
        let mut inner = self.inner();
        inner.clear();
        write(&format!("{line}\n"));
    }

    fn draw(&self) {
        let mut inner = self.inner();
        inner.clear();
        let lines: Vec<_> = inner
            .rows
            .iter()
            .flat_map(|(stage, row)| row.lines(stage))
            .collect();
        if inner.terminal {
            inner.drawn = lines.len();
        }
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        write(&text);
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Takes the last picture away.
    fn clear(&mut self) {
        if self.drawn > 0 {
            write(&format!("\x1b[{}A\x1b[J", self.drawn));
            self.drawn = 0;
        }
    }
}

impl Row {
    fn lines(&self, stage: &str) -> [String; 3] {
        let Counts {
            looks,
            blind_looks,
            writes,
            dispatched,
            accepted,
            reaped,
            violations,
            ..
        } = self.watch.counts();
        let place = self.watch.last_look();
        let seconds = (now_ms() - self.began_ms) / 1_000;
        let held = match violations {
            0 => "all hold".to_owned(),
            count => format!("{count} VIOLATIONS"),
        };
        let faults = counted(&self.faults.counts());
        let jobs = format!(
            "{} jobs: {} in slots, {} in flight, {} held",
            place.registered, place.slots, place.in_flight, place.held
        );
        [
            format!("{stage:<26} {seconds:>4} s  {:<22} {held}", self.phase),
            format!(
                "  faults {:<5} {}",
                self.faults.total(),
                faults.chars().take(90).collect::<String>()
            ),
            format!(
                "  {jobs}; dispatched {dispatched}, accepted {accepted}, reaped {reaped}; {looks} looks (+{blind_looks} blind), {writes} writes"
            ),
        ]
    }
}

impl Drop for Painter {
    fn drop(&mut self) {
        self.task.abort();
        self.board.inner().clear();
    }
}

/// A terminal that is gone is no reason to stop.
fn write(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}
