//! What is observed is what is told; bounds hold; the handbook's table is true.
#![allow(clippy::unwrap_used)]

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode, header},
};
use polling_model::{
    ChannelId, ErrorClass, JobType, ManualClock, Observation, Observer as _, SharedClock,
};
use polling_ops::{
    config::{
        SETTINGS_IN_FORCE, SETTINGS_RECALLED, SETTINGS_REFUSED, SETTINGS_SOURCE_FAILING,
        SETTINGS_UNKEPT,
    },
    graphite,
    metrics::{
        ASK_DEADLINE, Gauge, Metrics, OBJECTIVE_BOUND, OBJECTIVE_SHARE, QUEUE_AGE, QUEUE_DEPTH,
        Sample, prometheus_client::metrics::counter::Counter, samples,
    },
    otlp, prometheus,
};
use polling_transport::{Queue as _, SharedQueue, memory::MemoryQueue};
use tower::ServiceExt as _;

static LEVEL: Gauge = Gauge {
    name: "tank_level_meters",
    help: "How full the tank is",
    labels: &["tank"],
};

fn job_type(name: &str) -> JobType {
    name.parse().unwrap()
}

/// The value of a series, written as in a query.
async fn value(metrics: &Metrics, series: &str) -> Option<f64> {
    let text = metrics.scrape().await.unwrap();
    let told = samples(&text).find(|sample| written(sample) == series);
    told.map(|sample| sample.value)
}

fn written(sample: &Sample<'_>) -> String {
    let labels = sample.labels.iter();
    let labels: Vec<_> = labels
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    format!("{}{{{}}}", sample.name, labels.join(","))
}

#[tokio::test]
async fn a_poll_is_counted_by_job_type_and_outcome() {
    let metrics = Metrics::new();
    for (error, events) in [(None, 3), (None, 0), (Some(ErrorClass::RateLimited), 2)] {
        metrics.observe(Observation::Polled {
            job_type: &job_type("posts"),
            error,
            events,
            elapsed: Duration::from_millis(500),
        });
    }
    for (series, expected) in [
        ("polling_polls_total{job_type=posts,outcome=ok}", 2.0),
        (
            "polling_polls_total{job_type=posts,outcome=rate_limited}",
            1.0,
        ),
        ("polling_poll_events_total{job_type=posts}", 5.0),
        ("polling_poll_duration_seconds_sum{job_type=posts}", 1.5),
        (
            "polling_poll_duration_seconds_bucket{le=0.25,job_type=posts}",
            0.0,
        ),
        (
            "polling_poll_duration_seconds_bucket{le=0.5,job_type=posts}",
            3.0,
        ),
    ] {
        assert_eq!(value(&metrics, series).await, Some(expected), "{series}");
    }
}

#[tokio::test]
async fn requests_and_messages_give_requests_per_job() {
    let metrics = Metrics::new();
    for messages in [10, 2] {
        metrics.observe(Observation::Requested {
            queue: "work",
            call: "send",
            messages,
        });
    }
    let of = |name: &str| format!("polling_queue_{name}_total{{queue=work,call=send}}");
    assert_eq!(value(&metrics, &of("requests")).await, Some(2.0));
    assert_eq!(value(&metrics, &of("request_messages")).await, Some(12.0));
}

#[tokio::test]
async fn names_beyond_the_bound_are_counted_under_other() {
    let metrics = Metrics::with_max_series(3);
    let channels: Vec<ChannelId> = (0..1_000)
        .map(|n| format!("c{n}").parse().unwrap())
        .collect();
    for channel in channels.iter().chain(&channels) {
        metrics.observe(Observation::Reaped { channel, jobs: 2 });
    }
    let text = metrics.scrape().await.unwrap();
    let told: Vec<_> = samples(&text)
        .filter(|sample| sample.name == "polling_reaped_jobs_total")
        .map(|sample| (sample.labels[0].1.clone(), sample.value))
        .collect();
    let expected = [
        ("c0", 4.0),
        ("c1", 4.0),
        ("c2", 4.0),
        ("other", 997.0 * 4.0),
    ];
    assert_eq!(
        told,
        expected.map(|(channel, jobs)| (channel.to_owned(), jobs))
    );
}

#[tokio::test]
async fn a_gauge_has_a_bound_too_and_adds_up_what_is_beyond() {
    let metrics = Metrics::with_max_series(2);
    metrics.ask("tanks", || async {
        let tank = |n: u32| LEVEL.reading(&[&n.to_string()], f64::from(n));
        Some((1..=5).map(tank).collect())
    });
    let text = metrics.scrape().await.unwrap();
    let of_gauge = samples(&text).filter(|sample| sample.name == LEVEL.name);
    let told: Vec<_> = of_gauge.map(|sample| sample.value).collect();
    assert_eq!(told, [1.0, 2.0, 3.0 + 4.0 + 5.0]);
}

#[tokio::test]
async fn a_name_with_quotes_breaks_no_line() {
    let metrics = Metrics::new();
    let queue = "a \"queue\"\\of\nmine";
    metrics.observe(Observation::Requested {
        queue,
        call: "send",
        messages: 1,
    });
    let text = metrics.scrape().await.unwrap();
    assert!(
        text.contains(r#"{queue="a \"queue\"\\of\nmine",call="send"}"#),
        "{text}"
    );
    let told = samples(&text).find(|sample| sample.name == "polling_queue_requests_total");
    assert_eq!(told.unwrap().labels[0].1, queue);
}

#[tokio::test(start_paused = true)]
async fn who_does_not_answer_in_time_shows_nothing_and_is_counted() {
    let metrics = Metrics::new();
    let asked = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&asked);
    metrics.ask("slow", move || {
        let first = count.fetch_add(1, Relaxed) == 0;
        async move {
            if !first {
                tokio::time::sleep(ASK_DEADLINE * 2).await;
            }
            Some(vec![LEVEL.reading(&["a"], 1.0)])
        }
    });
    metrics.ask("quick", || async { Some(vec![LEVEL.reading(&["b"], 2.0)]) });
    let (a, b) = ("tank_level_meters{tank=a}", "tank_level_meters{tank=b}");
    assert_eq!(value(&metrics, a).await, Some(1.0));
    assert_eq!(
        value(&metrics, b).await,
        Some(2.0),
        "told again, without asking"
    );
    assert_eq!(asked.load(Relaxed), 1);
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(value(&metrics, a).await, None);
    assert_eq!(value(&metrics, b).await, Some(2.0));
    let failures = "polling_gauge_failures_total{asked=slow}";
    assert_eq!(value(&metrics, failures).await, Some(1.0));
}

#[tokio::test]
async fn a_watched_queue_tells_its_depth_and_age() {
    let metrics = Metrics::new();
    let clock = Arc::new(ManualClock::at(0));
    let queue = MemoryQueue::builder("work", Arc::clone(&clock) as SharedClock).build();
    queue.send(vec!["a".to_owned(), "b".to_owned()]).await;
    queue.receive(1, Duration::ZERO).await.unwrap();
    clock.advance(Duration::from_millis(1_500));
    metrics.watch_queues([queue as SharedQueue]);
    for state in ["visible", "in_flight"] {
        let series = format!("polling_queue_depth_messages{{queue=work,state={state}}}");
        assert_eq!(value(&metrics, &series).await, Some(1.0), "{series}");
    }
    let age = "polling_queue_oldest_message_age_seconds{queue=work}";
    assert_eq!(value(&metrics, age).await, Some(1.5));
}

#[tokio::test]
async fn metrics_of_ones_own_are_told_beside() {
    let metrics = Metrics::new();
    let kettles = Counter::<u64>::default();
    metrics.registry(|registry| registry.register("kettles", "Kettles boiled", kettles.clone()));
    kettles.inc_by(7);
    assert_eq!(value(&metrics, "kettles_total{}").await, Some(7.0));
}

#[tokio::test]
async fn the_route_answers_with_the_text_of_a_scrape() {
    let metrics = Metrics::new();
    let router: Router = prometheus::router(metrics.clone());
    let request = Request::get("/metrics").body(Body::empty()).unwrap();
    let response = router.oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()[header::CONTENT_TYPE], prometheus::TEXT);
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let text = String::from_utf8(body.to_vec()).unwrap();
    assert_eq!(text, metrics.scrape().await.unwrap());
    assert!(text.ends_with("# EOF\n"));
}

/// What metrics begin with: our own name, or what OpenTelemetry calls the same of every server and client.
const OURS: [&str; 3] = ["polling_", "http_", "rpc_"];

/// Names by Prometheus's conventions, no ids in labels.
#[test]
fn names_follow_the_conventions() {
    for metric in Metrics::new()
        .described()
        .iter()
        .chain(&graphite::described())
        .chain(&otlp::described())
    {
        let units: &[&str] = match metric.kind {
            "counter" => &["_total"],
            _ => &["_seconds", "_ratio", "_calls"],
        };
        let ends_well = units.iter().any(|unit| metric.name.ends_with(unit));
        assert!(
            OURS.iter().any(|ours| metric.name.starts_with(ours)) && ends_well,
            "{metric:?}"
        );
        for label in &metric.labels {
            assert!(
                !["job", "job_id", "account", "id"].contains(label),
                "{metric:?}"
            );
        }
    }
}

#[test]
fn the_handbook_has_a_row_for_each_metric_and_no_other() {
    let page = include_str!("../../../docs/how-to/metrics.md");
    let counted = Metrics::new().described().to_vec();
    let mut expected: Vec<_> = counted
        .into_iter()
        .chain(graphite::described())
        .chain(otlp::described())
        .map(|metric| row(&metric.name, metric.kind, &metric.labels, metric.help))
        .collect();
    let gauges = [
        &QUEUE_DEPTH,
        &QUEUE_AGE,
        &OBJECTIVE_BOUND,
        &OBJECTIVE_SHARE,
        &SETTINGS_IN_FORCE,
        &SETTINGS_REFUSED,
        &SETTINGS_SOURCE_FAILING,
        &SETTINGS_RECALLED,
        &SETTINGS_UNKEPT,
    ];
    expected.extend(gauges.map(|gauge| row(gauge.name, "gauge", gauge.labels, gauge.help)));
    let kinds = ["| counter |", "| gauge |", "| histogram |"];
    let told: Vec<_> = page
        .lines()
        .filter(|line| kinds.iter().any(|kind| line.contains(kind)))
        .collect();
    for row in &expected {
        assert!(
            told.contains(&row.as_str()),
            "docs/how-to/metrics.md lacks\n{row}"
        );
    }
    // Those of the scheduler's own store are held against the page by the service's tests.
    let known = |row: &&str| expected.iter().any(|known| known == row) || row.contains("| gauge |");
    let stale: Vec<_> = told.into_iter().filter(|row| !known(row)).collect();
    assert!(
        stale.is_empty(),
        "docs/how-to/metrics.md has rows of no metric: {stale:?}"
    );
}

fn row(name: &str, kind: &str, labels: &[&str], help: &str) -> String {
    let labels: Vec<_> = labels.iter().map(|label| format!("`{label}`")).collect();
    format!("| `{name}` | {kind} | {} | {help} |", labels.join(", "))
}
