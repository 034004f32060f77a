//! Real responses of three channels: each tells the allowance that it should.

// The table is for people.
#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use polling_core::{
    ScopeKey,
    http::dialect::{Dialect, date_ms},
};

type Row = BTreeMap<String, String>;

fn rows(text: &str) -> Vec<Row> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().map(Result::unwrap).collect()
}

/// The dialect of a channel, and how its headers begin.
fn dialect(channel: &str) -> (Dialect, &'static str) {
    match channel {
        "mastodon" => (Dialect::mastodon(), "x-ratelimit"),
        "x" => (Dialect::x(), "x-rate-limit"),
        "reddit" => (Dialect::reddit(), "x-ratelimit"),
        other => panic!("no dialect for {other}"),
    }
}

fn headers(row: &Row, prefix: &str) -> HeaderMap {
    let names =
        ["limit", "remaining", "reset", "used"].map(|name| (name, format!("{prefix}-{name}")));
    let plain = [
        ("date", "date".into()),
        ("retry_after", "retry-after".into()),
    ];
    let named = names
        .into_iter()
        .chain(plain)
        .filter(|(column, _)| !row[*column].is_empty());
    let header = |(column, name): (&str, String)| {
        let value = HeaderValue::from_str(&row[column]).unwrap();
        (HeaderName::try_from(name).unwrap(), value)
    };
    named.map(header).collect()
}

/// What the worker knows of a row that it received `late_ms` after the row's date, by a clock that
/// differs by that much: limit, remaining and the reset as in the table of expectations.
fn read(row: &Row, dialect: &Dialect, prefix: &str, late_ms: i64) -> [String; 4] {
    let headers = headers(row, prefix);
    let status: StatusCode = row["status"].parse().unwrap();
    let told = dialect.told(status, &headers);
    assert_eq!(told.unread, []);
    let date_ms = date_ms(&headers);
    assert_eq!(date_ms.is_some(), !row["date"].is_empty(), "{row:?}");
    // Without a date some time before the recording stands in, which only the clamp sees.
    let received_ms = date_ms.unwrap_or(1_785_500_000_000) + late_ms;
    let scope = ScopeKey::new("app").unwrap();
    let reading = dialect.read(status, &headers, &scope, received_ms);
    let [allowance] = reading.allowances.as_slice() else {
        panic!("{row:?} has not one allowance: {reading:?}");
    };
    let reset_ms = allowance.reset_at_ms.unwrap();
    let ahead_s = date_ms.map(|_| (reset_ms - received_ms).div_euclid(1000));
    // By the channel's clock again.
    let reset_s = (reset_ms - date_ms.map_or(0, |_| late_ms)).div_euclid(1000);
    [
        allowance.limit.unwrap().to_string(),
        allowance.remaining.unwrap().to_string(),
        reset_s.to_string(),
        ahead_s.map(|s| s.to_string()).unwrap_or_default(),
    ]
}

fn check(late_ms: i64, dialect_of: impl Fn(&str) -> Dialect) {
    let recorded = rows(include_str!("../fixtures/rate-limit-headers.csv"));
    let expected = rows(include_str!("../fixtures/rate-limit-allowances.csv"));
    assert_eq!((recorded.len(), expected.len()), (120, 120));
    println!("row channel   limit remaining   reset_at reset_after_s");
    for (row, expected) in recorded.iter().zip(&expected) {
        let (_, prefix) = dialect(&row["channel"]);
        let got = read(row, &dialect_of(&row["channel"]), prefix, late_ms);
        let [limit, remaining, at, after] = &got;
        println!(
            "{:>3} {:8} {limit:>6} {remaining:>9} {at:>10} {after:>13}",
            expected["row"], row["channel"]
        );
        let columns = ["limit", "remaining", "reset_at", "reset_after_s"];
        let expected: Vec<_> = columns
            .iter()
            .map(|column| expected[*column].as_str())
            .collect();
        assert_eq!(got.each_ref().map(String::as_str), expected[..], "{row:?}");
    }
}

#[test]
fn every_recorded_response_is_read_by_its_channels_dialect() {
    check(0, |channel| dialect(channel).0);
}

#[test]
fn every_recorded_response_is_read_without_knowing_its_channel() {
    check(0, |_| Dialect::common());
}

#[test]
fn a_worker_whose_clock_is_minutes_off_waits_as_long() {
    for late_ms in [-420_000, 420_000] {
        check(late_ms, |channel| dialect(channel).0);
    }
}
