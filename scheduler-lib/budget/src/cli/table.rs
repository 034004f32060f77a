//! The run as tables.

use std::io::{self, Write};

use budget::{REFUSED_AT_MOST, Report, USED_AT_LEAST, Window};

use super::Run;

pub(super) fn write(out: &mut impl Write, run: &Run) -> io::Result<()> {
    let (scenario, (unit, _)) = (&run.scenario, run.unit());
    writeln!(
        out,
        "\n{} jobs, one call each every {} {unit}; limit {} calls per {} {unit}, shared; cushion {}; seed {}; took {:.1} s\n",
        scenario.jobs,
        run.in_units(scenario.interval().as_millis() as i64),
        scenario.limit,
        run.in_units(scenario.window_ms),
        scenario.cushion,
        scenario.seed,
        run.took_s,
    )?;
    windows(out, &run.report)?;
    levels(out, run)?;
    promises(out, &run.report)
}

fn windows(out: &mut impl Write, report: &Report) -> io::Result<()> {
    writeln!(
        out,
        "{:<8}{:>7}{:>7}{:>8}{:>8}{:>8}{:>7}{:>8}{:>9}{:>15}{:>11}",
        "window",
        "other",
        "gold",
        "silver",
        "bronze",
        "ours",
        "left",
        "used",
        "refused",
        "below cushion",
        "in flight"
    )?;
    for (number, window) in (1..).zip(&report.windows) {
        let Window {
            calls,
            left,
            below_cushion,
            in_flight,
        } = window;
        let [gold, silver, bronze] = calls.ours;
        let in_flight = in_flight.map_or_else(|| "-".to_owned(), |calls| calls.to_string());
        let used = 100.0 * report.used_share_of(std::slice::from_ref(window));
        writeln!(
            out,
            "{number:<8}{:>7}{gold:>7}{silver:>8}{bronze:>8}{:>8}{left:>7}{used:>6.1} %{:>9}{below_cushion:>15}{in_flight:>11}",
            calls.other,
            calls.answered(),
            calls.refused,
        )?;
    }
    Ok(())
}

fn levels(out: &mut impl Write, run: &Run) -> io::Result<()> {
    let (unit, unit_ms) = run.unit();
    let between = format!("{unit} between polls");
    writeln!(
        out,
        "\n{:<8}{:>8}{:>10}{:>10}{:>19}{between:>21}{:>15}",
        "level", "weight", "accounts", "unpolled", "polls per account", "longest wait"
    )?;
    let units = |seconds: f64| seconds * 1_000.0 / unit_ms;
    for one in &run.report.tiers {
        writeln!(
            out,
            "{:<8}{:>8}{:>10}{:>10}{:>19.2}{:>21.1}{:>15.1}",
            one.tier.name,
            one.tier.weight,
            one.accounts,
            one.unpolled,
            one.polls_per_account,
            units(one.between_s),
            units(one.longest_s)
        )?;
    }
    Ok(())
}

fn promises(out: &mut impl Write, report: &Report) -> io::Result<()> {
    let holds = report.holds();
    let (below, in_flight) = report.deepest();
    let rows = [
        (
            holds.refused,
            format!(
                "{:.3} % of our calls refused after the first window; at most {} %",
                100.0 * report.refused_share(),
                100.0 * REFUSED_AT_MOST
            ),
        ),
        (
            holds.cushion,
            format!(
                "{below} calls out of the cushion at most, in a window in which {in_flight} were on their way at the first \
                 of them; nowhere more than those"
            ),
        ),
        (
            holds.used,
            format!(
                "{:.2} % used of what was left above the cushion; at least {} %",
                100.0 * report.used_share(),
                100.0 * USED_AT_LEAST
            ),
        ),
        (
            holds.tiers,
            "levels are polled in order of their weights".to_owned(),
        ),
    ];
    writeln!(out)?;
    for (kept, what) in rows {
        writeln!(out, "{:<7} {what}", if kept { "holds" } else { "BROKEN" })?;
    }
    Ok(())
}
