//! What every page must be: quiet, no wider than the window, usable by everybody.

use std::{fs, path::Path};

use anyhow::{Context as _, ensure};
use serde::Deserialize;

use crate::{Page, browser::required};

/// What axe-core found.
#[derive(Debug, Deserialize)]
struct Violation {
    id: String,
    impact: Option<String>,
    help: String,
    nodes: Vec<Node>,
}

#[derive(Debug, Deserialize)]
struct Node {
    html: String,
    #[serde(rename = "failureSummary")]
    why: Option<String>,
}

/// What sticks out, by the right edge of its box.
const STICKS_OUT: &str = "(() => {
    const page = document.documentElement;
    if (page.scrollWidth <= page.clientWidth) return [];
    const wide = [...document.querySelectorAll('body *')]
        .filter((element) => element.getBoundingClientRect().right > page.clientWidth + 1)
        .map((element) => element.outerHTML.slice(0, 120));
    return [`${page.scrollWidth} pixels in ${page.clientWidth}`, ...wide.slice(0, 5)];
})()";

/// Once for each page: a second run in the same page is quick.
const AXE: &str =
    "axe.run(document, { resultTypes: ['violations'] }).then((results) => results.violations.map(
    ({ id, impact, help, nodes }) => ({ id, impact, help, nodes: nodes.map(
        ({ html, failureSummary }) => ({ html, failureSummary })) })))";

impl Page {
    /// Takes a picture into `file`, then asserts that the page complained about nothing, scrolls in one direction only, and
    /// keeps nobody out.
    ///
    /// # Errors
    ///
    /// All that is wrong with it.
    pub async fn check(&self, file: &Path) -> anyhow::Result<()> {
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(file.with_extension("png"), self.picture().await?)?;
        let mut wrong = self.complaints();
        let wide: Vec<String> = self.tell(STICKS_OUT).await?;
        wrong.extend(wide.into_iter().map(|what| format!("too wide: {what}")));
        wrong.extend(self.keeps_out().await?);
        ensure!(
            wrong.is_empty(),
            "{}:\n  {}",
            file.display(),
            wrong.join("\n  ")
        );
        Ok(())
    }

    /// What axe-core calls serious or critical.
    async fn keeps_out(&self) -> anyhow::Result<Vec<String>> {
        if !self.tell::<bool>("'axe' in window").await? {
            let file = required("POLLING_AXE")?;
            let axe = fs::read_to_string(&file).with_context(|| file.clone())?;
            self.tell::<bool>(&format!("{axe}; true")).await?;
        }
        let found: Vec<Violation> = self.tell(AXE).await?;
        let serious = |violation: &Violation| {
            matches!(violation.impact.as_deref(), Some("serious" | "critical"))
        };
        Ok(found.iter().filter(|one| serious(one)).map(told).collect())
    }
}

fn told(violation: &Violation) -> String {
    let nodes = violation.nodes.iter().take(3).map(|node| {
        let why = node.why.as_deref().unwrap_or_default().replace('\n', " ");
        format!("\n    {} {why}", node.html)
    });
    let nodes: String = nodes.collect();
    format!("{}: {}{nodes}", violation.id, violation.help)
}
