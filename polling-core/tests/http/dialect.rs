//! Each dialect, and what a channel may do to it.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use polling_core::{
    ScopeKey,
    http::{
        caps,
        dialect::{Dialect, Reading, Reset, ResetForm, Told, UsageHeader, Window, WindowHeaders},
    },
};

pub(crate) const NOW_MS: i64 = 1_785_592_300_000;

pub(crate) fn headers<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> HeaderMap {
    let header = |(name, value): (&str, &str)| {
        let name = HeaderName::try_from(name).unwrap();
        (name, HeaderValue::from_str(value).unwrap())
    };
    pairs.into_iter().map(header).collect()
}

fn told<const N: usize>(dialect: &Dialect, pairs: [(&str, &str); N]) -> Told {
    dialect.told(StatusCode::OK, &headers(pairs))
}

fn read<const N: usize>(dialect: &Dialect, status: u16, pairs: [(&str, &str); N]) -> Reading {
    let status = StatusCode::from_u16(status).unwrap();
    let scope = ScopeKey::new("app").unwrap();
    dialect.read(status, &headers(pairs), &scope, NOW_MS)
}

pub(crate) fn draft() -> Dialect {
    Dialect {
        draft: true,
        ..Dialect::default()
    }
}

pub(crate) fn window(limit: u64, remaining: u64, reset_s: i64, window_s: Option<i64>) -> Window {
    Window {
        limit: Some(limit),
        remaining: Some(remaining),
        reset: Some(Reset::After(reset_s * 1000)),
        window_ms: window_s.map(|s| s * 1000),
    }
}

#[test]
fn the_draft_is_read_in_each_of_its_syntaxes() {
    let one = [window(100, 7, 30, Some(60))];
    let old = told(
        &draft(),
        [
            ("ratelimit-limit", "100, 100;w=60, 1000;w=3600"),
            ("ratelimit-remaining", "7"),
            ("ratelimit-reset", "30"),
        ],
    );
    assert_eq!(old.windows, one);
    let seventh = told(
        &draft(),
        [
            ("ratelimit", "limit=100, remaining=7, reset=30"),
            ("ratelimit-policy", "100;w=60;comment=\"a, b\", 1000;w=3600"),
        ],
    );
    assert_eq!(seventh.windows, one);
    let new = told(
        &draft(),
        [
            ("ratelimit", "\"burst\";r=7;t=30"),
            (
                "ratelimit-policy",
                "\"burst\";q=100;w=60;pk=:cHsdsRa894==:, \"day\";q=1000;w=86400",
            ),
        ],
    );
    assert_eq!(new.windows, one);
    for told in [old, seventh, new] {
        assert_eq!(told.unread, []);
    }
}

#[test]
fn several_windows_come_from_one_response() {
    let draft = told(
        &draft(),
        [
            (
                "ratelimit",
                "\"burst\";r=7;t=30, day;r=900;t=4000, \"bytes\";r=1;t=1",
            ),
            (
                "ratelimit-policy",
                "\"burst\";q=100;w=60, day;q=1000;w=86400, \"bytes\";q=9;qu=\"content-bytes\"",
            ),
        ],
    );
    let two = [
        window(100, 7, 30, Some(60)),
        window(1000, 900, 4000, Some(86_400)),
    ];
    assert_eq!(draft.windows, two, "bytes are no calls");

    let mut lists = Dialect::of_headers("x-ratelimit", ResetForm::SecondsLeft);
    lists.windows[0] = lists.windows[0].clone().with_windows([60, 86_400]);
    let listed = told(
        &lists,
        [
            ("x-ratelimit-limit", "100, 1000"),
            ("x-ratelimit-remaining", "7,900"),
            ("x-ratelimit-reset", "30, 4000"),
        ],
    );
    assert_eq!(listed.windows, two);

    let mut apart = Dialect::of_headers("x-ratelimit-minute", ResetForm::Auto);
    apart
        .windows
        .push(WindowHeaders::prefixed("x-ratelimit-day"));
    let apart = told(
        &apart,
        [
            ("x-ratelimit-minute-limit", "100"),
            ("x-ratelimit-minute-remaining", "7"),
            ("x-ratelimit-minute-reset", "30s"),
            ("x-ratelimit-day-limit", "1000"),
            ("x-ratelimit-day-remaining", "900"),
            ("x-ratelimit-day-reset", "1h6m40s"),
        ],
    );
    assert_eq!(
        apart.windows,
        [window(100, 7, 30, None), window(1000, 900, 4000, None)]
    );
}

#[test]
fn the_windows_of_x_are_a_quarter_of_an_hour_and_a_day() {
    let told = told(
        &Dialect::x(),
        [
            ("x-rate-limit-limit", "1080000"),
            ("x-rate-limit-remaining", "1079999"),
            ("x-rate-limit-reset", "1613174304"),
            ("x-user-limit-24hour-limit", "25"),
            ("x-user-limit-24hour-remaining", "0"),
            ("x-user-limit-24hour-reset", "1613250000"),
        ],
    );
    let seen: Vec<_> = told
        .windows
        .iter()
        .map(|w| (w.remaining, w.reset))
        .collect();
    let expected = [
        (Some(1_079_999), Some(Reset::At(1_613_174_304_000))),
        (Some(0), Some(Reset::At(1_613_250_000_000))),
    ];
    assert_eq!(seen, expected);
}

#[test]
fn what_a_channel_does_not_send_is_worked_out() {
    let common = Dialect::common();
    let of_use = told(
        &common,
        [("x-ratelimit-limit", "200"), ("x-ratelimit-used", "10.5")],
    );
    assert_eq!(
        (of_use.windows[0].limit, of_use.windows[0].remaining),
        (Some(200), Some(189))
    );
    let of_rest = told(
        &common,
        [
            ("x-ratelimit-remaining", "598.0"),
            ("x-ratelimit-used", "2"),
        ],
    );
    assert_eq!(of_rest.windows[0].limit, Some(600));
    let over = told(
        &common,
        [("x-ratelimit-limit", "5"), ("x-ratelimit-used", "9")],
    );
    assert_eq!(over.windows[0].remaining, Some(0));
    assert_eq!(told(&common, [("x-ratelimit-used", "9")]).windows, []);
}

#[test]
fn percentages_of_use_are_the_highest_of_each_window() {
    let graph = Dialect::graph();
    let app = told(
        &graph,
        [(
            "x-app-usage",
            r#"{"call_count":28,"total_time":25.5,"total_cputime":71.2}"#,
        )],
    );
    assert_eq!(
        (app.windows[0].limit, app.windows[0].remaining),
        (Some(100), Some(28))
    );
    assert_eq!(
        (app.windows[0].reset, app.windows[0].window_ms),
        (None, Some(3_600_000))
    );

    let business = told(&graph, [(
        "x-business-use-case-usage",
        r#"{"66782684":[{"type":"ads_management","call_count":95,"total_cputime":20,"total_time":20,
            "estimated_time_to_regain_access":0},{"type":"pages","call_count":103,"total_cputime":0,
            "total_time":9,"estimated_time_to_regain_access":19}],"10152848":[{"call_count":1}]}"#.trim(),
    ).map_lines()]);
    let seen: Vec<_> = business
        .windows
        .iter()
        .map(|w| (w.remaining, w.reset))
        .collect();
    assert_eq!(
        seen,
        [
            (Some(99), None),
            (Some(5), None),
            (Some(0), Some(Reset::After(19 * 60_000))),
        ]
    );

    let account = told(
        &graph,
        [(
            "x-ad-account-usage",
            r#"{"acc_id_util_pct":9.67,"reset_time_duration":100}"#,
        )],
    );
    assert_eq!(account.windows, [window(100, 90, 100, Some(3_600))]);
}

#[test]
fn a_percentage_of_a_known_limit_counts_calls() {
    let mut usage = UsageHeader::graph("x-app-usage", 3600);
    usage.limit = 4_800;
    let dialect = Dialect {
        usage: vec![usage],
        ..Dialect::default()
    };
    let told = told(&dialect, [("x-app-usage", r#"{"call_count":25}"#)]);
    assert_eq!(
        (told.windows[0].limit, told.windows[0].remaining),
        (Some(4_800), Some(3_600))
    );
}

#[test]
fn what_is_used_up_without_a_word_on_its_end_ends_after_a_window() {
    let reading = read(
        &Dialect::graph(),
        403,
        [("x-app-usage", r#"{"call_count":100}"#)],
    );
    assert_eq!(reading.allowances[0].reset_at_ms, Some(NOW_MS + 3_600_000));
}

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
fn a_header_that_comes_twice_is_a_list() {
    let twice = [
        ("x-ratelimit-limit", "100"),
        ("x-ratelimit-limit", "1000"),
        ("x-ratelimit-remaining", "7"),
        ("x-ratelimit-remaining", "900"),
        ("x-ratelimit-reset", "30"),
        ("x-ratelimit-reset", "4000"),
    ];
    let two = [window(100, 7, 30, None), window(1000, 900, 4000, None)];
    assert_eq!(told(&Dialect::common(), twice).windows, two);
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

#[test]
fn a_dialect_comes_from_configuration() {
    let text = r#"{
        "windows": [{
            "limit": "X-RateLimit-Limit", "remaining": "X-RateLimit-Remaining", "used": "X-RateLimit-Used",
            "reset": "X-RateLimit-Reset", "reset_form": "instant"
        }]
    }"#;
    let declared: Dialect = serde_json::from_str(text).unwrap();
    assert_eq!(declared, Dialect::mastodon());
    for dialect in [Dialect::common(), Dialect::github(), Dialect::graph()] {
        let text = serde_json::to_string(&dialect).unwrap();
        assert_eq!(serde_json::from_str::<Dialect>(&text).unwrap(), dialect);
    }
    for (wrong, why) in [
        (
            r#"{"windows":[{"limit":"X RateLimit"}]}"#,
            "\"X RateLimit\" is no name of a header",
        ),
        (
            r#"{"windows":[{"limits":"X-RateLimit"}]}"#,
            "unknown field `limits`",
        ),
        (
            r#"{"windows":[{"reset_form":"unix"}]}"#,
            "unknown variant `unix`",
        ),
    ] {
        let error = serde_json::from_str::<Dialect>(wrong)
            .unwrap_err()
            .to_string();
        assert!(error.contains(why), "{error}");
    }
}

/// A header has no line breaks.
trait MapLines {
    fn map_lines(self) -> Self;
}

impl MapLines for (&'static str, &'static str) {
    fn map_lines(self) -> Self {
        let line: String = self.1.lines().map(str::trim).collect();
        (self.0, line.leak())
    }
}
