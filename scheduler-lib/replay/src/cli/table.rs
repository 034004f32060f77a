//! The comparison as a table.

use std::io::{self, Write};

use super::{Comparison, Row};

pub(super) fn write(out: &mut impl Write, comparison: &Comparison<'_>) -> io::Result<()> {
    let (trace, budget) = (comparison.trace, comparison.budget);
    let calls = trace.accounts.len() as f64 / budget.every_min;
    writeln!(
        out,
        "\n{}: {} accounts, {} items; {calls:.2} calls a minute, everybody once in {} min; page {}",
        trace.name,
        trace.accounts.len(),
        trace.items(),
        budget.every_min,
        budget.page,
    )?;
    let tiers = if comparison.tiers.is_some() {
        "   gold  silver  bronze"
    } else {
        ""
    };
    writeln!(
        out,
        "{:<13}{:>7}{:>8}{:>8}{:>8}{:>7}{:>6}{:>8}{:>10}{:>8}{:>10}{tiers}",
        "delay in min",
        "mean",
        "p50",
        "p90",
        "p99",
        "lost",
        "full",
        "cost",
        "calls",
        "x uni",
        "/ static",
    )?;
    for row in &comparison.rows {
        write_row(out, comparison, row)?;
    }
    Ok(())
}

fn write_row(out: &mut impl Write, comparison: &Comparison<'_>, row: &Row) -> io::Result<()> {
    let figures = &row.summary;
    let ratio =
        |ratio: Option<f64>| ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}"));
    let uniform = comparison.mean_of("uniform");
    let clairvoyant = comparison.mean_of("clair-static");
    write!(
        out,
        "{:<13}{:>7.1}{:>8.1}{:>8.1}{:>8.1}{:>7}{:>6}{:>8.1}{:>10}{:>8}{:>10}",
        row.policy,
        figures.mean_min,
        figures.p50_min,
        figures.p90_min,
        figures.p99_min,
        figures.lost,
        figures.full,
        figures.cost_min,
        figures.calls,
        ratio(uniform.map(|uniform| uniform / figures.mean_min)),
        ratio(clairvoyant.map(|clairvoyant| figures.mean_min / clairvoyant)),
    )?;
    if comparison.tiers.is_some() {
        for mean in figures.tiers_min {
            let mean = mean.map_or_else(|| "-".to_owned(), |mean| format!("{mean:.1}"));
            write!(out, "{mean:>8}")?;
        }
    }
    writeln!(out)
}
