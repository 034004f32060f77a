//! Files of jobs: CSV and JSON Lines, read row by row and never as a whole.

use std::{
    io::{self, BufRead, Read},
    path::Path,
};

use clap::ValueEnum;
use serde_json::{Map, Value};

use super::edit::cushion;
use crate::{failure::Failure, suggest};

/// The columns of a CSV file, in the order in which they are written.
pub(super) const COLUMNS: [&str; 6] = ["job_type", "account", "id", "level", "cushion", "context"];

/// Longest line of JSON, bytes: more than the largest context needs.
const MAX_LINE_SIZE_BYTES: usize = 512 * 1024;

/// How jobs are written in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A head with the columns `job_type`, `account`, and as wanted `id`, `level`, `cushion`, `context`.
    Csv,
    /// An object of JSON on each line, with the same names.
    Jsonl,
}

impl Format {
    /// What was asked for, or what the file's name ends with.
    pub(super) fn of(asked: Option<Self>, file: Option<&Path>) -> Option<Self> {
        let by_name = || match file?.extension()?.to_str()? {
            "csv" => Some(Self::Csv),
            "jsonl" | "ndjson" => Some(Self::Jsonl),
            _ => None,
        };
        asked.or_else(by_name)
    }
}

/// A row of a file: its line, from 1, and the job as a line of JSON, or what is wrong with it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) line: u64,
    pub(super) job: Result<String, String>,
}

/// The rows of a file; an error ends them.
pub(super) type Rows<'a> = Box<dyn Iterator<Item = Result<Row, Failure>> + 'a>;

/// Begins to read.
pub(super) fn rows<'a>(format: Format, input: Box<dyn BufRead + 'a>) -> Result<Rows<'a>, Failure> {
    match format {
        Format::Csv => csv_rows(input),
        Format::Jsonl => Ok(Box::new(Lines { input, line: 0 })),
    }
}

fn csv_rows<'a>(input: Box<dyn BufRead + 'a>) -> Result<Rows<'a>, Failure> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(input);
    let unreadable =
        |error: csv::Error| Failure::Usage(format!("the file cannot be read: {error}"));
    let head = reader.headers().map_err(unreadable)?.clone();
    check_head(&head)?;
    let rows = reader.into_records().map(move |record| match record {
        Ok(record) => Ok(Row {
            line: record.position().map_or(0, csv::Position::line),
            job: job_of(&head, &record),
        }),
        Err(error) if error.is_io_error() => Err(unreadable(error)),
        Err(error) => Ok(Row {
            line: error.position().map_or(0, csv::Position::line),
            job: Err(error.to_string()),
        }),
    });
    Ok(Box::new(rows))
}

fn check_head(head: &csv::StringRecord) -> Result<(), Failure> {
    let known = COLUMNS.join(", ");
    for column in head.iter().map(str::trim) {
        if !COLUMNS.contains(&column) {
            let hint = suggest::nearest(column, COLUMNS)
                .map_or_else(String::new, |nearest| format!(" did you mean {nearest:?}?"));
            return Err(Failure::Usage(format!(
                "unknown column {column:?}:{hint} Known are {known}"
            )));
        }
    }
    for needed in &COLUMNS[..2] {
        if !head.iter().any(|column| column.trim() == *needed) {
            return Err(Failure::Usage(format!(
                "the first line names no column {needed}: known are {known}"
            )));
        }
    }
    Ok(())
}

/// A record as JSON; a field that is empty is left out.
fn job_of(head: &csv::StringRecord, record: &csv::StringRecord) -> Result<String, String> {
    if record.len() != head.len() {
        return Err(format!(
            "{} fields where the first line names {}",
            record.len(),
            head.len()
        ));
    }
    let mut job = Map::new();
    for (column, field) in head.iter().zip(record) {
        let (column, field) = (column.trim(), field.trim());
        if field.is_empty() {
            continue;
        }
        let value = match column {
            "cushion" => cushion(field),
            "context" => serde_json::from_str(field)
                .map_err(|error| format!("context: it is no JSON: {error}"))?,
            _ => Value::from(field),
        };
        job.insert(column.to_owned(), value);
    }
    Ok(Value::Object(job).to_string())
}

/// Lines of JSON; empty ones are left out.
struct Lines<'a> {
    input: Box<dyn BufRead + 'a>,
    line: u64,
}

impl Iterator for Lines<'_> {
    type Item = Result<Row, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let mut bytes = Vec::new();
            let most = MAX_LINE_SIZE_BYTES as u64 + 1;
            let read = (&mut self.input).take(most).read_until(b'\n', &mut bytes);
            match read {
                Ok(0) => return None,
                Ok(_) => self.line += 1,
                Err(error) => return Some(Err(error.into())),
            }
            let row = |job| {
                Some(Ok(Row {
                    line: self.line,
                    job,
                }))
            };
            if bytes.len() > MAX_LINE_SIZE_BYTES && bytes.last() != Some(&b'\n') {
                return match skip_line(&mut *self.input) {
                    Ok(()) => row(Err(format!("longer than {MAX_LINE_SIZE_BYTES} bytes"))),
                    Err(error) => Some(Err(error.into())),
                };
            }
            let text = bytes.trim_ascii();
            if !text.is_empty() {
                return row(object(text));
            }
        }
    }
}

fn skip_line(input: &mut dyn BufRead) -> io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        let (used, ended) = match buffer.iter().position(|byte| *byte == b'\n') {
            Some(at) => (at + 1, true),
            None => (buffer.len(), buffer.is_empty()),
        };
        input.consume(used);
        if ended {
            return Ok(());
        }
    }
}

/// The text of an object; the server says what is wrong within.
fn object(text: &[u8]) -> Result<String, String> {
    let object: Map<String, Value> =
        serde_json::from_slice(text).map_err(|error| format!("no object of JSON: {error}"))?;
    Ok(Value::Object(object).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(format: Format, text: &str) -> Vec<Row> {
        let rows = rows(format, Box::new(text.as_bytes())).unwrap();
        rows.map(Result::unwrap).collect()
    }

    fn refused(text: &str) -> String {
        match rows(Format::Csv, Box::new(text.as_bytes())) {
            Ok(_) => panic!("{text} was read"),
            Err(failure) => failure.to_string(),
        }
    }

    #[test]
    fn a_wrong_record_stops_no_other_and_is_told_with_its_line() {
        let text = "account,job_type,cushion,context\n1,posts,20%,\"{\"\"a\"\":\n 1}\"\n2,posts\n3,posts,7,{\n4,posts,7,\n";
        let rows = read(Format::Csv, text);
        let job = r#"{"account":"1","context":{"a":1},"cushion":"20%","job_type":"posts"}"#;
        assert_eq!(
            rows[0],
            Row {
                line: 2,
                job: Ok(job.to_owned())
            }
        );
        let wrong = "2 fields where the first line names 4".to_owned();
        assert_eq!(
            rows[1],
            Row {
                line: 4,
                job: Err(wrong)
            }
        );
        let wrong = rows[2].job.as_ref().unwrap_err();
        assert!(
            rows[2].line == 5 && wrong.starts_with("context: it is no JSON"),
            "{wrong}"
        );
        let job = r#"{"account":"4","cushion":7,"job_type":"posts"}"#;
        assert_eq!(
            rows[3],
            Row {
                line: 6,
                job: Ok(job.to_owned())
            }
        );
    }

    #[test]
    fn a_column_that_nobody_knows_is_told_with_the_nearest() {
        assert!(refused("job_type,acount\n").contains("did you mean \"account\"?"));
        assert!(refused("job_type,level\n").contains("no column account"));
    }

    #[test]
    fn lines_are_objects_and_nothing_else() {
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_LINE_SIZE_BYTES));
        let text = format!("{{\"a\": 1}}\n\n[1]\n{long}\n{{\"b\":2}}");
        let rows = read(Format::Jsonl, &text);
        let lines: Vec<_> = rows.iter().map(|row| (row.line, row.job.is_ok())).collect();
        assert_eq!(lines, [(1, true), (3, false), (4, false), (5, true)]);
    }
}
