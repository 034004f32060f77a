//! What a channel says in its headers, fuzzed: nothing of it panics or leaves its bounds.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use polling_fuzz::{Taken, allocating_at_most};
use reqwest::Url;

use super::{
    caps,
    dialect::{Dialect, Reading, UsageHeader, instant_ms},
    link, redirect,
};
use crate::ScopeKey;

polling_fuzz::fuzz! {
    fuzz_rate_limit_headers in "tests/corpus/rate_limit_headers" => |bytes| rate_limits(bytes)
    fuzz_retry_after in "tests/corpus/retry_after" => |bytes| retry_after(bytes)
    fuzz_instant in "tests/corpus/instant" => |bytes| instant(bytes)
    fuzz_link in "tests/corpus/link" => |bytes| next_page(bytes)
    fuzz_location in "tests/corpus/location" => |bytes| location(bytes)
}

/// What a byte of a header costs at most: an object of JSON, an item of a structured field.
const COST_PER_BYTE: usize = 300;

const ANSWER_SIZE_BYTES: usize = 16 * 1024;

const NOW_MS: i64 = 1_785_592_300_000;

/// Every form of header at once.
fn all() -> Dialect {
    let mut all = Dialect::common();
    all.windows.extend(Dialect::x().windows);
    all.usage = Dialect::graph().usage;
    all.usage.push(UsageHeader::graph("x-usage", u32::MAX));
    all
}

/// A status, then lines of headers as HTTP has them.
fn rate_limits(bytes: &[u8]) -> Taken {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let status = StatusCode::from_bytes(lines.next().unwrap_or_default());
    let mut headers = HeaderMap::new();
    for line in lines.take(100) {
        let colon = line.iter().position(|byte| *byte == b':');
        let (name, value) = line.split_at(colon.unwrap_or(0));
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.append(name, value);
        }
    }
    let reading = read(
        &all(),
        status.unwrap_or(StatusCode::OK),
        &headers,
        bytes.len(),
    );
    Taken::if_some(&reading.allowances.first())
}

fn retry_after(bytes: &[u8]) -> Taken {
    let Ok(value) = HeaderValue::from_bytes(bytes) else {
        return Taken::No;
    };
    let headers = HeaderMap::from_iter([(header::RETRY_AFTER, value)]);
    let status = StatusCode::TOO_MANY_REQUESTS;
    let reading = read(&Dialect::default(), status, &headers, bytes.len());
    let used_up = reading.allowances.first();
    let until_ms = used_up.map(|allowance| allowance.reset_at_ms.unwrap_or(0));
    let wait_ms = reading.retry_after.map(|wait| wait.as_millis() as i64);
    assert_eq!(until_ms, wait_ms.map(|wait_ms| NOW_MS + wait_ms));
    Taken::if_some(&reading.retry_after)
}

fn read(dialect: &Dialect, status: StatusCode, headers: &HeaderMap, len: usize) -> Reading {
    let scope = ScopeKey::new("app").expect("a scope");
    let cost = COST_PER_BYTE * len + ANSWER_SIZE_BYTES;
    let reading = allocating_at_most(cost, || dialect.read(status, headers, &scope, NOW_MS));
    assert!(reading.allowances.len() <= caps::MAX_WINDOWS);
    let ahead = 0..=caps::MAX_RESET_AHEAD_MS;
    for allowance in &reading.allowances {
        let most = allowance.limit.unwrap_or(caps::MAX_CALLS);
        assert!(most <= caps::MAX_CALLS && allowance.remaining.is_none_or(|left| left <= most));
        let reset_at_ms = allowance.reset_at_ms;
        assert!(reset_at_ms.is_none_or(|at_ms| ahead.contains(&(at_ms - NOW_MS))));
    }
    let wait_ms = reading
        .retry_after
        .map_or(0, |wait| wait.as_millis() as i64);
    assert!(ahead.contains(&wait_ms));
    reading
}

/// An instant that is read can be written and read again, to the second.
fn instant(bytes: &[u8]) -> Taken {
    let Ok(text) = str::from_utf8(bytes) else {
        return Taken::No;
    };
    let cost = 10 * text.len() + ANSWER_SIZE_BYTES;
    let found = allocating_at_most(cost, || instant_ms(text));
    if let Some(at_s @ 0..253_402_300_800) = found.map(|at_ms| at_ms.div_euclid(1000)) {
        let at = std::time::UNIX_EPOCH + std::time::Duration::from_secs(at_s.unsigned_abs());
        assert_eq!(instant_ms(&httpdate::fmt_http_date(at)), Some(at_s * 1000));
    }
    Taken::if_some(&found)
}

/// What is found stands between the brackets of a link, and costs nothing.
fn next_page(bytes: &[u8]) -> Taken {
    let values = bytes.split(|byte| *byte == b'\n').take(100);
    let values = values.filter_map(|value| HeaderValue::from_bytes(value).ok());
    let headers: HeaderMap = values.map(|value| (header::LINK, value)).collect();
    let found = allocating_at_most(0, || link::target(&headers, "next"));
    if let Ok(Some(target)) = found {
        let bracketed = format!("<{target}>");
        let mut values = headers.values().map(HeaderValue::as_bytes);
        let within = |value: &[u8]| String::from_utf8_lossy(value).contains(&bracketed);
        assert!(values.any(within) && !target.contains('>'), "{target}");
    }
    Taken::if_some(&found.ok().flatten())
}

/// A redirect leads to where HTTPS is spoken, and takes no credentials from the channel.
fn location(bytes: &[u8]) -> Taken {
    let Ok(value) = HeaderValue::from_bytes(bytes) else {
        return Taken::No;
    };
    let from = Url::parse("https://a.example/x?token=1").expect("a URL");
    let headers = HeaderMap::from_iter([(header::LOCATION, value)]);
    let target = redirect::target(&from, &headers);
    if let Ok(target) = &target {
        assert_eq!(
            (target.scheme(), target.username(), target.password()),
            ("https", "", None)
        );
        let kept = redirect::same_server(&from, target);
        assert_eq!(
            kept,
            target.host_str() == Some("a.example") && target.port().is_none()
        );
    }
    Taken::if_ok(&target)
}
