//! `/metrics`: what the store and the loops of a scheduler are asked for.
#![allow(clippy::unwrap_used)]

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, to_bytes},
    http::{Request, StatusCode},
};
use polling_model::{Generator, ManualClock, SharedClock, SlotRing};
use polling_ops::{
    keda::Target,
    metrics::{Metrics, samples},
    prometheus,
    scaling::Decision,
};
use polling_transport::{SharedQueue, memory::MemoryQueue};
use scheduler::{
    config::{Config, Scaling},
    metrics::{GAUGES, watch, watch_workers},
    scaling::{Decided, Decisions},
};
use scheduler_lib::{Channel, MemoryStore, Registration, Scheduler, policy::JobTypeRules};
use tower::ServiceExt;

const NOW_MS: i64 = 1_800_000_000_000;

/// A scheduler over memory as this configuration describes it.
fn scheduler(clock: &SharedClock, metrics: &Metrics) -> (Config, Scheduler) {
    let config = "[channels.m]\nstore = \"memory\"\n[channels.m.job_types.p]\ninterval = \"5m\"\n";
    let config = Config::parse("test", config, []).unwrap();
    let queue = |name: &str| -> SharedQueue { MemoryQueue::builder(name, clock.clone()).build() };
    let store = Arc::new(MemoryStore::new(SlotRing::MINUTES, NOW_MS));
    let rules = JobTypeRules::every(Duration::from_secs(300));
    let channel = Channel::builder("m".parse().unwrap(), store)
        .job_type("p".parse().unwrap(), rules, queue("p"))
        .completed(queue("completed"))
        .dead_letter(queue("dead-letter"))
        .build()
        .unwrap();
    let scheduler = Scheduler::builder()
        .clock(clock.clone())
        .generator(Generator::from_seed(1))
        .observer(metrics.observer())
        .channel(channel)
        .build();
    (config, scheduler)
}

#[tokio::test]
async fn a_scrape_tells_jobs_by_place_the_backlog_and_the_slots_ahead() {
    let manual = Arc::new(ManualClock::at(NOW_MS));
    let clock: SharedClock = manual.clone();
    let metrics = Metrics::new();
    let (config, scheduler) = scheduler(&clock, &metrics);
    watch(&metrics, &scheduler, &config, &clock);
    let registry = scheduler.registry(&"m".parse().unwrap()).unwrap();
    for account in ["1", "2", "3"] {
        let job = Registration::new("p".parse().unwrap(), account.parse().unwrap());
        let (id, _) = registry.register(job).await.unwrap();
        if account == "3" {
            registry.pause(&id).await.unwrap();
        }
    }
    manual.advance(Duration::from_secs(4 * 60));

    let routes = prometheus::router(metrics.clone());
    let router =
        scheduler_web::Web::new(&scheduler, clock, config.admin.clone()).router_beside(routes);
    let request = Request::get("/metrics").body(Body::empty()).unwrap();
    let response = router.oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let text = String::from_utf8(body.to_vec()).unwrap();
    let value = |name: &str, label: &str| {
        let mut found = samples(&text).filter(|sample| sample.name == name);
        let found = found.find(|sample| sample.labels.iter().any(|(_, value)| value == label));
        found
            .unwrap_or_else(|| panic!("{name} {label}\n{text}"))
            .value
    };
    assert_eq!(value("polling_jobs", "slot"), 2.0);
    assert_eq!(value("polling_jobs", "held"), 1.0);
    assert_eq!(value("polling_jobs", "in_flight"), 0.0);
    assert_eq!(value("polling_backlog_slots", "m"), 4.0);
    assert_eq!(value("polling_bursting_accounts", "m"), 0.0);
    let overdue = value("polling_overdue_jobs", "m");
    assert!(
        overdue <= value("polling_due_jobs", "5"),
        "{overdue} of those ahead"
    );
    assert_eq!(value("polling_due_jobs", "15"), 2.0);
    assert_eq!(value("polling_open_notes", "m"), 0.0);
    assert!(
        !text.contains("polling_tick_age_seconds"),
        "nobody has looked yet\n{text}"
    );
}

#[tokio::test]
async fn what_was_decided_on_workers_is_shown_until_it_is_too_old() {
    let manual = Arc::new(ManualClock::at(NOW_MS));
    let clock: SharedClock = manual.clone();
    let metrics = Metrics::new();
    let decisions = Decisions::new(&Scaling::default());
    let channel = || "m".parse().unwrap();
    watch_workers(&metrics, &decisions, [channel()], &clock);
    let decision = Decision {
        workers: 7,
        ready: 5,
        needed: 9.5,
        cause: "waiting",
        limit: "step_up",
        reason: "a test".to_owned(),
    };
    let at_ms = NOW_MS;
    let target = Target {
        channel: channel(),
        job_type: "p".parse().unwrap(),
    };
    decisions.post(target, Decided { decision, at_ms });
    let text = metrics.scrape().await.unwrap();
    for told in [
        "polling_workers_desired{channel=\"m\",job_type=\"p\"} 7.0\n",
        "polling_workers_present{channel=\"m\",job_type=\"p\"} 5.0\n",
        "polling_workers_reason{channel=\"m\",job_type=\"p\",cause=\"waiting\",limit=\"step_up\"} 1.0\n",
    ] {
        assert!(text.contains(told), "{told}{text}");
    }
    manual.advance(Duration::from_secs(61));
    let again = Metrics::new();
    watch_workers(&again, &decisions, [channel()], &clock);
    let text = again.scrape().await.unwrap();
    assert!(!text.contains("polling_workers"), "{text}");
}

#[test]
fn the_handbook_has_a_row_for_each_gauge_and_no_other() {
    let page = include_str!("../../../docs/how-to/metrics.md");
    for gauge in GAUGES {
        let labels = gauge.labels.iter().map(|label| format!("`{label}`"));
        let labels = labels.collect::<Vec<_>>().join(", ");
        let row = format!("| `{}` | gauge | {labels} | {} |", gauge.name, gauge.help);
        assert!(
            page.lines().any(|line| line == row),
            "docs/how-to/metrics.md lacks\n{row}"
        );
    }
    let of_ops = [
        "| `polling_queue_",
        "| `polling_objective_",
        "| `polling_settings_",
    ];
    let gauges = page.lines().filter(|line| line.contains("| gauge |"));
    let told = gauges.filter(|line| !of_ops.iter().any(|of| line.starts_with(of)));
    assert_eq!(told.count(), GAUGES.len());
}
