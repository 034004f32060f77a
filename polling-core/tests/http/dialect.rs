//! Each dialect, and what a channel may do to it.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use polling_core::{
    ScopeKey,
    http::dialect::{Dialect, Reading, Reset, ResetForm, Told, UsageHeader, Window, WindowHeaders},
};

pub(crate) const NOW_MS: i64 = 1_785_592_300_000;

pub(crate) fn headers<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> HeaderMap {
    let header = |(name, value): (&str, &str)| {
        let name = HeaderName::try_from(name).unwrap();
        (name, HeaderValue::from_str(value).unwrap())
    };
    pairs.into_iter().map(header).collect()
}

pub(crate) fn told<const N: usize>(dialect: &Dialect, pairs: [(&str, &str); N]) -> Told {
    dialect.told(StatusCode::OK, &headers(pairs))
}

pub(crate) fn read<const N: usize>(
    dialect: &Dialect,
    status: u16,
    pairs: [(&str, &str); N],
) -> Reading {
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
    let overdrawn = [("x-ratelimit-remaining", "-4"), ("x-ratelimit-used", "9")];
    assert_eq!(told(&common, overdrawn).windows[0].limit, Some(9));
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
