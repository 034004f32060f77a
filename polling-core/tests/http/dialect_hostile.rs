//! What a channel says when it refuses a call, and what it may say that makes no sense.

use polling_core::http::{
    caps,
    dialect::{Dialect, Reading, Window},
};

use crate::dialect::{NOW_MS, draft, read, told};

#[test]
fn retry_after_counts_seconds_or_names_a_date() {
    for text in ["90", "90.0", "1785592390", "Sat, 01 Aug 2026 13:53:10 GMT"] {
        let reading = read(&Dialect::default(), 503, [("retry-after", text)]);
        assert_eq!(reading.retry_after.unwrap().as_secs(), 90, "{text}");
        assert_eq!(reading.allowances, [], "a busy server is no limit");
    }
    let by_its_clock = read(
        &Dialect::default(),
        503,
        [
            ("date", "Sat, 01 Aug 2026 13:50:10 GMT"),
            ("retry-after", "Sat, 01 Aug 2026 13:53:10 GMT"),
        ],
    );
    assert_eq!(by_its_clock.retry_after.unwrap().as_secs(), 180);
    for (absurd, bound_ms) in [
        ("-3", 0),
        ("999999999999999999999", caps::MAX_RESET_AHEAD_MS),
    ] {
        let reading = read(&Dialect::default(), 429, [("retry-after", absurd)]);
        assert_eq!(
            reading.retry_after.unwrap().as_millis() as i64,
            bound_ms,
            "{absurd}"
        );
    }
}

#[test]
fn a_refused_call_says_that_nothing_remains() {
    let used_up = |reading: Reading| {
        let mut used_up = reading
            .allowances
            .into_iter()
            .filter(|a| a.remaining == Some(0));
        used_up.next().and_then(|allowance| allowance.reset_at_ms)
    };
    let github = Dialect::github();
    let secondary = [("x-ratelimit-remaining", "4990"), ("retry-after", "60")];
    assert_eq!(
        used_up(read(&github, 403, secondary)),
        Some(NOW_MS + 60_000)
    );
    for too_many in [429, 420] {
        let until = used_up(read(&github, too_many, secondary));
        assert_eq!(until, Some(NOW_MS + 60_000), "{too_many}");
    }
    assert_eq!(used_up(read(&github, 200, secondary)), None);
    let longer = [
        ("x-ratelimit-remaining", "0"),
        ("x-ratelimit-reset", "1785592360"),
        ("retry-after", "3600"),
    ];
    let resets = read(&github, 429, longer).allowances.into_iter();
    let last = resets.filter_map(|allowance| allowance.reset_at_ms).max();
    assert_eq!(last, Some(NOW_MS + 3_600_000), "the longer wait counts");
    let one_of_two = [
        ("x-ratelimit-remaining", "0"),
        ("x-rate-limit-remaining", "0"),
        ("x-rate-limit-reset", "1785592360"),
        ("retry-after", "3600"),
    ];
    let allowances = read(&Dialect::common(), 429, one_of_two).allowances;
    assert_eq!(allowances.len(), 2, "the first lasts as long as the wait");
    let no_count = [("x-ratelimit-limit", "60"), ("retry-after", "60")];
    assert_eq!(used_up(read(&github, 429, no_count)), Some(NOW_MS + 60_000));
    assert_eq!(
        used_up(read(&github, 403, [("x-ratelimit-remaining", "1")])),
        None
    );
}

#[test]
fn an_absurd_reset_gives_way_to_a_sane_retry_after() {
    let reset_of = |reset: &str, wait: &str| {
        let reading = read(
            &Dialect::common(),
            429,
            [
                ("x-ratelimit-remaining", "0"),
                ("x-ratelimit-reset", reset),
                ("retry-after", wait),
            ],
        );
        reading.allowances[0].reset_at_ms.unwrap() - NOW_MS
    };
    for absurd in ["99999999999", "999999999", "9e300", "-5", "0", "1500000000"] {
        assert_eq!(reset_of(absurd, "60"), 60_000, "{absurd}");
    }
    assert_eq!(reset_of("600", "60"), 600_000, "sane ones both count");
    for absurd_too in ["99999999999", "-1"] {
        let clamped = reset_of("999999999", absurd_too);
        assert_eq!(clamped, caps::MAX_RESET_AHEAD_MS, "{absurd_too}");
    }
    let counted = told(
        &Dialect::common(),
        [
            ("date", "Sat, 01 Aug 2026 13:50:10 GMT"),
            ("x-ratelimit-remaining", "7"),
            ("x-ratelimit-reset", "99999999999"),
            ("retry-after", "60"),
        ],
    );
    assert_eq!(counted.windows[0].reset, None, "it does not end then");
}

#[test]
fn the_strictest_windows_are_kept_where_there_are_too_many() {
    let mut cases: Vec<_> = (0..40)
        .map(|n| format!(r#""{n:02}":[{{"call_count":{n}}}]"#))
        .collect();
    cases.push(r#""99":[{"call_count":100}]"#.to_owned());
    let usage = format!("{{{}}}", cases.join(","));
    let told = told(&Dialect::graph(), [("x-business-use-case-usage", &usage)]);
    let left: Vec<_> = told.windows.iter().map(|w| w.remaining.unwrap()).collect();
    assert_eq!(left.len(), caps::MAX_WINDOWS);
    assert!(
        left.contains(&0) && left.iter().all(|left| *left <= 75),
        "{left:?}"
    );
}

#[test]
fn what_cannot_be_is_told_and_counts_for_nothing() {
    let negative = told(
        &Dialect::common(),
        [
            ("x-ratelimit-limit", "-1"),
            ("x-ratelimit-remaining", "5"),
            ("x-rate-limit-remaining", "10"),
            ("x-rate-limit-used", "-3"),
        ],
    );
    assert_eq!(
        (negative.windows[0].limit, negative.windows[1].limit),
        (None, Some(10))
    );
    assert_eq!(
        negative.unread[0].to_string(),
        "x-ratelimit-limit \"-1\" is negative, which no limit can be"
    );
    let below_none = told(
        &Dialect::graph(),
        [("x-app-usage", r#"{"call_count":-50}"#)],
    );
    assert_eq!(below_none.windows[0].remaining, Some(100));
    let misnamed = told(&Dialect::graph(), [("x-app-usage", r#"{"calls":50}"#)]);
    assert_eq!(
        misnamed.unread[0].to_string(),
        "x-app-usage \"{\\\"calls\\\":50}\" has none of the percentages declared"
    );
    let giant = "1".repeat(caps::MAX_HEADER_SIZE_BYTES + 1);
    let too_large = told(
        &draft(),
        [("ratelimit", &giant), ("ratelimit-policy", &giant)],
    );
    assert_eq!(too_large.unread.len(), 2);
    let empty = told(&draft(), [("ratelimit", "remaining;r=7")]);
    assert_eq!(
        empty.windows,
        [Window {
            remaining: Some(7),
            ..Window::default()
        }]
    );
}

#[test]
fn absurd_values_are_clamped_and_nonsense_is_told() {
    let reading = read(
        &Dialect::common(),
        200,
        [
            ("x-ratelimit-limit", "300"),
            ("x-ratelimit-remaining", "-4"),
            ("x-ratelimit-reset", "99999999999999999999999999"),
        ],
    );
    assert_eq!(reading.allowances[0].remaining, Some(0));
    assert_eq!(
        reading.allowances[0].reset_at_ms,
        Some(NOW_MS + caps::MAX_RESET_AHEAD_MS)
    );

    let more = read(
        &Dialect::common(),
        200,
        [("x-ratelimit-limit", "3"), ("x-ratelimit-remaining", "9")],
    );
    assert_eq!(more.allowances[0].remaining, Some(3));

    let nonsense = read(
        &Dialect::common(),
        200,
        [
            ("x-ratelimit-limit", "many"),
            ("x-ratelimit-remaining", "7"),
            ("x-ratelimit-reset", "soon"),
            ("ratelimit", "{"),
            ("retry-after", "later"),
        ],
    );
    let told: Vec<_> = nonsense.unread.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "x-ratelimit-limit \"many\" is no number",
            "x-ratelimit-reset \"soon\" is neither a number nor an instant nor a duration",
            "ratelimit \"{\" is no structured field",
            "retry-after \"later\" is neither a number nor an instant nor a duration",
        ]
    );
    assert_eq!(nonsense.allowances.len(), 1);
    assert_eq!(
        nonsense.allowances[0].remaining,
        Some(7),
        "what can be read counts"
    );
}

#[test]
fn the_number_of_windows_is_bounded() {
    let many = vec!["7"; 1_000].join(",");
    let told = told(
        &Dialect::common(),
        [
            ("x-ratelimit-remaining", &many),
            ("x-rate-limit-remaining", &many),
        ],
    );
    assert_eq!(told.windows.len(), caps::MAX_WINDOWS);
}
