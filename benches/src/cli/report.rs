//! `measure report`.

use std::{
    fs,
    io::{Write, stdout},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, ensure};
use benches::report::{Figures, PROMISES, STABLE, all_kept, draw, markdown, terminal};
use clap::Args;

/// Between these the page has its tables.
const BEGIN: &str = "<!-- figures: written by dev/bench -->";
const END: &str = "<!-- end of figures -->";

#[derive(Debug, Args)]
pub(super) struct Report {
    /// The folder of all figures, `figures.json`, and of the page that shows them, `README.md`.
    #[arg(long, value_name = "FOLDER", required_unless_present = "stable")]
    folder: Option<PathBuf>,
    /// Asserts what holds on any machine, of the new figures alone, and writes nothing.
    #[arg(long, conflicts_with = "folder")]
    stable: bool,
    /// Files with new figures, lines of JSON.
    #[arg(value_name = "FILE")]
    new: Vec<PathBuf>,
}

impl Report {
    pub(super) fn execute(&self) -> anyhow::Result<()> {
        let Some(folder) = &self.folder else {
            return self.assert_stable();
        };
        let file = folder.join("figures.json");
        let mut figures = Figures::read(&file)?;
        self.add_new(&mut figures)?;
        figures.write(&file)?;
        draw(folder, &figures)?;
        write_page(folder, &figures)?;
        print(&terminal(PROMISES, &figures))
    }

    fn assert_stable(&self) -> anyhow::Result<()> {
        let mut figures = Figures::default();
        self.add_new(&mut figures)?;
        print(&terminal(STABLE, &figures))?;
        ensure!(all_kept(STABLE, &figures), "a promise is broken");
        Ok(())
    }

    fn add_new(&self, figures: &mut Figures) -> anyhow::Result<()> {
        for new in &self.new {
            figures.extend(Figures::read_lines(new)?);
        }
        Ok(())
    }
}

fn print(table: &str) -> anyhow::Result<()> {
    write!(stdout().lock(), "{table}").context("cannot print")
}

fn write_page(folder: &Path, figures: &Figures) -> anyhow::Result<()> {
    let page = folder.join("README.md");
    let text = fs::read_to_string(&page).with_context(|| format!("{}", page.display()))?;
    let parts = text.split_once(BEGIN).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(END)?;
        Some((before, after))
    });
    let (before, after) =
        parts.with_context(|| format!("{} has no place for figures", page.display()))?;
    let table = markdown(figures);
    let text = format!("{before}{BEGIN}\n\n{table}\n{END}{after}");
    fs::write(&page, text).with_context(|| format!("{}", page.display()))
}
