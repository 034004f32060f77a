//! What accounts did, and when.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead, BufReader, Read},
    path::Path,
};

use csv::StringRecord;
use flate2::bufread::MultiGzDecoder;

use crate::{MINUTE_MS, reference::Numpy};

/// Longest trace, in days: more is a mistake in the units, and would be replayed for hours.
const MOST_DAYS: i64 = 3660;

/// Most rows, and with them most accounts.
const MOST_ROWS: usize = 50_000_000;

/// How many refused rows are told.
const TOLD: usize = 10;

const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

/// Which schedule an account pays for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// One account in ten.
    Gold,
    /// Three in ten.
    Silver,
    /// The rest.
    Bronze,
}

impl Tier {
    /// All of them, best first.
    pub const ALL: [Self; 3] = [Self::Gold, Self::Silver, Self::Bronze];
}

/// When each account's items appeared.
#[derive(Debug, Clone)]
pub struct Trace {
    /// The file's name without its endings.
    pub name: String,
    /// Times of items, oldest first, by account; milliseconds since the midnight (UTC) before the
    /// first item.
    pub accounts: Vec<Vec<i64>>,
    /// By account; drawn by lot, always the same.
    pub tiers: Vec<Tier>,
    /// Rows that are not a number of an account and a time.
    pub refused: u64,
    /// What was wrong with the first ten of them, with their lines.
    pub reasons: Vec<String>,
}

/// Why a trace cannot be replayed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TraceError {
    /// It cannot be read.
    #[error("the trace cannot be read")]
    Read(#[from] csv::Error),
    /// The file cannot be opened.
    #[error("the trace cannot be opened")]
    Open(#[from] std::io::Error),
    /// No row can be used.
    #[error("no row is an account and a time: {}; rows are `account,unix_seconds`", first(.reasons))]
    Empty {
        /// What was wrong with the first ten rows.
        reasons: Vec<String>,
    },
    /// The times are too far apart.
    #[error("its times lie {days} days apart, more than {MOST_DAYS}: are they Unix seconds?")]
    TooLong {
        /// How far.
        days: i64,
    },
    /// There are too many rows.
    #[error("it has more than {MOST_ROWS} rows")]
    TooLarge,
}

fn first(reasons: &[String]) -> &str {
    reasons.first().map_or("it is empty", String::as_str)
}

impl Trace {
    /// Of a file of rows `account,unix_seconds`, compressed with gzip or not.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or has no row that can be used.
    pub fn open(path: &Path) -> Result<Self, TraceError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = name.split('.').next().unwrap_or_default();
        let mut file = BufReader::new(File::open(path)?);
        if file.fill_buf()?.starts_with(&[0x1f, 0x8b]) {
            Self::read(MultiGzDecoder::new(file), name)
        } else {
            Self::read(file, name)
        }
    }

    /// Of rows `account,unix_seconds`, in any order. A first row that is not one is a header; any
    /// other is refused and told.
    ///
    /// # Errors
    ///
    /// When there is no row that can be used, or the input ends with an error.
    pub fn read(input: impl Read, name: &str) -> Result<Self, TraceError> {
        let mut rows = Rows::default();
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .trim(csv::Trim::All)
            .from_reader(input);
        let mut record = StringRecord::new();
        while rows.next(&mut reader, &mut record)? {}
        rows.into_trace(name)
    }

    /// Items of all accounts.
    #[must_use]
    pub fn items(&self) -> usize {
        self.accounts.iter().map(Vec::len).sum()
    }

    /// The slot of the first item, and the one after the last.
    pub(crate) fn minutes(&self) -> (i64, i64) {
        let items = || self.accounts.iter().flatten();
        let first_ms = items().min().copied().unwrap_or(0);
        let last_ms = items().max().copied().unwrap_or(0);
        (first_ms / MINUTE_MS, slot(last_ms) + 1)
    }
}

/// The slot whose polls see an item first.
pub(crate) fn slot(item_ms: i64) -> i64 {
    (item_ms.saturating_add(MINUTE_MS - 1) / MINUTE_MS).max(1)
}

#[derive(Default)]
struct Rows {
    /// Unix seconds by account. Numbers come before names, in their order.
    times: BTreeMap<(u64, String), Vec<i64>>,
    count: usize,
    line: u64,
    refused: u64,
    reasons: Vec<String>,
}

impl Rows {
    /// Returns whether there was another row.
    fn next<R: Read>(
        &mut self,
        reader: &mut csv::Reader<R>,
        record: &mut StringRecord,
    ) -> Result<bool, TraceError> {
        let read = reader.read_record(record);
        self.line += 1;
        match read {
            Ok(false) => return Ok(false),
            Ok(true) => self.take(record),
            Err(error) if matches!(error.kind(), csv::ErrorKind::Utf8 { .. }) => {
                self.refuse("it is not text");
            }
            Err(error) => return Err(error.into()),
        }
        if self.count > MOST_ROWS {
            return Err(TraceError::TooLarge);
        }
        Ok(true)
    }

    fn take(&mut self, record: &StringRecord) {
        let (account, time) = (record.get(0).unwrap_or(""), record.get(1).unwrap_or(""));
        let Ok(time) = time.parse() else {
            if self.line > 1 {
                self.refuse(&format!("{time:?} is not a time in Unix seconds"));
            }
            return;
        };
        if account.is_empty() {
            return self.refuse("it names no account");
        }
        let number = account.parse().unwrap_or(u64::MAX);
        let times = self.times.entry((number, account.to_owned())).or_default();
        times.push(time);
        self.count += 1;
    }

    fn refuse(&mut self, why: &str) {
        self.refused += 1;
        if self.reasons.len() < TOLD {
            self.reasons.push(format!("line {}: {why}", self.line));
        }
    }

    fn into_trace(self, name: &str) -> Result<Trace, TraceError> {
        let all = || self.times.values().flatten();
        let (Some(&first), Some(&last)) = (all().min(), all().max()) else {
            let reasons = self.reasons;
            return Err(TraceError::Empty { reasons });
        };
        let days = last.saturating_sub(first) / (DAY_MS / 1000);
        if days > MOST_DAYS {
            return Err(TraceError::TooLong { days });
        }
        let midnight = first.div_euclid(DAY_MS / 1000) * (DAY_MS / 1000);
        let mut accounts: Vec<Vec<i64>> = self.times.into_values().collect();
        for items in &mut accounts {
            items.sort_unstable();
            for item in items {
                *item = (*item - midnight) * 1000;
            }
        }
        Ok(Trace {
            name: name.to_owned(),
            tiers: Numpy::SEED_1.take(accounts.len()).map(tier).collect(),
            accounts,
            refused: self.refused,
            reasons: self.reasons,
        })
    }
}

fn tier(lot: f64) -> Tier {
    if lot < 0.1 {
        Tier::Gold
    } else if lot < 0.4 {
        Tier::Silver
    } else {
        Tier::Bronze
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(rows: &str) -> Result<Trace, TraceError> {
        Trace::read(rows.as_bytes(), "test")
    }

    #[test]
    fn rows_may_come_in_any_order_with_a_header_or_without() {
        for rows in [
            "account,unix_seconds\n1,90000\n0,86460\n1,86400\n",
            "0,86460\n1,86400\n1,90000",
        ] {
            let trace = read(rows).unwrap();
            assert_eq!(trace.accounts, [vec![60_000], vec![0, 3_600_000]]);
            assert_eq!(trace.refused, 0);
        }
    }

    #[test]
    fn accounts_may_have_names_and_numbers_keep_their_order() {
        let trace = read("b,0\n10,1\na,2\n9,3\n").unwrap();
        assert_eq!(
            trace.accounts,
            [vec![3000], vec![1000], vec![2000], vec![0]]
        );
    }

    #[test]
    fn bad_rows_are_told_with_their_lines_and_the_rest_is_used() {
        let trace = read("account,unix_seconds\n0,5\n0,soon\n,7\n0\n1,6,more\n").unwrap();
        assert_eq!(trace.items(), 2);
        let told = [
            "line 3: \"soon\"",
            "line 4: it names no account",
            "line 5: \"\"",
        ];
        assert_eq!(trace.refused, 3);
        for (reason, told) in trace.reasons.iter().zip(told) {
            assert!(reason.starts_with(told), "{reason}");
        }
    }

    #[test]
    fn what_is_not_text_is_a_bad_row() {
        let trace = Trace::read(&b"0,1\n\xff\xfe,2\n0,3\n"[..], "test").unwrap();
        assert_eq!((trace.items(), trace.refused), (2, 1));
    }

    #[test]
    fn without_a_row_that_can_be_used_the_error_says_what_was_wrong() {
        assert!(read("").unwrap_err().to_string().contains("it is empty"));
        let error = read("account,when\nx,y\n").unwrap_err().to_string();
        assert!(error.contains("line 2: \"y\" is not a time"), "{error}");
    }

    #[test]
    fn milliseconds_are_taken_for_a_mistake() {
        let error = read("0,1700000000000\n0,1700864000000\n").unwrap_err();
        assert!(matches!(error, TraceError::TooLong { days: 10_000 }));
        assert!(read(&format!("0,{}\n0,{}\n", i64::MIN, i64::MAX)).is_err());
    }
}
