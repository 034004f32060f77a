//! Each dialect: what is formatted is read back, and what is hostile stays in its bounds.

use http::{HeaderMap, HeaderValue, StatusCode};
use polling_core::{
    ScopeKey,
    http::{
        caps,
        dialect::{Dialect, Told},
    },
};
use proptest::prelude::*;

use crate::dialect::{NOW_MS, draft, headers, window};

fn told_of(dialect: &Dialect, pairs: &[(&str, String)]) -> Told {
    let pairs = pairs.iter().map(|(name, value)| (*name, value.as_str()));
    dialect.told(StatusCode::OK, &headers(pairs))
}

proptest! {
    #[test]
    fn headers_of_a_window_are_read_back(
        limit in 0..caps::MAX_CALLS, share in 0..=100u64, left_s in 1..caps::MAX_RESET_AHEAD_MS / 1000,
    ) {
        let remaining = limit / 100 * share;
        let expected = window(limit, remaining, left_s, None);
        for prefix in ["x-ratelimit", "x-rate-limit", "ratelimit"] {
            let [l, r, t] = ["limit", "remaining", "reset"].map(|name| format!("{prefix}-{name}"));
            let pairs = [
                (l.as_str(), limit.to_string()), (r.as_str(), format!("{remaining}.0")), (t.as_str(), left_s.to_string()),
            ];
            let told = told_of(&Dialect::common(), &pairs);
            prop_assert_eq!((told.windows, told.unread), (vec![expected], vec![]));
        }
    }

    #[test]
    fn the_drafts_new_syntax_is_read_back(
        name in "[a-z]{1,9}", limit in 0..1_000_000u64, remaining in 0..1_000_000u64,
        left_s in 1..9_999i64, window_s in 1..99_999i64, token: bool,
    ) {
        let quoted = if token { name } else { format!("\"{name}\"") };
        let pairs = [
            ("ratelimit", format!("{quoted};r={remaining};t={left_s}")),
            ("ratelimit-policy", format!("{quoted};q={limit};w={window_s}")),
        ];
        let told = told_of(&draft(), &pairs);
        prop_assert_eq!(told.windows, [window(limit, remaining, left_s, Some(window_s))]);
    }

    #[test]
    fn the_drafts_older_syntaxes_are_read_back(
        limit in 0..1_000_000u64, remaining in 0..1_000_000u64, left_s in 1..9_999i64, window_s in 1..99_999i64,
    ) {
        let policy = format!("{limit};w={window_s}");
        let dictionary = told_of(&draft(), &[
            ("ratelimit", format!("limit={limit}, remaining={remaining}, reset={left_s}")),
            ("ratelimit-policy", policy.clone()),
        ]);
        let apart = told_of(&draft(), &[
            ("ratelimit-limit", format!("{limit}, {policy}")),
            ("ratelimit-remaining", remaining.to_string()),
            ("ratelimit-reset", left_s.to_string()),
        ]);
        let expected = window(limit, remaining, left_s, Some(window_s));
        prop_assert_eq!((dictionary.windows, apart.windows), (vec![expected], vec![expected]));
    }

    #[test]
    fn percentages_are_read_back(percent in 0..100u64, other in 0..100u64, minutes in 1..9_999i64) {
        let usage = format!(
            r#"{{"1":[{{"call_count":{percent},"total_time":{other},"estimated_time_to_regain_access":{minutes}}}]}}"#
        );
        let told = told_of(&Dialect::graph(), &[("x-business-use-case-usage", usage)]);
        let left = 100 - percent.max(other);
        prop_assert_eq!(told.windows, [window(100, left, minutes * 60, Some(3_600))]);
    }

    #[test]
    fn arbitrary_bytes_never_panic_and_stay_in_their_bounds(
        status in 100..600u16, values in prop::collection::vec(hostile(), NAMES.len()),
    ) {
        let mut headers = HeaderMap::new();
        for (name, value) in NAMES.iter().zip(values) {
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                headers.insert(*name, value);
            }
        }
        let status = StatusCode::from_u16(status).unwrap();
        let scope = ScopeKey::new("app").unwrap();
        let mut all = Dialect::common();
        all.usage = Dialect::graph().usage;
        for dialect in [all, Dialect::mastodon(), Dialect::x(), Dialect::reddit()] {
            let reading = dialect.read(status, &headers, &scope, NOW_MS);
            let in_bounds = |at: i64| (NOW_MS..=NOW_MS + caps::MAX_RESET_AHEAD_MS).contains(&at);
            for allowance in reading.allowances {
                prop_assert!(allowance.reset_at_ms.is_none_or(in_bounds));
                prop_assert!(allowance.limit.is_none_or(|limit| limit <= caps::MAX_CALLS));
            }
            let wait = reading.retry_after.unwrap_or_default().as_millis();
            prop_assert!(wait <= caps::MAX_RESET_AHEAD_MS as u128);
        }
    }
}

const NAMES: [&str; 14] = [
    "date",
    "age",
    "retry-after",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-used",
    "x-ratelimit-reset",
    "x-rate-limit-remaining",
    "x-rate-limit-reset",
    "ratelimit",
    "ratelimit-policy",
    "ratelimit-limit",
    "x-app-usage",
    "x-business-use-case-usage",
];

/// Bytes of any kind, and bytes that nearly make sense.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40),
        "-?[0-9]{1,40}(\\.[0-9]{1,9})?".prop_map(String::into_bytes),
        "[-0-9TZ:. +]{1,30}".prop_map(String::into_bytes),
        "[a-z\"=;, 0-9:]{1,60}".prop_map(String::into_bytes),
        r#"\{"call_count":-?[0-9]{1,30}(e[0-9]{1,3})?\}"#.prop_map(String::into_bytes),
    ]
}
