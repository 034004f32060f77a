//! `measure report`.

use std::{
    fs,
    io::{Write, stdout},
    path::PathBuf,
};

use anyhow::Context as _;
use benches::report::{Figures, markdown, terminal};
use clap::Args;

/// Between these the page has its tables.
const BEGIN: &str = "<!-- figures: written by dev/bench -->";
const END: &str = "<!-- end of figures -->";

#[derive(Debug, Args)]
pub(super) struct Report {
    /// The folder of all figures, `figures.json`, and of the page that shows them, `README.md`.
    #[arg(long, value_name = "FOLDER")]
    folder: PathBuf,
    /// Files with new figures, lines of JSON.
    #[arg(value_name = "FILE")]
    new: Vec<PathBuf>,
}

impl Report {
    pub(super) fn execute(&self) -> anyhow::Result<()> {
        let file = self.folder.join("figures.json");
        let mut figures = Figures::read(&file)?;
        for new in &self.new {
            figures.extend(Figures::read_lines(new)?);
        }
        figures.write(&file)?;
        self.write_page(&figures)?;
        write!(stdout().lock(), "{}", terminal(&figures)).context("cannot print")
    }

    fn write_page(&self, figures: &Figures) -> anyhow::Result<()> {
        let page = self.folder.join("README.md");
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
}
