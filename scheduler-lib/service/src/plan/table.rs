//! The plan as tables.

use std::io::{self, Write};

use scheduler_lib::{
    duration,
    plan::{Break, Breaking, LevelPlan, Plan, ScopePlan, WindowPlan},
};

use super::{
    Planned,
    text::{Paint, number, percent, span, times},
};

pub(super) fn write(out: &mut impl Write, planned: &Planned, paint: Paint) -> io::Result<()> {
    let Planned {
        channel,
        input,
        plan,
    } = planned;
    let jobs: u64 = plan.levels.iter().map(|level| level.jobs).sum();
    let more = match input.accounts {
        1.0 => String::new(),
        factor => format!(", {} the accounts", times(factor)),
    };
    writeln!(out, "channel {channel}: {} jobs{more}", number(jobs as f64))?;
    for alarm in &plan.alarms {
        writeln!(out, "{} {alarm}", paint.alarm("ALARM"))?;
    }
    writeln!(out, "\n{}", paint.heading("What each level gets"))?;
    levels(out, &plan.levels, paint)?;
    if !plan.scopes.is_empty() {
        writeln!(
            out,
            "\n{}",
            paint.heading("What each limit is used for, in calls per window")
        )?;
        scopes(out, plan, paint)?;
    }
    if !plan.breaks.is_empty() {
        writeln!(out, "\n{}", paint.heading("What breaks first"))?;
        breaks(out, &plan.breaks, paint)?;
    }
    for note in &plan.notes {
        writeln!(out, "{}", paint.quiet(&format!("\nnote: {note}")))?;
    }
    Ok(())
}

fn levels(out: &mut impl Write, levels: &[LevelPlan], paint: Paint) -> io::Result<()> {
    let adaptive = levels.iter().any(|level| level.adaptive);
    let promised = levels.iter().any(|level| level.max_age_minutes.is_some());
    let mut table = Table::new(&["jobs of", "number", "weight", "polled every", "instead of"]);
    table.head(&["mean delay", "polls a day"]);
    if promised {
        table.head(&["max age", "held by it", "promise kept"]);
    }
    if adaptive {
        table.head(&["items a day", "lost"]);
    }
    for level in levels {
        let stretched = level.mean_interval_minutes > level.interval_minutes * (1.0 + 1e-6);
        let mut row = vec![
            format!("{}.{}", level.job_type, level.level),
            number(level.jobs as f64),
            level.weight.to_string(),
            span(level.mean_interval_minutes),
            if stretched {
                span(level.interval_minutes)
            } else {
                String::new()
            },
            span(level.staleness_minutes),
            number(level.polls_per_day),
        ];
        if promised {
            row.push(level.max_age_minutes.map_or_else(|| "-".to_owned(), span));
            row.push(percent(level.held_by_max_age));
            let kept = level.promise_kept;
            row.push(kept.map_or_else(|| "-".to_owned(), |kept| format!("{:.0} %", 100.0 * kept)));
        }
        if adaptive {
            row.push(number(level.items_per_day));
            row.push(percent(level.lost));
        }
        let broken = level.promise_kept.is_some_and(|kept| kept < 1.0 - 1e-9);
        table.row(row, if broken { Tone::Alarm } else { Tone::Plain });
    }
    table.write(out, paint)
}

fn scopes(out: &mut impl Write, plan: &Plan, paint: Paint) -> io::Result<()> {
    let mut table = Table::new(&["scope", "limit", "others", "cushion", "for us", "wanted"]);
    table.head(&["used", "use", "price of a call"]);
    for scope in &plan.scopes {
        let broken = |found: &Break| {
            found.scope == scope.scope && found.level == scope.level && !found.holds()
        };
        let broken = plan.breaks.iter().any(broken);
        let name = match &scope.level {
            Some(level) => format!(
                "{}, {} of {level}",
                scope.scope,
                number(scope.copies as f64)
            ),
            None => scope.scope.clone(),
        };
        if scope.windows.is_empty() {
            let mut row = vec![name, "none".to_owned()];
            row.extend(["", "", ""].map(str::to_owned));
            row.push(format!("{} a day", number(scope.wanted_per_day)));
            row.push(format!("{} a day", number(scope.used_per_day)));
            table.row(row, Tone::Plain);
            continue;
        }
        for window in &scope.windows {
            let tone = if broken { Tone::Warning } else { Tone::Plain };
            table.row(window_row(&name, scope, window), tone);
        }
    }
    table.write(out, paint)
}

fn window_row(name: &str, scope: &ScopePlan, window: &WindowPlan) -> Vec<String> {
    let price = match scope.price_minutes {
        0.0 => "nothing".to_owned(),
        price if price.is_finite() => format!("{} min of delay", number(price)),
        _ => "only promises".to_owned(),
    };
    vec![
        name.to_owned(),
        format!(
            "{} / {}",
            number(window.limit as f64),
            duration::text(window.window)
        ),
        number(window.others),
        number(window.cushion),
        number(window.available),
        number(window.wanted),
        number(window.used),
        percent(window.use_share),
        price,
    ]
}

fn breaks(out: &mut impl Write, breaks: &[Break], paint: Paint) -> io::Result<()> {
    let mut table = Table::new(&["what", "by scope", "holds up to", "and down to a limit of"]);
    for found in breaks {
        let accounts = match found.accounts {
            Some(factor) => format!("{} accounts", times(factor)),
            None => "any accounts".to_owned(),
        };
        let window = duration::text(found.window);
        let limit = format!("{} / {window}", number(found.least_calls()));
        let tone = match (found.holds(), found.what) {
            (true, _) => Tone::Plain,
            (false, Breaking::Promises) => Tone::Alarm,
            (false, _) => Tone::Warning,
        };
        let fails = if found.holds() {
            ""
        } else {
            "does not hold as it is"
        };
        let scope = match &found.level {
            Some(level) => format!("{} of {level}", found.scope),
            None => found.scope.clone(),
        };
        table.row(
            vec![what(found), scope, accounts, limit, fails.to_owned()],
            tone,
        );
    }
    table.write(out, paint)
}

/// What stops to hold.
fn what(found: &Break) -> String {
    let (job_type, level) = &found.first;
    match found.what {
        Breaking::Promises => format!("max age of {job_type}.{level}"),
        _ => "intervals as configured".to_owned(),
    }
}

#[derive(Clone, Copy)]
enum Tone {
    Plain,
    Warning,
    Alarm,
}

/// Columns as wide as what is in them; the first and the last begin at their left.
struct Table {
    head: Vec<String>,
    rows: Vec<(Vec<String>, Tone)>,
}

impl Table {
    fn new(head: &[&str]) -> Self {
        let mut table = Self {
            head: Vec::new(),
            rows: Vec::new(),
        };
        table.head(head);
        table
    }

    fn head(&mut self, more: &[&str]) {
        self.head.extend(more.iter().map(|name| (*name).to_owned()));
    }

    fn row(&mut self, row: Vec<String>, tone: Tone) {
        self.rows.push((row, tone));
    }

    fn write(&self, out: &mut impl Write, paint: Paint) -> io::Result<()> {
        let all = || {
            [&self.head]
                .into_iter()
                .chain(self.rows.iter().map(|(row, _)| row))
        };
        let columns = all().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = all().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<_> = (0..columns).map(width).collect();
        let line = |row: &[String]| {
            let mut line = String::from(" ");
            for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
                line.push(' ');
                line.push_str(&if column == 0 || column >= self.head.len() {
                    format!("{cell:<width$} ")
                } else {
                    format!("{cell:>width$} ")
                });
            }
            line.trim_end().to_owned()
        };
        writeln!(out, "{}", paint.quiet(&line(&self.head)))?;
        for (row, tone) in &self.rows {
            let line = line(row);
            let line = match tone {
                Tone::Plain => line,
                Tone::Warning => paint.warning(&line),
                Tone::Alarm => paint.alarm(&line),
            };
            writeln!(out, "{line}")?;
        }
        Ok(())
    }
}
