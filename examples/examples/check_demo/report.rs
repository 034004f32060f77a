//! The result, for people and for programs.

use std::{collections::BTreeMap, io::IsTerminal as _};

use crate::{counted::Counts, verdict::Verdict};

/// One line of the table.
struct Row {
    check: &'static str,
    found: String,
    holds: bool,
}

#[expect(clippy::print_stdout, reason = "the result is what the program is for")]
pub(crate) fn print(verdict: &Verdict, json: bool) {
    if json {
        println!("{}", to_json(verdict));
        return;
    }
    let marks = Marks::for_stdout();
    for row in rows(verdict) {
        let mark = if row.holds { &marks.ok } else { &marks.failed };
        println!("{mark}  {:<34} {}", row.check, row.found);
    }
    println!("        {:<34} {}", "gaps left out", left_out(verdict));
}

#[expect(clippy::print_stderr, reason = "that is where errors go")]
pub(crate) fn print_error(error: &anyhow::Error) {
    eprintln!("error: {error:#}");
}

fn to_json(verdict: &Verdict) -> serde_json::Value {
    let mut json = serde_json::to_value(verdict).expect("maps of texts and numbers are JSON");
    for (name, holds) in [
        ("exact", verdict.exact()),
        ("shared", verdict.shared()),
        ("punctual", verdict.punctual()),
        ("passed", verdict.passed()),
    ] {
        json[name] = holds.into();
    }
    json
}

fn rows(verdict: &Verdict) -> Vec<Row> {
    let row = |check, holds, found| Row {
        check,
        found,
        holds,
    };
    let mut rows = vec![
        row(
            "every status was offered",
            verdict.posted > 0 && verdict.never_offered == 0,
            offered(verdict),
        ),
        row("each is in Kafka", verdict.missing == 0, delivered(verdict)),
        row(
            "and nothing else",
            verdict.extra == 0,
            format!(
                "{} beyond them, {} repeats dropped",
                grouped(verdict.extra),
                grouped(verdict.repeats)
            ),
        ),
        row(
            "no completion before delivery",
            verdict.completed_early == 0,
            format!(
                "{} of {} polls resumed too early",
                grouped(verdict.completed_early),
                grouped(verdict.resumed_polls)
            ),
        ),
        row(
            "order per account",
            verdict.out_of_order == 0,
            format!("{} accounts out of order", grouped(verdict.out_of_order)),
        ),
        row(
            "workers shared the work",
            verdict.shared(),
            workers(verdict),
        ),
        row("polled on time", verdict.punctual(), gaps(verdict)),
        row(
            "enough events",
            verdict.offered >= verdict.at_least,
            format!(
                "{} of {} at least",
                grouped(verdict.offered),
                grouped(verdict.at_least)
            ),
        ),
    ];
    rows.extend(verdict.settings.iter().map(|held| Row {
        check: held.check,
        found: held.found.clone(),
        holds: held.holds,
    }));
    let channel = &verdict.counted.channel;
    rows.extend((verdict.counted.others.iter()).map(|(who, counts)| Row {
        check: match *who {
            "Graphite" => "Graphite counted the same",
            _ => "Prometheus counted the same",
        },
        holds: counts == channel,
        found: counted(counts, channel),
    }));
    rows
}

/// What somebody counted, and if need be where the channel's log has it otherwise.
fn counted(counts: &Counts, channel: &Counts) -> String {
    let events = |counts: &Counts| format!("{} events", grouped(counts.events as usize));
    if counts == channel {
        let polls = by_outcome(&counts.polls);
        return format!("polls: {polls}, all settled; {}", events(counts));
    }
    let text = |counts: &Counts| {
        let (polls, settled) = (by_outcome(&counts.polls), by_outcome(&counts.settled));
        format!("polls: {polls}; settled: {settled}; {}", events(counts))
    };
    format!("{}, where the log has {}", text(counts), text(channel))
}

fn by_outcome(sums: &BTreeMap<String, u64>) -> String {
    let text = |(outcome, sum): (&String, &u64)| format!("{} {outcome}", grouped(*sum as usize));
    sums.iter().map(text).collect::<Vec<_>>().join(", ")
}

fn offered(verdict: &Verdict) -> String {
    if verdict.posted == 0 {
        return format!(
            "{}, but posting was not stopped: what else was posted is not known",
            grouped(verdict.offered)
        );
    }
    format!(
        "{} of {} posted, in {} responses, {} of them errors",
        grouped(verdict.posted - verdict.never_offered),
        grouped(verdict.posted),
        grouped(verdict.responses),
        grouped(verdict.errors)
    )
}

fn delivered(verdict: &Verdict) -> String {
    format!(
        "{} of {} offered, {} missing",
        grouped(verdict.offered - verdict.missing),
        grouped(verdict.offered),
        grouped(verdict.missing)
    )
}

fn workers(verdict: &Verdict) -> String {
    let all = verdict.responses.max(1);
    let share = |(name, count): (&String, &usize)| format!("{name} {} %", count * 100 / all);
    let shares: Vec<_> = verdict.workers.iter().map(share).collect();
    shares.join(", ")
}

fn gaps(verdict: &Verdict) -> String {
    let gaps = &verdict.gaps;
    format!(
        "gaps: p50 {}, p99 {}, max {}; p99 may be {}",
        seconds(gaps.p50_ms),
        seconds(gaps.p99_ms),
        seconds(gaps.max_ms),
        seconds(verdict.gap_bound_ms)
    )
}

fn left_out(verdict: &Verdict) -> String {
    let gaps = &verdict.gaps;
    format!(
        "{} counted; not {} at errors and limits, {} after a full page, {} in faults",
        grouped(gaps.count),
        grouped(gaps.errors),
        grouped(gaps.saturated),
        grouped(gaps.faults)
    )
}

struct Marks {
    ok: String,
    failed: String,
}

impl Marks {
    /// In colour only where a person looks: <https://no-color.org>.
    fn for_stdout() -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let (green, red, end) = match std::io::stdout().is_terminal() && !plain {
            true => ("\x1b[32m", "\x1b[31m", "\x1b[0m"),
            false => ("", "", ""),
        };
        Self {
            ok: format!("{green}ok    {end}"),
            failed: format!("{red}FAILED{end}"),
        }
    }
}

/// 8166 as `8,166`.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn seconds(ms: i64) -> String {
    format!("{}.{:02} s", ms / 1_000, ms % 1_000 / 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        let texts = [0, 999, 1_000, 1_234_567].map(grouped);
        assert_eq!(texts, ["0", "999", "1,000", "1,234,567"]);
    }
}
