//! The table, for a terminal and for a page.

use std::fmt::Write as _;

use super::{Figures, PROMISES, Promise, Reach};
use crate::figure::Figure;

/// How it is told that a promise is kept.
const KEPT: &str = "yes";

/// One row, as texts.
struct Row {
    what: &'static str,
    reach: String,
    reached: String,
    kept: &'static str,
    measured: String,
}

impl Row {
    fn of(promise: &Promise, figures: &Figures) -> Self {
        let figure = figures.get(promise.figure);
        let unit = figure.map_or("", |figure| &figure.unit);
        let reach: Vec<_> = (promise.reach.iter())
            .map(|reach| reach_text(*reach, unit))
            .collect();
        let (reached, kept, measured) = match figure {
            Some(figure) => (
                reached_text(promise, figure, figures),
                kept(promise, figure, figures),
                day(figure.at_ms),
            ),
            None => (String::new(), "not measured", String::new()),
        };
        Self {
            what: promise.what,
            reach: reach.join(", "),
            reached,
            kept,
            measured,
        }
    }
}

fn kept(promise: &Promise, figure: &Figure, figures: &Figures) -> &'static str {
    let kept: Option<Vec<bool>> = (promise.reach.iter())
        .map(|reach| reach.kept(figure.value, figures))
        .collect();
    match kept {
        Some(kept) if kept.iter().all(|&kept| kept) => KEPT,
        Some(_) => "**no**",
        None => "not compared",
    }
}

fn reach_text(reach: Reach, unit: &str) -> String {
    match reach {
        Reach::AtLeast(least) => format!("≥ {} {unit}", number(least)),
        Reach::AtMost(most) => format!("≤ {} {unit}", number(most)),
        Reach::Times(times, other) if times < 1.0 => {
            format!("≥ {:.0} % of `{other}`", 100.0 * times)
        }
        Reach::Times(times, other) => format!("≥ {times} × `{other}`"),
    }
    .trim_end()
    .to_owned()
}

/// The figure, and what it is to others.
fn reached_text(promise: &Promise, figure: &Figure, figures: &Figures) -> String {
    let mut text = format!("{} {}", number(figure.value), figure.unit);
    for &reach in promise.reach {
        let Reach::Times(times, other) = reach else {
            continue;
        };
        let (Some(ratio), Some(other)) = (reach.ratio(figure.value, figures), figures.get(other))
        else {
            continue;
        };
        let of = number(other.value);
        // Writing to a string cannot fail.
        let _ = match times < 1.0 {
            true => write!(text, ", {:.0} % of {of}", 100.0 * ratio),
            false => write!(text, ", {ratio:.1} × {of}"),
        };
    }
    text
}

/// Three digits at least, in groups.
pub(crate) fn number(value: f64) -> String {
    if value.abs() < 100.0 {
        let text = format!("{value:.2}");
        let text = text.trim_end_matches('0').trim_end_matches('.');
        return text.to_owned();
    }
    let digits = format!("{value:.0}");
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// The time of a measurement, in UTC.
pub(crate) fn day(at_ms: i64) -> String {
    let (days, minutes) = (
        at_ms.div_euclid(86_400_000),
        at_ms.div_euclid(60_000) % 1440,
    );
    let (year, month, day) = civil(days);
    let (hour, minute) = (minutes / 60, minutes % 60);
    format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}")
}

/// The date of a day since 1970: years begin in March here, so that the odd day is a year's last.
const fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

/// For a page.
#[must_use]
pub fn markdown(figures: &Figures) -> String {
    let mut text = String::from(
        "| what | to reach | reached | kept | measured (UTC) |\n|---|---|---|---|---|\n",
    );
    for row in rows(PROMISES, figures) {
        let Row {
            what,
            reach,
            reached,
            kept,
            measured,
        } = row;
        let _ = writeln!(
            text,
            "| {what} | {reach} | {reached} | {kept} | {measured} |"
        );
    }
    text.push_str("\n| figure | value | measured (UTC) |\n|---|---|---|\n");
    for figure in figures.iter() {
        let Figure {
            name, value, unit, ..
        } = figure;
        let (value, measured) = (number(*value), day(figure.at_ms));
        let _ = writeln!(text, "| `{name}` | {value} {unit} | {measured} |");
    }
    text
}

/// Whether each of these is known to be kept.
#[must_use]
pub fn all_kept(promises: &[Promise], figures: &Figures) -> bool {
    rows(promises, figures).all(|row| row.kept == KEPT)
}

/// For a terminal.
#[must_use]
pub fn terminal(promises: &[Promise], figures: &Figures) -> String {
    let plain = |row: Row| Row {
        reach: row.reach.replace('`', ""),
        ..row
    };
    let rows: Vec<Row> = rows(promises, figures).map(plain).collect();
    let width = |cell: fn(&Row) -> &str| {
        let widths = rows.iter().map(|row| cell(row).chars().count());
        widths.max().unwrap_or(0)
    };
    let what = width(|row| row.what);
    let reach = width(|row| &row.reach);
    let reached = width(|row| &row.reached).max("reached".len());
    let mut text = format!(
        "{:<what$}  {:<reach$}  {:<reached$}  kept\n",
        "what", "to reach", "reached"
    );
    for row in rows {
        let kept = row.kept.trim_matches('*');
        let (name, to_reach, value) = (row.what, row.reach, row.reached);
        let _ = writeln!(
            text,
            "{name:<what$}  {to_reach:<reach$}  {value:<reached$}  {kept}"
        );
    }
    text
}

fn rows(promises: &[Promise], figures: &Figures) -> impl Iterator<Item = Row> {
    promises.iter().map(|promise| Row::of(promise, figures))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_small_ones_keep_their_digits() {
        assert_eq!(number(1_234_567.8), "1,234,568");
        assert_eq!(number(250.0), "250");
        assert_eq!(number(0.905), "0.91");
        assert_eq!(number(5.0), "5");
    }

    #[test]
    fn times_are_told_in_utc() {
        assert_eq!(day(1_795_361_510_598), "2026-11-22 15:31");
        assert_eq!(day(951_782_400_000), "2000-02-29 00:00");
    }

    #[test]
    fn a_promise_without_a_figure_is_not_kept() {
        let text = markdown(&Figures::default());
        assert!(text.contains("| not measured |"), "{text}");
    }
}
