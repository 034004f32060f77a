//! Reads recorded rate-limit headers, one response a row, and tells what each means.
//!
//! In: CSV with the columns channel, status, date, limit, remaining, reset, used and retry_after,
//! in any order, each as the server wrote it. Out: CSV with what the row tells; seconds are whole,
//! rounded down, and what the row cannot tell is empty. What cannot be read is told on standard
//! error, and the next row is read.
//!
//! ```sh
//! cargo run -p examples --example read_allowance -- headers.csv
//! ```

use std::{
    fs::File,
    io::{self, BufRead as _, BufReader, Read, Write},
};

use anyhow::Context as _;
use clap::Parser;
use csv::{ByteRecord, ReaderBuilder, Writer};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use polling_core::http::{
    caps,
    dialect::{Dialect, Reset, Window, WindowHeaders, date_ms},
};

/// Reads recorded rate-limit headers.
#[derive(Debug, Parser)]
struct Options {
    /// The CSV file; - is standard input.
    file: String,
}

/// The columns that are read as headers, under which names.
const COLUMNS: [(&str, HeaderName); 6] = [
    ("date", header::DATE),
    ("retry_after", header::RETRY_AFTER),
    ("limit", HeaderName::from_static("limit")),
    ("remaining", HeaderName::from_static("remaining")),
    ("used", HeaderName::from_static("used")),
    ("reset", HeaderName::from_static("reset")),
];

/// What one row tells.
#[derive(Debug, Default)]
struct Answer {
    limit: Option<u64>,
    remaining: Option<u64>,
    reset_at_s: Option<i64>,
    reset_after_s: Option<i64>,
    complaints: Vec<String>,
}

fn main() -> anyhow::Result<()> {
    let file = Options::parse().file;
    let input: Box<dyn Read> = match file.as_str() {
        "-" => Box::new(io::stdin()),
        path => Box::new(File::open(path).with_context(|| format!("cannot open {path}"))?),
    };
    read_all(input, io::stdout().lock(), io::stderr().lock()).context("cannot read the rows")
}

fn read_all(input: impl Read, output: impl Write, mut errors: impl Write) -> anyhow::Result<()> {
    // A header's value has no line break: each line is read by itself, so that a quote left open
    // in one costs no other.
    let lines = BufReader::new(input).split(b'\n');
    let mut lines =
        lines.filter(|line| !line.as_ref().is_ok_and(|line| line.trim_ascii().is_empty()));
    let columns = match lines.next() {
        Some(line) => record(&line?)?,
        None => ByteRecord::new(),
    };
    let mut output = Writer::from_writer(output);
    output.write_record([
        "row",
        "channel",
        "limit",
        "remaining",
        "reset_at",
        "reset_after_s",
    ])?;
    let dialect = dialect();
    for (at, line) in lines.enumerate() {
        let (row, number) = (record(&line?)?, at + 1);
        let field = |name: &str| field(&columns, &row, name);
        let channel = String::from_utf8_lossy(field("channel"));
        let mut answer = answer(&dialect, field);
        if row.len() != columns.len() {
            let complaint = format!("its columns are {}, not {}", row.len(), columns.len());
            answer.complaints.insert(0, complaint);
        }
        for complaint in &answer.complaints {
            writeln!(
                errors,
                "row {number} ({}): {complaint}",
                channel.escape_debug()
            )?;
        }
        let text = |number: Option<String>| number.unwrap_or_default();
        output.write_record([
            number.to_string().as_str(),
            &channel,
            &text(answer.limit.map(|n| n.to_string())),
            &text(answer.remaining.map(|n| n.to_string())),
            &text(answer.reset_at_s.map(|n| n.to_string())),
            &text(answer.reset_after_s.map(|n| n.to_string())),
        ])?;
    }
    output.flush()?;
    Ok(())
}

/// The fields of one line.
fn record(line: &[u8]) -> csv::Result<ByteRecord> {
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(line);
    let mut record = ByteRecord::new();
    reader.read_byte_record(&mut record)?;
    Ok(record)
}

/// The columns as headers; the reset is told apart by its value, whatever the channel.
fn dialect() -> Dialect {
    let name = |name| Some(HeaderName::from_static(name));
    Dialect {
        windows: vec![WindowHeaders {
            limit: name("limit"),
            remaining: name("remaining"),
            used: name("used"),
            reset: name("reset"),
            ..WindowHeaders::default()
        }],
        ..Dialect::default()
    }
}

fn field<'a>(columns: &ByteRecord, row: &'a ByteRecord, name: &str) -> &'a [u8] {
    let at = columns
        .iter()
        .position(|column| column.trim_ascii().eq_ignore_ascii_case(name.as_bytes()));
    at.and_then(|at| row.get(at))
        .unwrap_or_default()
        .trim_ascii()
}

fn answer<'a>(dialect: &Dialect, field: impl Fn(&str) -> &'a [u8]) -> Answer {
    let mut answer = Answer::default();
    let status = StatusCode::from_bytes(field("status")).unwrap_or_else(|_| {
        answer.complain("status", field("status"), "is no HTTP status; read as 200");
        StatusCode::OK
    });
    let mut headers = HeaderMap::new();
    for (column, header) in COLUMNS {
        match HeaderValue::from_bytes(field(column)) {
            Ok(value) if value.is_empty() => {}
            Ok(value) => drop(headers.insert(header, value)),
            Err(_) => answer.complain(column, field(column), "is no value of a header"),
        }
    }
    let date_ms = date_ms(&headers);
    if date_ms.is_none() && headers.contains_key(header::DATE) {
        answer.complain("date", field("date"), "is no date");
    }
    let told = dialect.told(status, &headers);
    answer
        .complaints
        .extend(told.unread.iter().map(ToString::to_string));
    // Of several windows the one that is used up first; one that the row itself counts, if any.
    let unnamed = |window: &Window| window.limit.is_none() && window.reset == told.retry_after;
    let strictness = |window: &&Window| (unnamed(window), window.remaining.unwrap_or(u64::MAX));
    let strictest = told.windows.iter().min_by_key(strictness);
    let window = strictest.copied().unwrap_or_default();
    let most = window.limit.unwrap_or(u64::MAX);
    (answer.limit, answer.remaining) = (window.limit, window.remaining.map(|left| left.min(most)));
    match window.reset.or(told.retry_after) {
        Some(reset) => answer.take_reset(reset, date_ms),
        None if strictest.is_none() && answer.complaints.is_empty() => {
            answer.complaints.push("tells no allowance".to_owned());
        }
        None => {}
    }
    answer
}

impl Answer {
    fn complain(&mut self, column: &str, value: &[u8], fault: &str) {
        let value: String = String::from_utf8_lossy(value)
            .chars()
            .take(caps::MAX_QUOTED_LEN)
            .collect();
        self.complaints.push(format!("{column} {value:?} {fault}"));
    }

    fn take_reset(&mut self, reset: Reset, date_ms: Option<i64>) {
        let whole_s = |ms: i64| ms.div_euclid(1000);
        // A row without a date has no clock: any will do to see how far a reset is ahead of it.
        let (asked_ms, at_ms) = match (reset, date_ms) {
            (Reset::At(at_ms), Some(date_ms)) => {
                (at_ms.saturating_sub(date_ms), reset.at_ms(date_ms))
            }
            (Reset::After(after_ms), date_ms) => (after_ms, reset.at_ms(date_ms.unwrap_or(0))),
            (Reset::At(at_ms), None) => (0, at_ms),
        };
        let bounds_ms = 0..=caps::MAX_RESET_AHEAD_MS;
        if !bounds_ms.contains(&asked_ms) {
            let which = if asked_ms < 0 {
                "in the past"
            } else {
                "too far away"
            };
            self.complaints.push(format!(
                "the reset is {which}; read as the nearest that can be"
            ));
        }
        match (reset, date_ms) {
            (_, Some(date_ms)) => {
                self.reset_at_s = Some(whole_s(at_ms));
                self.reset_after_s = Some(whole_s(at_ms - date_ms));
            }
            (Reset::After(_), None) => self.reset_after_s = Some(whole_s(at_ms)),
            (Reset::At(_), None) if at_ms < caps::LATEST_RESET_MS => {
                self.reset_at_s = Some(whole_s(at_ms));
            }
            (Reset::At(_), None) => {
                self.complaints
                    .push("the reset is absurd, and no date tells by how much".to_owned());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(input: &[u8]) -> (String, String) {
        let (mut output, mut errors) = (Vec::new(), Vec::new());
        read_all(input, &mut output, &mut errors).unwrap();
        (
            String::from_utf8(output).unwrap(),
            String::from_utf8(errors).unwrap(),
        )
    }

    /// The line of a row of this channel, and what was complained about.
    fn row(fields: &str) -> (String, String) {
        let input =
            format!("channel,status,date,limit,remaining,reset,used,retry_after\n{fields}\n");
        let (output, errors) = run(input.as_bytes());
        (output.lines().nth(1).unwrap().to_owned(), errors)
    }

    #[test]
    fn each_recorded_row_tells_what_it_should() {
        let input = include_bytes!("../../polling-core/tests/fixtures/rate-limit-headers.csv");
        let expected = include_str!("../../polling-core/tests/fixtures/rate-limit-allowances.csv");
        let (output, errors) = run(input);
        assert_eq!(output, expected);
        assert_eq!(errors, "");
    }

    #[test]
    fn rows_of_unknown_channels_are_told_by_their_values() {
        const DATE: &str = "\"Sat, 07 May 2022 13:10:40 GMT\"";
        for (fields, expected) in [
            (
                format!("github,200,{DATE},5000,4987,1651930000,13,"),
                "1,github,5000,4987,1651930000,960",
            ),
            (
                format!("discord,200,{DATE},5,4,1651929041.5,,"),
                "1,discord,5,4,1651929041,1",
            ),
            (
                format!("ms,200,{DATE},5,4,1651929041500,,"),
                "1,ms,5,4,1651929041,1",
            ),
            (
                format!("http,200,{DATE},5,4,\"Sat, 07 May 2022 13:11:40 GMT\",,"),
                "1,http,5,4,1651929100,60",
            ),
            (
                format!("vimeo,200,{DATE},5,4,2022-05-07T15:11:40+02:00,,"),
                "1,vimeo,5,4,1651929100,60",
            ),
            (
                format!("go,200,{DATE},5,4,6m0s,,"),
                "1,go,5,4,1651929400,360",
            ),
            (
                format!("draft,200,{DATE},\"100, 100;w=60\",7,30,,"),
                "1,draft,100,7,1651929070,30",
            ),
            (
                format!("strava,200,{DATE},\"200,2000\",,,\"10,1990\","),
                "1,strava,2000,10,,",
            ),
            (
                format!("refused,429,{DATE},,,,,120"),
                "1,refused,,0,1651929160,120",
            ),
            (
                format!("date,429,{DATE},60,,,,\"Sat, 07 May 2022 13:12:40 GMT\""),
                "1,date,60,0,1651929160,120",
            ),
            (
                format!("secondary,429,{DATE},,520,30,,120"),
                "1,secondary,,520,1651929070,30",
            ),
            (
                format!("absurd,429,{DATE},60,0,99999999999,,120"),
                "1,absurd,60,0,1651929160,120",
            ),
            (
                "undated,429,,60,0,99999999999,,120".to_owned(),
                "1,undated,60,0,,120",
            ),
            ("undated,200,,60,59,17,,".to_owned(), "1,undated,60,59,,17"),
            (
                "instant,200,,60,59,1651929100,,".to_owned(),
                "1,instant,60,59,1651929100,",
            ),
        ] {
            assert_eq!(
                row(&fields),
                (expected.to_owned(), String::new()),
                "{fields}"
            );
        }
    }

    #[test]
    fn what_cannot_be_read_is_told_and_costs_no_other_row() {
        let input = b"channel,status,date,limit,remaining,reset,used,retry_after\n\
            a,abc,yesterday,many,7,soon,,\n\
            b\n\
            c,200,,1,\xff\xfe,\"\x01\",,,,,\n\
            d,200,\"Sat, 07 May 2022 13:10:40 GMT\",60,-5,99999999999,,\n\
            e,200,,60,59,99999999999,,\n\
            f,200,\"Sat, 07 May 2022 13:10:40 GMT,60,59,60,,\n\
            \n\
            g,200,\"Sat, 07 May 2022 13:10:40 GMT\",60,59,60,,\n";
        let (output, errors) = run(input);
        let output: Vec<_> = output.lines().skip(1).collect();
        assert_eq!(
            output,
            [
                "1,a,,7,,",
                "2,b,,,,",
                "3,c,1,,,",
                "4,d,60,0,1654607440,2678400",
                "5,e,60,59,,",
                "6,f,,,,",
                "7,g,60,59,1651929100,60",
            ]
        );
        let told: Vec<_> = errors.lines().collect();
        assert_eq!(
            told,
            [
                "row 1 (a): status \"abc\" is no HTTP status; read as 200",
                "row 1 (a): date \"yesterday\" is no date",
                "row 1 (a): limit \"many\" is no number",
                "row 1 (a): reset \"soon\" is neither a number nor an instant nor a duration",
                "row 2 (b): its columns are 1, not 8",
                "row 2 (b): status \"\" is no HTTP status; read as 200",
                "row 3 (c): its columns are 11, not 8",
                "row 3 (c): reset \"\\u{1}\" is no value of a header",
                "row 3 (c): remaining \"\u{fffd}\u{fffd}\" is no text",
                "row 4 (d): the reset is too far away; read as the nearest that can be",
                "row 5 (e): the reset is absurd, and no date tells by how much",
                "row 6 (f): its columns are 3, not 8",
                "row 6 (f): date \"Sat, 07 May 2022 13:10:40 GMT,60,59,60,,\" is no date",
            ]
        );
    }
}
